/** The pages for developers: the demo clinic in three tabs, and the client library on a page of its own. */
import assert from 'node:assert/strict';
import { Clinician } from './harness/clinician.mjs';
import { onStage } from './harness/stage.mjs';
import { until } from './harness/until.mjs';
import { Visitor } from './harness/visitor.mjs';

onStage(
  'three tabs of one browser are three people',
  async (stage) => {
    const somebody = await stage.visitor('Somebody', { device: {}, coded: false });
    await somebody.page.goto(stage.server.url);
    /** @template T @param {string} id @param {(page: import('playwright-core').Page) => T} as */
    const tab = async (id, as) => {
      const opened = somebody.page.waitForEvent('popup');
      await somebody.hook(id).click();
      return as(await opened);
    };
    const clinician = await tab('try-clinician', (page) => new Clinician('Clinician', 0, page));
    const patient = await tab('try-patient', (page) => new Visitor('Patient', 0, page));
    const specialist = await tab('try-specialist', (page) => new Visitor('Specialist', 0, page));
    for (const visitor of [patient, specialist]) {
      await visitor.atScreen('preview');
      await visitor.join();
    }
    await until('both wait', async () => (await clinician.rows()).length === 2);
    for (const visitor of [patient, specialist]) {
      await clinician.hook('admit').first().click();
      await clinician.hook('confirm-admit').click();
      await clinician.inVisitWith(visitor);
    }
    for (const person of [clinician, patient, specialist]) {
      await person.page.bringToFront(); // a tab behind others draws nothing
      const pictures = person.hook('remote-video');
      await until(`${person.name} sees two others`, async () => {
        const shown = await pictures.evaluateAll((videos) =>
          videos.map((video) => video.closest('figure')?.dataset['cover'] === 'none'),
        );
        return shown.length === 2 && shown.every(Boolean);
      });
    }
  },
  { chromium: { allow: true } },
);

onStage('the client library brings a visit to a page of one’s own', async (stage) => {
  const clinic = await stage.clinic();
  const { patient } = await clinic.visit('Maria Lopez');
  const osei = await stage.clinician('Osei');
  await osei.open(await clinic.clinician('Dr Ama Osei'));
  const maria = await stage.visitor('Maria');
  maria.seat = patient.id;
  await maria.page.goto(patient.link.replace('/join#', '/example.html#'));
  await maria.page.getByRole('button').click();
  await osei.sawRow(maria, 'waiting');
  await osei.openCard(maria);
  await osei.hook('confirm-admit').click();
  await osei.sees(maria);
  await osei.hears([maria], [osei, maria]);
  const others = maria.page.locator('video');
  const frames = () =>
    others.evaluate(
      (video) => /** @type {HTMLVideoElement} */ (video).getVideoPlaybackQuality().totalVideoFrames,
    );
  await until('the page shows the clinician', async () => (await frames()) > 10);
  assert.equal(await others.count(), 1);
});
