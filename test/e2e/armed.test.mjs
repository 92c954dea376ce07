/** An armed page runs its encoders behind a closed gate: no RTP packet leaves before admission. */
import assert from 'node:assert/strict';
import { withoutTransforms } from './harness/inpage/quirks.mjs';
import { onStage } from './harness/stage.mjs';
import { until } from './harness/until.mjs';

/** About two seconds of pictures. */
const enoughFrames = 30;

onStage('an armed phone encodes and sends nothing until it is admitted', async (stage) => {
  const clinic = await stage.clinic();
  const { patient } = await clinic.visit('Maria Lopez');
  const osei = await stage.clinician('Osei');
  await osei.open(await clinic.clinician('Dr Ama Osei'));
  const maria = await stage.visitor('Maria');
  await maria.arrive(patient);
  await maria.connected();

  await osei.openCard(maria);
  for (const person of [maria, osei]) {
    await until(
      `the encoder of ${person.name} runs`,
      async () => (await person.traffic()).framesEncoded >= enoughFrames,
      { tell: () => person.traffic() },
    );
    assert.equal((await person.traffic()).sent, 0, `${person.name} sent before admission`);
  }
  assert.equal(await stage.server.packets('forbidden'), 0);

  await osei.hook('confirm-admit').click();
  await osei.inVisitWith(maria);
  await Promise.all([osei.sees(maria), maria.sees(osei)]);
  assert.ok((await stage.server.packets('forwarded')) > 0, 'the server counts nothing');
});

onStage('a browser without transforms attaches its tracks at admission', async (stage) => {
  const clinic = await stage.clinic();
  const { patient } = await clinic.visit('Maria Lopez');
  const osei = await stage.clinician('Osei');
  await osei.open(await clinic.clinician('Dr Ama Osei'));
  const maria = await stage.visitor('Maria', { before: [withoutTransforms] });
  await maria.arrive(patient);
  await maria.connected();

  await osei.openCard(maria);
  // The clinician's own encoder shows that the card has armed both.
  await until(
    'the encoder of the clinician runs',
    async () => (await osei.traffic()).framesEncoded >= enoughFrames,
  );
  const { sent, framesEncoded } = await maria.traffic();
  assert.deepEqual({ sent, framesEncoded }, { sent: 0, framesEncoded: 0 });
  assert.equal(await stage.server.packets('forbidden'), 0);

  await osei.hook('confirm-admit').click();
  await osei.inVisitWith(maria);
  await Promise.all([osei.sees(maria), maria.sees(osei)]);
});
