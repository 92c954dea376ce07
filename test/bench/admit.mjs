/**
 * From the click on 'Confirm and admit' to the first picture and the first sound of the other person,
 * both ways, in Chromium: armed, as the product does it, and over a connection that is made at
 * admission, in turns. `node test/bench/admit.mjs [N]` admits N patients each way, 30 if left out.
 */
import { launchChromium } from '../e2e/harness/browser.mjs';
import { Server } from '../e2e/harness/server.mjs';
import { Stage } from '../e2e/harness/stage.mjs';
import { until } from '../e2e/harness/until.mjs';
import { clickedAt, firstAfter } from './instruments.mjs';
import { coldPeer } from './cold.mjs';
import { stopwatch } from './stopwatch.mjs';
import { print, summary } from './summary.mjs';

/** A camera's frame rate: a key frame waits for the next picture. */
const instruments = { bypassCSP: true, framesPerSecond: 30 };
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
  const maria = await stage.visitor('Maria', { ...instruments, before });
  await maria.arrive(patient);
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
  const video = await Promise.all(both.map((person) => firstAfter(person, 'frames', clicked)));
  const audio = await Promise.all(both.map((person) => firstAfter(person, 'sounds', clicked)));
  await osei.end();
  await maria.atScreen('over');
  await stage.leave(maria);
  return { video, audio };
}

const server = await Server.start();
const browser = await launchChromium({ args: ['--autoplay-policy=no-user-gesture-required'] });
const stage = new Stage(server, browser);
const clinic = await stage.clinic();
const osei = await stage.clinician('Osei', { ...instruments, before: [stopwatch] });
await osei.open(await clinic.clinician('Dr Ama Osei'));
/** @type {Record<'video' | 'audio' | 'coldVideo' | 'coldAudio', number[]>} */
const all = { video: [], audio: [], coldVideo: [], coldAudio: [] };
await admission(stage, clinic, osei, true); // the first one of a browser also loads its codecs
for (let i = 0; i < admissions; i += 1) {
  const warm = await admission(stage, clinic, osei, true);
  const cold = await admission(stage, clinic, osei, false);
  all.video.push(...warm.video);
  all.audio.push(...warm.audio);
  all.coldVideo.push(...cold.video);
  all.coldAudio.push(...cold.audio);
}
await browser.close();
await server.stop();

console.log('Click on admit to the other person, both directions of each admission counted:');
print('first picture, armed', all.video);
print('first sound, armed', all.audio);
print('first picture, connection made at admission', all.coldVideo);
print('first sound, connection made at admission', all.coldAudio);
console.log(
  JSON.stringify({
    bench: 'admit',
    n: admissions,
    video_ms: summary(all.video),
    audio_ms: summary(all.audio),
    cold_video_ms: summary(all.coldVideo),
    cold_audio_ms: summary(all.coldAudio),
  }),
);
