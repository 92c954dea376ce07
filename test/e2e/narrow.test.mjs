/** A link that becomes too narrow for the picture, then too narrow for any, then wide again, in Chromium behind a relay. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Audit } from './harness/audit.mjs';
import { launchChromium } from './harness/browser.mjs';
import { covers, noteCovers } from './harness/inpage/covers.mjs';
import { hearing, listenForGaps } from './harness/inpage/hearing.mjs';
import { LossyRelay } from './harness/lossy.mjs';
import { Server } from './harness/server.mjs';
import { Stage } from './harness/stage.mjs';
import { until } from './harness/until.mjs';

/** The relay's address, where the browsers believe the server to be. */
const relayed = '127.0.0.2';
const narrowKbps = 300;
/** The sound alone takes 60. */
const tooNarrowKbps = 80;
/** What the narrow link leaves for pictures. */
const roomKbps = narrowKbps - 60;
/** Packets of sound in 10 s, longer than it takes the server to try the link again. */
const packets = 500;
const samplesPerSecond = 48_000;
/** Of the samples: the most that may be made up by the browser. */
const concealedShare = 0.25;
const longestGapMS = 1000;
const slow = 'Picture paused';

/** @typedef {import('./harness/person.mjs').Person} Person */

test(
  'a slow link costs the picture its size, then the picture, and never the sound',
  {
    timeout: 240_000,
  },
  async (t) => {
    const server = await Server.start({ flags: ['--media-advertise', relayed, '--no-turn'] });
    /** @type {(() => unknown)[]} */
    const ends = [() => server.stop()];
    try {
      const relay = await LossyRelay.start(relayed, server.media);
      ends.unshift(() => relay.close());
      const browser = await launchChromium();
      ends.unshift(() => browser.close());
      const stage = new Stage(server, browser);
      await play(stage, relay, (what) => t.diagnostic(JSON.stringify(what))).catch(
        async (error) => {
          await stage.keep('narrow');
          throw error;
        },
      );
    } finally {
      for (const end of ends) await end();
    }
  },
);

/**
 * @param {Stage} stage
 * @param {LossyRelay} relay
 * @param {(what: unknown) => void} tell
 */
async function play(stage, relay, tell) {
  const audit = new Audit();
  const clinic = await stage.clinic();
  const { patient } = await clinic.visit('Maria Lopez');
  const osei = await stage.clinician('Osei', { grain: true });
  const maria = await stage.visitor('Maria');
  await osei.open(await clinic.clinician('Dr Ama Osei'));
  await maria.arrive(patient);
  await osei.admit(maria);
  await Promise.all([osei.sees(maria), maria.sees(osei)]);
  const marias = (await maria.route()).port;
  for (const person of [maria, osei]) {
    await person.page.evaluate(noteCovers);
    await person.page.evaluate(listenForGaps);
  }
  const pictureKbps = sender(osei);
  await until('the picture takes more than the narrow link has', async () => {
    return (await pictureKbps()) > narrowKbps;
  });

  // Narrow: the picture becomes smaller and goes on.
  const { down } = relay.narrow(marias, { downKbps: narrowKbps });
  const wasHeard = await maria.page.evaluate(hearing);
  await until('the picture fits the link', async () => (await pictureKbps()) < roomKbps, {
    within: 30_000,
    tell: pictureKbps,
  });
  await maria.sees(osei);
  tell({ narrow: await heardOn(maria, wasHeard), kbps: await pictureKbps() });
  assert.deepEqual(await maria.page.evaluate(covers), ['none']);
  assert.ok(down && down.count.lost > 0, 'the link was not full');

  // Too narrow: the picture pauses, the page says so, the sound goes on while the server tries the link again.
  relay.narrow(marias, { downKbps: tooNarrowKbps });
  const still = await maria.page.evaluate(hearing);
  await says(maria, true);
  await maria.covers(osei);
  tell({ tooNarrow: await heardOn(maria, still) });
  tell({ tries: await heardOn(maria, await maria.page.evaluate(hearing)) });
  await maria.hears([osei], [osei, maria]);
  assert.deepEqual(await maria.page.evaluate(covers), ['none', 'slow']);
  // Nobody else is told, and the other picture has lost nothing.
  await osei.sees(maria);
  assert.deepEqual(await osei.page.evaluate(covers), ['none']);
  assert.equal(await osei.page.getByText(slow).count(), 0);
  await audit.look(maria, 'patient-4-visit-picture-paused');

  // The same on the clinician's page.
  const oseis = (await osei.route()).port;
  relay.narrow(oseis, { downKbps: tooNarrowKbps });
  await says(osei, true);
  await audit.look(osei, 'clinician-5-visit-picture-paused');

  // Wide again: the pictures come back by themselves, and the notice goes.
  for (const port of [marias, oseis]) relay.narrow(port);
  await Promise.all([says(maria, false), says(osei, false)]);
  await Promise.all([maria.sees(osei), osei.sees(maria)]);
  for (const person of [maria, osei]) {
    const all = await person.page.evaluate(covers);
    assert.deepEqual(
      all.filter((cover) => cover !== 'coming'),
      ['none', 'slow', 'none'],
    );
    assert.deepEqual(person.errors, []);
    assert.equal((await person.negotiated()).peers, 1);
  }
  audit.check();
}

/**
 * How many kbit/s of pictures a person sends, on the average since the last call.
 *
 * @param {Person} person
 */
function sender({ page }) {
  let before = { bytes: 0, at: 0 };
  return async () => {
    const now = await page.evaluate(async () => {
      const is = { bytes: 0, at: 0 };
      for (const peer of /** @type {any} */ (window).watched.peers) {
        for (const report of (await peer.getStats()).values()) {
          if (report.type !== 'outbound-rtp' || report.kind !== 'video') continue;
          is.bytes += report.bytesSent;
          is.at = report.timestamp;
        }
      }
      return is;
    });
    if (now.at - before.at < 1000) return NaN;
    const kbps = ((now.bytes - before.bytes) * 8) / (now.at - before.at);
    before = now;
    return kbps;
  };
}

/**
 * Hears the other person for a while, and nothing long is missing.
 *
 * @param {Person} person
 * @param {import('./harness/inpage/hearing.mjs').Hearing} before
 */
async function heardOn(person, before) {
  const after = await until(
    `${person.name} gets ${packets} packets of sound`,
    async () => {
      const now = await person.page.evaluate(hearing);
      before.longestGap = Math.max(before.longestGap, now.longestGap);
      return now.packets - before.packets >= packets ? now : undefined;
    },
    { within: 30_000 },
  );
  const concealed = (after.concealed - before.concealed) / (after.samples - before.samples);
  const longestGap = (before.longestGap / samplesPerSecond) * 1000;
  assert.ok(concealed <= concealedShare, `${concealed} of the sound was made up`);
  assert.ok(longestGap <= longestGapMS, `${longestGap} ms of sound were missing`);
  return { concealed, longestGap };
}

/**
 * The page says that the picture is paused, to eyes and to screen readers, or does not.
 *
 * @param {Person} person
 * @param {boolean} paused
 */
async function says({ name, page }, paused) {
  const tile = page.locator('.tile');
  const status = page.locator('.stage > [role="status"]');
  const read = async () => [await tile.innerText(), await status.innerText()];
  await until(
    `the page of ${name} says ${paused ? '' : 'no longer '}that the picture is paused`,
    async () => (await read()).every((text) => text.includes(slow) === paused),
    { within: 60_000, tell: read },
  );
  if (!paused) return;
  for (const text of await read()) assert.match(text, /slow[\s\S]*sound goes on[\s\S]*by itself/);
}
