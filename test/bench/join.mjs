/**
 * From a link to the preview, to 'waiting' and to a media connection (ICE and DTLS up), in Chromium, as
 * on a phone that has allowed camera and microphone before; the page taps 'Join' by itself as soon as
 * the preview shows. And a guest who joins a running visit: to the first decoded frames both ways. `node test/bench/join.mjs [N]` does each N times, 20 if left out.
 */
import { gzipSync } from 'node:zlib';
import { launchChromium } from '../e2e/harness/browser.mjs';
import { Server } from '../e2e/harness/server.mjs';
import { Stage } from '../e2e/harness/stage.mjs';
import { coldPeer } from './cold.mjs';
import { captureFiles } from './devices.mjs';
import {
  arrive,
  clickedAt,
  firstAfter,
  phone,
  sinceOpened,
  sitDown,
  waitingAt,
} from './instruments.mjs';
import { stopwatch } from './stopwatch.mjs';
import { print, summary } from './summary.mjs';

const runs = Number(process.argv[2] ?? 20);
const instruments = { coded: false, bypassCSP: true };

/** Runs in a page before its scripts: taps 'Join' when the preview shows. */
function eager() {
  addEventListener('marked', (event) => {
    if (/** @type {CustomEvent} */ (event).detail !== 'preview') return;
    /** @type {HTMLElement | null} */ (document.querySelector('[data-testid="join"]'))?.click();
  });
}

/**
 * All scripts that a page loads, workers included, compressed.
 *
 * @param {import('playwright-core').Page} page that nothing was loaded in yet
 */
function weigh(page) {
  /** @type {Promise<number>[]} */
  const sizes = [];
  const measure = (/** @type {import('playwright-core').Response} */ response) => {
    if (response.request().resourceType() !== 'script') return;
    sizes.push(response.body().then((body) => gzipSync(body, { level: 9 }).length));
  };
  page.on('response', measure);
  return async () => {
    page.off('response', measure); // the page may be closed before a late one has come
    return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0) / 1000;
  };
}

/**
 * In a waiting room of its own: only the next ones in line are connected while they wait.
 *
 * @param {Stage} stage
 */
async function opening(stage) {
  const clinic = await stage.clinic();
  const { patient } = await clinic.visit('Maria Lopez');
  const maria = await stage.visitor('Maria', {
    ...instruments,
    device: phone,
    before: [stopwatch, eager],
  });
  const weight = weigh(maria.page);
  await maria.page.goto(patient.link);
  const { preview, waiting, connected } = await sinceOpened(maria);
  const kilobytes = await weight();
  await stage.leave(maria);
  return { preview, waiting, connected, kilobytes };
}

/**
 * A guest joins a visit under way, in which two people talk. What the clinician needs to see the row and
 * open the card is not counted: the time from the tap on 'Join' to 'waiting', and from the click on
 * 'Confirm and admit' to the first frames.
 *
 * @param {Stage} stage
 * @param {import('../e2e/harness/clinic.mjs').Clinic} clinic
 * @param {import('../e2e/harness/clinician.mjs').Clinician} osei
 * @param {boolean} warm false: the guest's connection is made when they are admitted
 */
async function guest(stage, clinic, osei, warm) {
  const made = await clinic.visit('Maria Lopez', [{ role: 'specialist', name: 'Dr Wei Lin' }]);
  const maria = await stage.visitor('Maria', { ...instruments, device: phone });
  await arrive(maria, made.patient);
  await osei.admit(maria);
  const before = warm ? [stopwatch] : [stopwatch, coldPeer];
  const lin = await stage.visitor('Lin', { ...instruments, device: phone, before });
  await lin.open(made.guests[0]);
  await lin.atScreen('preview');
  await lin.previewRuns();
  await lin.join();
  const joining = (await waitingAt(lin)) - (await clickedAt(lin));
  await osei.openCard(lin);
  await osei.hook('confirm-admit').click();
  const clicked = await clickedAt(osei);
  const atGuest = await firstAfter(lin, 'decoded', clicked);
  const atPeer = await firstAfter(osei, 'decoded', clicked);
  await osei.end();
  await lin.atScreen('over');
  await stage.leave(lin);
  await stage.leave(maria);
  return { atGuest: joining + atGuest, atPeer: joining + atPeer };
}

/** Guests who join one visit after the other. @param {Stage} stage */
async function guests(stage) {
  const clinic = await stage.clinic();
  const osei = await stage.clinician('Osei', { ...instruments, before: [stopwatch] });
  await sitDown(osei, await clinic.clinician('Dr Ama Osei'));
  await guest(stage, clinic, osei, true);
  /** @type {Record<'atGuest' | 'atPeer', number[]>} */
  const warm = { atGuest: [], atPeer: [] };
  /** @type {Record<'atGuest' | 'atPeer', number[]>} */
  const cold = { atGuest: [], atPeer: [] };
  for (let i = 0; i < runs; i += 1) {
    for (const times of [warm, cold]) {
      const { atGuest, atPeer } = await guest(stage, clinic, osei, times === warm);
      times.atGuest.push(atGuest);
      times.atPeer.push(atPeer);
    }
  }
  return { warm, cold };
}

const server = await Server.start();
const devices = await captureFiles();

/** @template T @param {(stage: Stage) => Promise<T>} play */
async function inBrowser(play) {
  const browser = await launchChromium({ allow: true, args: devices.args });
  const result = await play(new Stage(server, browser));
  await browser.close();
  return result;
}

/** @type {Record<'preview' | 'waiting' | 'connected', number[]>} */
const all = { preview: [], waiting: [], connected: [] };
let kilobytes = 0;
await inBrowser(async (stage) => {
  await opening(stage); // the first page of a browser also starts its processes
  for (let i = 0; i < runs; i += 1) {
    const times = await opening(stage);
    all.preview.push(times.preview);
    all.waiting.push(times.waiting);
    all.connected.push(times.connected);
    kilobytes = times.kilobytes;
  }
});
const { warm, cold } = await inBrowser(guests);
await server.stop();
await devices.remove();

console.log('From the link, in a browser without cache:');
print('preview shows', all.preview);
print('waiting', all.waiting);
print('media connected', all.connected);
console.log("A guest, from the tap on 'Join' without the clinician's own time:");
print('first frame decoded at the guest', warm.atGuest);
print('first frame of the guest decoded at the clinician', warm.atPeer);
print('the same, connection made at admission', cold.atGuest);
print('the same, at the clinician', cold.atPeer);
console.log(
  JSON.stringify({
    bench: 'join',
    n: runs,
    preview_ms: summary(all.preview),
    waiting_ms: summary(all.waiting),
    connected_ms: summary(all.connected),
    guest_first_frame_ms: summary(warm.atGuest),
    guest_first_frame_at_peer_ms: summary(warm.atPeer),
    cold_guest_first_frame_ms: summary(cold.atGuest),
    cold_guest_first_frame_at_peer_ms: summary(cold.atPeer),
    script_gzip_kb: Number(kilobytes.toFixed(1)),
  }),
);
