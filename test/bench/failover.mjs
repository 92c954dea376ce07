/**
 * How long two people of a visit do not see each other when the server that carries it is killed, in Chromium:
 * three servers on one Redis behind a balancer; kill -9 of the waiting room's owner, from the kill to the first
 * frame on the screen after the gap, at both. `node test/bench/failover.mjs [N]` kills N times, 10 if left out.
 */
import { setTimeout } from 'node:timers/promises';
import { launchChromium } from '../e2e/harness/browser.mjs';
import { Cluster } from '../e2e/harness/cluster.mjs';
import { Stage } from '../e2e/harness/stage.mjs';
import { until } from '../e2e/harness/until.mjs';
import { captureFiles } from './devices.mjs';
import { arrive, phone, sitDown } from './instruments.mjs';
import { stopwatch } from './stopwatch.mjs';
import { print, summary } from './summary.mjs';

const rounds = Number(process.argv[2] ?? 10);
/** What is between two frames at the least, for it to be the gap and not a browser that is late. */
const gapMS = 150;
/** After which a page comes back at once again; before, a server that dies once more is one to wait for. */
const settledMS = 6000;
const instruments = { coded: false, bypassCSP: true, before: [stopwatch] };

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
await arrive(maria, { ...visit.patient, link: cluster.through(visit.patient.link) });
await osei.openCard(maria);
await osei.hook('confirm-admit').click();
await maria.atState('admitted');
const people = [maria, osei];

/** The first frame on somebody's screen after the gap that follows a time. @param {typeof people[0]} person @param {number} since */
async function seesAgain(person, since) {
  const look = (/** @type {{ since: number, gapMS: number }} */ wanted) => {
    /** @type {number[]} */
    const frames = /** @type {any} */ (window).times.frames.map(
      (/** @type {{ at: number }} */ { at }) => at,
    );
    const after = frames.filter((at) => at >= wanted.since - 100);
    return after.find((at, i) => at > wanted.since && at - (after[i - 1] ?? 0) > wanted.gapMS);
  };
  const at = await until(`${person.name} sees again`, () =>
    person.page.evaluate(look, { since, gapMS }),
  );
  return at - since;
}

/** Both have seen frames without a gap for a second, and their lines have held long enough to owe nothing for the last kill. */
async function steady() {
  await setTimeout(settledMS);
  const look = () => {
    const frames = /** @type {any} */ (window).times.frames;
    return frames.filter((/** @type {{ at: number }} */ { at }) => at > Date.now() - 1000).length;
  };
  for (const { name, page } of people) {
    await until(`${name} sees`, async () => (await page.evaluate(look)) > 12);
  }
}

/** @type {number[]} */
const all = [];
let lostSeats = 0;
for (let round = 0; round < rounds; round += 1) {
  await steady();
  const owner = await cluster.owner();
  const since = Date.now();
  await owner.kill();
  all.push(...(await Promise.all(people.map((person) => seesAgain(person, since)))));
  await owner.restart();
  const { seats } = await clinic.read(visit.id);
  for (const { state } of seats) if (state !== 'admitted') lostSeats += 1;
}
await browser.close();
await cluster.stop();
await devices.remove();

print('kill of the owner to the next frame on the screen', all);
console.log(
  JSON.stringify({
    bench: 'failover-chromium',
    n: rounds,
    frame_ms: summary(all),
    lost_seats: lostSeats,
  }),
);
