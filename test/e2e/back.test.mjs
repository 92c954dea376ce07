/** Away to another page and back again: out of the back-forward cache, or loaded anew, to the same seat. */
import assert from 'node:assert/strict';
import { onStage } from './harness/stage.mjs';
import { until } from './harness/until.mjs';

const withCache = { chromium: { keepPages: true } };

/** Runs in a page before its scripts, and notes whether it comes out of the cache. */
function noteReturns() {
  addEventListener('pageshow', ({ persisted }) => Object.assign(window, { persisted }));
  addEventListener('pagehide', () => Reflect.deleteProperty(window, 'persisted'));
}

/**
 * Runs in a page before its scripts: ends what Chromium does not keep a page for, as Safari does by itself when it
 * puts a page with a visit away.
 */
function restLikeSafari() {
  /** @type {MediaStream[]} */
  const streams = [];
  const { mediaDevices } = navigator;
  const capture = mediaDevices.getUserMedia.bind(mediaDevices);
  mediaDevices.getUserMedia = async (constraints) => {
    const stream = await capture(constraints);
    streams.push(stream);
    return stream;
  };
  const { createMediaStreamDestination } = AudioContext.prototype;
  AudioContext.prototype.createMediaStreamDestination = function () {
    const node = createMediaStreamDestination.call(this);
    streams.push(node.stream);
    return node;
  };
  addEventListener('pagehide', () => {
    for (const stream of streams) for (const track of stream.getTracks()) track.stop();
    for (const peer of /** @type {any} */ (window).watched.peers) peer.close();
  });
}

/**
 * @param {import('./harness/stage.mjs').Stage} stage
 * @param {import('./harness/visitor.mjs').Visitor} visitor
 */
async function awayAndBack(stage, visitor) {
  await visitor.page.goto(`${stage.server.url}/v1/openapi.json`);
  await visitor.page.goBack({ waitUntil: 'commit' });
  const shown = () => visitor.page.evaluate(() => 'persisted' in window);
  await until(`${visitor.name} has the page before them again`, shown);
  return visitor.page.evaluate(() => ({
    persisted: /** @type {any} */ (window).persisted,
    reasons: JSON.stringify(
      /** @type {any} */ (performance.getEntriesByType('navigation')[0])?.notRestoredReasons,
    ),
  }));
}

/** @param {import('./harness/stage.mjs').Stage} stage @param {(() => void)[]} before */
async function twoWait(stage, before) {
  const clinic = await stage.clinic();
  const osei = await stage.clinician('Osei');
  await osei.open(await clinic.clinician('Dr Ama Osei'));
  const maria = await stage.visitor('Maria', { before });
  const john = await stage.visitor('John');
  await maria.arrive((await clinic.visit('Maria Lopez')).patient);
  await john.arrive((await clinic.visit('John Reed')).patient);
  await osei.sawRow(john, 'waiting');
  return { osei, maria, john };
}

onStage(
  'out of the back-forward cache: same seat, waiting and admitted, with new media',
  async (stage) => {
    const { osei, maria, john } = await twoWait(stage, [noteReturns, restLikeSafari]);
    const first = await awayAndBack(stage, maria);
    assert.equal(first.persisted, true, first.reasons);
    await maria.atScreen('waiting');
    assert.match(await maria.hook('position').innerText(), /next/i);
    assert.deepEqual(await osei.rows(), [maria.seat, john.seat]);

    await osei.admit(maria);
    await Promise.all([osei.sees(maria), maria.sees(osei)]);
    const second = await awayAndBack(stage, maria);
    assert.equal(second.persisted, true, second.reasons);
    await maria.atScreen('visit');
    await Promise.all([osei.sees(maria), maria.sees(osei)]);
    assert.equal(await osei.pictureOf(maria).count(), 1, 'a ghost is in the visit');
    assert.deepEqual(await osei.rows(), [john.seat]);
    assert.equal(
      await stage.server.count('anteroom_commands_total{action="admit",result="ok"}'),
      1,
    );
  },
  withCache,
);

onStage(
  'back to a page that Chromium did not keep, because of its media: same seat',
  async (stage) => {
    const { osei, maria } = await twoWait(stage, [noteReturns]);
    await osei.admit(maria);
    await Promise.all([osei.sees(maria), maria.sees(osei)]);
    const { persisted, reasons } = await awayAndBack(stage, maria);
    assert.equal(persisted, false);
    assert.match(reasons, /"(rtc|mediastream)"/);
    await maria.atScreen('visit');
    await Promise.all([osei.sees(maria), maria.sees(osei)]);
    assert.equal(await osei.pictureOf(maria).count(), 1, 'a ghost is in the visit');
    assert.equal(
      await stage.server.count('anteroom_commands_total{action="admit",result="ok"}'),
      1,
    );
  },
  withCache,
);
