/**
 * How fast an admitted patient is back, in Chromium behind a TCP proxy: from the cut of the socket to
 * the view of the new one; from a refresh to the first decoded frame of the clinician; and from the moment
 * in which the open socket is dead, of which nobody is told, to the view of the new one. Lost seats are read
 * from the visit, further admissions from the server's counters. `node test/bench/resume.mjs [N]` does
 * each N times, 20 if left out, and refreshes twice as often, so that each cut is the first of its page.
 */
import { launchChromium } from '../e2e/harness/browser.mjs';
import { Cable } from '../e2e/harness/cable.mjs';
import { Server } from '../e2e/harness/server.mjs';
import { Stage } from '../e2e/harness/stage.mjs';
import { until } from '../e2e/harness/until.mjs';
import { captureFiles } from './devices.mjs';
import { arrive, firstAfter, phone, sitDown } from './instruments.mjs';
import { stopwatch } from './stopwatch.mjs';
import { print, summary } from './summary.mjs';

const rounds = Number(process.argv[2] ?? 20);
const instruments = { coded: false, bypassCSP: true };

/** Runs in a page before its scripts, and notes when a welcome has come: it brings the view. */
function welcomes() {
  /** @type {number[]} */
  const times = [];
  Object.assign(window, { welcomes: times });
  const { addEventListener } = EventTarget.prototype;
  window.WebSocket = class extends WebSocket {
    /** @param {string | URL} url @param {string | string[]} [protocols] */
    constructor(url, protocols) {
      super(url, protocols);
      addEventListener.call(this, 'message', (event) => {
        const message = JSON.parse(/** @type {MessageEvent} */ (event).data);
        if (message.d?.view) times.push(Date.now());
      });
    }
  };
}

const server = await Server.start();
const devices = await captureFiles();
const browser = await launchChromium({ allow: true, args: devices.args });
const stage = new Stage(server, browser);
const clinic = await stage.clinic();
const osei = await stage.clinician('Osei', { ...instruments, before: [stopwatch] });
await sitDown(osei, await clinic.clinician('Dr Ama Osei'));
const cable = await Cable.to(server.url);
const visit = await clinic.visit('Maria Lopez');
const maria = await stage.visitor('Maria', {
  ...instruments,
  device: phone,
  before: [stopwatch, welcomes],
});
await arrive(maria, { ...visit.patient, link: cable.through(visit.patient.link) });
await osei.openCard(maria);
await osei.hook('confirm-admit').click();
await maria.atState('admitted');
const admissions = () => server.count('anteroom_commands_total{action="admit",result="ok"}');
const before = await admissions();
let lostSeats = 0;

/** Counts the seat as lost where the server, or the page, says something else than before. */
async function keptSeat() {
  const { phase, seats } = await clinic.read(visit.id);
  const seat = seats.find((/** @type {{ id: string }} */ { id }) => id === visit.patient.id);
  const kept = phase === 'active' && seat?.state === 'admitted';
  if (!kept || (await maria.state()) !== 'admitted') lostSeats += 1;
}

/** From a time to the next welcome. @param {number} since */
async function welcomeAfter(since) {
  const look = (/** @type {number} */ time) =>
    /** @type {any} */ (window).welcomes.find((/** @type {number} */ at) => at >= time);
  const at = await until('the view is back', () => maria.page.evaluate(look, since));
  return at - since;
}

async function refreshed() {
  const since = Date.now();
  await maria.page.reload({ waitUntil: 'commit' });
  const time = await firstAfter(maria, 'decoded', since);
  await until('the other way, too', async () => (await maria.traffic()).framesEncoded > 0);
  await keptSeat();
  return time;
}

/** @param {() => void} disturb */
async function disturbed(disturb) {
  const since = Date.now();
  disturb();
  const time = await welcomeAfter(since);
  await keptSeat();
  return time;
}

/** @type {Record<'signal' | 'media' | 'hang', number[]>} */
const all = { signal: [], media: [], hang: [] };
await refreshed(); // the first one fills the browser's cache
for (let round = 0; round < rounds; round += 1) {
  all.media.push(await refreshed());
  all.signal.push(await disturbed(() => cable.cut()));
  all.media.push(await refreshed());
  all.hang.push(await disturbed(() => cable.clog()));
  cable.clear(); // or the browser would load the page over a dead connection, too
}
const readmissions = (await admissions()) - before;
await browser.close();
await cable.close();
await server.stop();
await devices.remove();

console.log('An admitted patient:');
print('socket cut to the view', all.signal);
print('refresh to the first frame decoded', all.media);
print('open but dead socket to the view', all.hang);
console.log(
  JSON.stringify({
    bench: 'resume',
    n: rounds,
    signal_ms: summary(all.signal),
    media_ms: summary(all.media),
    hang_ms: summary(all.hang),
    lost_seats: lostSeats,
    readmissions,
  }),
);
