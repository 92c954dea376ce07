/** The closed gate in Firefox, over a wire, because it makes no ICE connection to loopback. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { launchChromium } from './harness/browser.mjs';
import { Firefox } from './harness/firefox.mjs';
import { impersonate } from './harness/inpage/impersonate.mjs';
import { look, traffic } from './harness/inpage/senses.mjs';
import { watch } from './harness/inpage/watch.mjs';
import { Server } from './harness/server.mjs';
import { Stage } from './harness/stage.mjs';
import { until } from './harness/until.mjs';
import { address, address6, namespace, overWire } from './harness/wire.mjs';

/** About two seconds of pictures. */
const enoughFrames = 30;
const mariasNumber = 77;

/** Waits for what the page says of itself. @param {Firefox} firefox @param {string} screen */
const atScreen = (firefox, screen) =>
  until(`Firefox is at ${screen}`, () =>
    firefox.evaluate((name) => !!document.querySelector(`[data-screen="${name}"]`), screen),
  );

/** The code of the one remote picture. @param {Firefox} firefox */
const shown = (firefox) => firefox.evaluate(look, '[data-testid="remote-video"]');

/** @param {Stage} stage @param {Firefox} firefox */
async function play(stage, firefox) {
  const clinic = await stage.clinic();
  const { patient } = await clinic.visit('Maria Lopez');
  const osei = await stage.clinician('Osei');
  await osei.open(await clinic.clinician('Dr Ama Osei'));

  await firefox.open(patient.link);
  await firefox.evaluate(watch, undefined);
  await firefox.evaluate(impersonate, { number: mariasNumber, hertz: 700, framesPerSecond: 15 });
  await atScreen(firefox, 'welcome');
  await firefox.click('//button[contains(., "Check camera")]');
  await atScreen(firefox, 'preview');
  await firefox.click('//button[@data-testid="join"]');
  await atScreen(firefox, 'waiting');
  const told = () => firefox.evaluate(traffic, undefined);
  await until('Firefox is connected for media', async () => (await told()).connected, {
    tell: told,
  });

  const maria = { seat: patient.id, name: 'Maria', number: mariasNumber };
  await osei.openCard(maria);
  await until('the encoder runs', async () => (await told()).framesEncoded >= enoughFrames, {
    tell: told,
  });
  assert.equal((await told()).sent, 0, 'Firefox sent before admission');
  assert.equal(await stage.server.packets('forbidden'), 0);

  await osei.hook('confirm-admit').click();
  await atScreen(firefox, 'visit');
  await osei.sees(maria);
  const counts = new Set();
  await until(
    'Firefox sees the clinician move',
    async () => {
      const seen = await shown(firefox);
      if (seen?.number === osei.number) counts.add(seen.count);
      return counts.size >= 3;
    },
    { tell: () => shown(firefox) },
  );
}

for (const [family, media] of Object.entries({ IPv4: address, IPv6: address6 })) {
  test(
    `an armed Firefox encodes and sends nothing until it is admitted, over ${family}`,
    { timeout: 120_000 },
    () =>
      overWire(async () => {
        const server = await Server.start({ host: address, media, namespace });
        const browser = await launchChromium({
          args: [`--unsafely-treat-insecure-origin-as-secure=${server.url}`],
        });
        const firefox = await Firefox.launch();
        const stage = new Stage(server, browser);
        try {
          await play(stage, firefox);
        } catch (error) {
          await stage.keep('firefox');
          throw error;
        } finally {
          await firefox.close();
          await browser.close();
          await server.stop();
        }
      }),
  );
}
