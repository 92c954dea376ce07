/**
 * From the click on 'Confirm and admit' to the first decoded frame and the first sound of the other
 * person, both ways, in Chromium: armed, as the product does it, and over a connection that is made at
 * admission, in turns. `node test/bench/admit.mjs [N]` admits N patients each way, 30 if left out.
 * When the frame is on the screen is measured too: it is the browser's own time to start an element.
 */
import { launchChromium } from '../e2e/harness/browser.mjs';
import { Server } from '../e2e/harness/server.mjs';
import { Stage } from '../e2e/harness/stage.mjs';
import { until } from '../e2e/harness/until.mjs';
import { coldPeer } from './cold.mjs';
import { captureFiles } from './devices.mjs';
import { arrive, clickedAt, firstAfter, phone, sitDown } from './instruments.mjs';
import { stopwatch } from './stopwatch.mjs';
import { print, summary } from './summary.mjs';

const instruments = { bypassCSP: true, coded: false };
const admissions = Number(process.argv[2] ?? 30);

/**
 * @param {Stage} stage
 * @param {import('../e2e/harness/clinic.mjs').Clinic} clinic
 * @param {import('../e2e/harness/clinician.mjs').Clinician} osei
 * @param {boolean} warm
 */
async function admission(stage, clinic, osei, warm) {
  const { patient } = await clinic.visit('Maria Lopez');
  const before = warm ? [stopwatch] : [stopwatch, coldPeer];
  const maria = await stage.visitor('Maria', {
    ...instruments,
    before,
    device: phone,
  });
  await arrive(maria, patient);
  if (warm) await maria.connected();
  await osei.openCard(maria);
  const armed = warm ? [osei, maria] : [osei];
  const count = async (/** @type {import('../e2e/harness/person.mjs').Person} */ person) =>
    (await person.traffic()).framesEncoded;
  for (const person of armed) {
    const start = await count(person);
    await until('the encoder runs', async () => (await count(person)) > start + 5);
  }
  await osei.hook('confirm-admit').click();
  const clicked = await clickedAt(osei);
  const both = [osei, maria];
  const first = (/** @type {'decoded' | 'sounds' | 'frames'} */ what) =>
    Promise.all(both.map((person) => firstAfter(person, what, clicked)));
  const [video, audio, shown] = await Promise.all([
    first('decoded'),
    first('sounds'),
    first('frames'),
  ]);
  await osei.end();
  await maria.atScreen('over');
  await stage.leave(maria);
  return { video, audio, shown };
}

const server = await Server.start();
const devices = await captureFiles();
const browser = await launchChromium({ allow: true, args: devices.args });
const stage = new Stage(server, browser);
const clinic = await stage.clinic();
const osei = await stage.clinician('Osei', {
  ...instruments,
  before: [stopwatch],
});
await sitDown(osei, await clinic.clinician('Dr Ama Osei'));
/** @type {Record<'video' | 'audio' | 'shown' | 'coldVideo' | 'coldAudio' | 'coldShown', number[]>} */
const all = {
  video: [],
  audio: [],
  shown: [],
  coldVideo: [],
  coldAudio: [],
  coldShown: [],
};
await admission(stage, clinic, osei, true); // the first one of a browser also loads its codecs
for (let i = 0; i < admissions; i += 1) {
  const warm = await admission(stage, clinic, osei, true);
  const cold = await admission(stage, clinic, osei, false);
  all.video.push(...warm.video);
  all.audio.push(...warm.audio);
  all.shown.push(...warm.shown);
  all.coldVideo.push(...cold.video);
  all.coldAudio.push(...cold.audio);
  all.coldShown.push(...cold.shown);
}
await browser.close();
await server.stop();
await devices.remove();

console.log('Click on admit to the other person, both directions of each admission counted:');
print('first frame decoded, armed', all.video);
print('first sound, armed', all.audio);
print('first frame shown, armed', all.shown);
print('first frame decoded, connection made at admission', all.coldVideo);
print('first sound, connection made at admission', all.coldAudio);
print('first frame shown, connection made at admission', all.coldShown);
console.log(
  JSON.stringify({
    bench: 'admit',
    n: admissions,
    video_ms: summary(all.video),
    audio_ms: summary(all.audio),
    cold_video_ms: summary(all.coldVideo),
    cold_audio_ms: summary(all.coldAudio),
    shown_ms: summary(all.shown),
    cold_shown_ms: summary(all.coldShown),
  }),
);
