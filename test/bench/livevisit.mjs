/** A visit under way in two pages of Chromium, on three servers on one Redis behind a balancer. */
import { setTimeout } from 'node:timers/promises';
import { launchChromium } from '../e2e/harness/browser.mjs';
import { Cluster } from '../e2e/harness/cluster.mjs';
import { Stage } from '../e2e/harness/stage.mjs';
import { until } from '../e2e/harness/until.mjs';
import { captureFiles } from './devices.mjs';
import { frameTimes } from './frames.mjs';
import { arrive, phone, sitDown } from './instruments.mjs';

/** @typedef {import('../e2e/harness/person.mjs').Person} Person */

/** After which a page comes back at once again; before, a server that dies once more is one to wait for. */
const settledMS = 6000;
const instruments = { coded: false, bypassCSP: true, before: [frameTimes] };

/** Admits Maria to Dr Osei. */
export async function liveVisit() {
  const cluster = await Cluster.start();
  const [first] = cluster.servers;
  if (!first) throw new Error('no server');
  const devices = await captureFiles();
  const browser = await launchChromium({ allow: true, args: devices.args });
  const stage = new Stage(first, browser);
  const clinic = await stage.clinic();
  const osei = await stage.clinician('Osei', instruments);
  await sitDown(osei, cluster.through(await clinic.clinician('Dr Ama Osei')));
  const visit = await clinic.visit('Maria Lopez');
  const maria = await stage.visitor('Maria', { ...instruments, device: phone });
  await arrive(maria, {
    ...visit.patient,
    link: cluster.through(visit.patient.link),
  });
  await osei.openCard(maria);
  await osei.hook('confirm-admit').click();
  await maria.atState('admitted');
  return {
    cluster,
    people: [maria, osei],
    /** How many are not admitted any more. */
    lost: async () => {
      /** @type {{ seats: { state: string }[] }} */
      const { seats } = await clinic.read(visit.id);
      return seats.filter(({ state }) => state !== 'admitted').length;
    },
    close: async () => {
      await browser.close();
      await cluster.stop();
      await devices.remove();
    },
  };
}

/** Everybody has seen frames without a gap for a second, and their lines have held long enough to owe nothing. @param {Person[]} people */
export async function steady(people) {
  await setTimeout(settledMS);
  for (const person of people) {
    await until(
      `${person.name} sees`,
      async () => (await framesOf(person, Date.now() - 1000)).length > 12,
    );
  }
}

/**
 * Frames of others on somebody's screen since a time.
 *
 * @param {Person} person
 * @param {number} since
 * @returns {Promise<{ at: number, count: number }[]>}
 */
export function framesOf(person, since) {
  return person.page.evaluate(
    (from) =>
      /** @type {any} */ (window).frames.filter(
        (/** @type {{ at: number }} */ { at }) => at >= from,
      ),
    since,
  );
}
