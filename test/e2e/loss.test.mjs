/** A visit of Chromium and Firefox through a network that loses and delays, with a stretch before it that does not. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { launchChromium } from './harness/browser.mjs';
import { Firefox } from './harness/firefox.mjs';
import { impersonate } from './harness/inpage/impersonate.mjs';
import { countStalls, reception } from './harness/inpage/reception.mjs';
import { look } from './harness/inpage/senses.mjs';
import { watch } from './harness/inpage/watch.mjs';
import { LossyRelay } from './harness/lossy.mjs';
import { Server } from './harness/server.mjs';
import { Stage } from './harness/stage.mjs';
import { until } from './harness/until.mjs';
import { address, namespace, outside, overWire } from './harness/wire.mjs';

const framesPerSecond = 15;
/** About 5 s of pictures without loss, and 15 s with it. */
const controlFrames = 5 * framesPerSecond;
const lossyFrames = 15 * framesPerSecond;
const lossy = { loss: 0.05, jitterMS: 20 };
/** The most that loss may freeze of that. */
const frozenSeconds = 3;
const mariasNumber = 77;

/** @typedef {import('./harness/inpage/reception.mjs').Reception} Reception */

/** A patient in Firefox and a clinician in Chromium, in their visit. @param {Stage} stage @param {Firefox} firefox */
async function meet(stage, firefox) {
  const clinic = await stage.clinic();
  const { patient } = await clinic.visit('Maria Lopez');
  const osei = await stage.clinician('Osei', { framesPerSecond });
  await osei.open(await clinic.clinician('Dr Ama Osei'));
  const maria = { seat: patient.id, name: 'Maria', number: mariasNumber };

  const atScreen = (/** @type {string} */ screen) =>
    until(`Firefox is at ${screen}`, () =>
      firefox.evaluate((name) => !!document.querySelector(`[data-screen="${name}"]`), screen),
    );
  await firefox.open(patient.link);
  await firefox.evaluate(watch, undefined);
  await firefox.evaluate(impersonate, { number: mariasNumber, hertz: 700, framesPerSecond });
  await atScreen('welcome');
  await firefox.click('//button[contains(., "Check camera")]');
  await atScreen('preview');
  await firefox.click('//button[@data-testid="join"]');
  await atScreen('waiting');
  await osei.openCard(maria);
  await osei.hook('confirm-admit').click();
  await atScreen('visit');

  const seen = () => firefox.evaluate(look, '[data-testid="remote-video"]');
  /** Both read the other's number in pictures that move. */
  const seeEachOther = async () => {
    await osei.sees(maria);
    const counts = new Set();
    await until(
      'Firefox sees the clinician move',
      async () => {
        const picture = await seen();
        if (picture?.number === osei.number) counts.add(picture.count);
        return counts.size >= 3;
      },
      { tell: seen },
    );
  };
  await seeEachOther();
  await osei.page.evaluate(countStalls);
  await firefox.evaluate(countStalls, undefined);
  return {
    seeEachOther,
    viewers: [
      { name: 'Chromium', stats: () => osei.page.evaluate(reception) },
      { name: 'Firefox', stats: () => firefox.evaluate(reception, undefined) },
    ],
  };
}

/** @typedef {{ name: string, stats: () => Promise<Reception> }} Viewer */

/**
 * What two viewers count while both decode a number of frames.
 *
 * @param {Viewer[]} viewers
 * @param {number} frames
 */
async function stretch(viewers, frames) {
  const all = () => Promise.all(viewers.map(({ stats }) => stats()));
  const before = await all();
  const after = await until(
    `both decode ${frames} frames`,
    async () => {
      const now = await all();
      const enough = now.every(
        (is, i) => is.framesDecoded >= (before[i]?.framesDecoded ?? 0) + frames,
      );
      return enough ? now : undefined;
    },
    { within: 60_000, tell: all },
  );
  return viewers.map(({ name }, i) => {
    const [was, is] = [before[i], after[i]];
    assert.ok(was && is);
    assert.equal(is.connections, was.connections, `${name} connected again`);
    assert.deepEqual(is.codecs, was.codecs, `${name} changed its decoder`);
    const grown = Object.fromEntries(
      counters.map((field) => [field, Math.round((is[field] - was[field]) * 1000) / 1000]),
    );
    return { name, .../** @type {Record<typeof counters[number], number>} */ (grown) };
  });
}

const counters = /** @type {const} */ ([
  'framesReceived',
  'framesDecoded',
  'framesDropped',
  'packetsLost',
  'nacks',
  'retransmitted',
  'nacked',
  'retransmittedSent',
  'freezes',
  'frozenSeconds',
  'stalls',
]);

test(
  'a visit through loss and jitter freezes little and shows the right pictures',
  {
    timeout: 180_000,
  },
  (t) =>
    overWire(async () => {
      const flags = ['--media-advertise', outside, '--no-turn'];
      const server = await Server.start({ host: address, namespace, flags });
      /** @type {(() => unknown)[]} */
      const ends = [() => server.stop()];
      try {
        const relay = await LossyRelay.start(outside, server.media);
        ends.unshift(() => relay.close());
        const browser = await launchChromium({
          args: [`--unsafely-treat-insecure-origin-as-secure=${server.url}`],
        });
        ends.unshift(() => browser.close());
        const firefox = await Firefox.launch();
        ends.unshift(() => firefox.close());
        const stage = new Stage(server, browser);
        await play(stage, firefox, relay, (what) => t.diagnostic(JSON.stringify(what))).catch(
          async (error) => {
            await stage.keep('loss');
            throw error;
          },
        );
      } finally {
        for (const end of ends) await end();
      }
    }),
);

/**
 * @param {Stage} stage
 * @param {Firefox} firefox
 * @param {LossyRelay} relay
 * @param {(what: unknown) => void} tell
 */
async function play(stage, firefox, relay, tell) {
  const { viewers, seeEachOther } = await meet(stage, firefox);
  const control = await stretch(viewers, controlFrames);
  tell(control);
  const stalls = control.reduce((sum, seen) => sum + seen.stalls, 0);
  for (const seen of control) {
    assert.ok(seen.freezes <= stalls, `${seen.name} froze without loss`);
    assert.equal(seen.packetsLost, 0, `${seen.name} missed packets that nobody lost`);
  }

  relay.become(lossy);
  const through = await stretch(viewers, lossyFrames);
  tell(through);
  tell(relay.count);
  assert.ok(relay.count.lost > 0);
  for (const seen of through) {
    // Firefox does not count what it got again; there the unfrozen picture has to do.
    assert.ok(seen.nacks > 0, `${seen.name} asked for nothing`);
    if (seen.name === 'Chromium') assert.ok(seen.retransmitted > 0, 'Chromium got nothing again');
    assert.ok(seen.nacked > 0, `the server asked ${seen.name} for nothing`);
    assert.ok(seen.retransmittedSent > 0, `${seen.name} sent nothing again`);
    assert.ok(
      seen.frozenSeconds <= frozenSeconds,
      `${seen.name} froze for ${seen.frozenSeconds} s`,
    );
    const undecoded = seen.framesReceived - seen.framesDecoded - seen.framesDropped;
    assert.ok(undecoded <= framesPerSecond, `${seen.name} did not decode ${undecoded} frames`);
  }
  await seeEachOther();
}
