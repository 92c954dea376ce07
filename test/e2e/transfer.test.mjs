/** Who is brought to another waiting room is seen there: the page follows by itself, and so does the link. */
import assert from 'node:assert/strict';
import { Audit } from './harness/audit.mjs';
import { Clinic } from './harness/clinic.mjs';
import { onStage } from './harness/stage.mjs';
import { until } from './harness/until.mjs';

onStage('a patient is brought to another waiting room and seen there', async (stage) => {
  const audit = new Audit();
  const [here, there] = [await stage.clinic(), await Clinic.make(stage.server, 'Dermatology')];
  const osei = await stage.clinician('Osei');
  const lee = await stage.clinician('Lee');
  await osei.open(await here.clinician('Dr Ama Osei'));
  await lee.open(await there.clinician('Dr Kim Lee'));
  const maria = await stage.visitor('Maria');
  const made = await here.visit('Maria Lopez');
  await maria.arrive(made.patient);
  await maria.write('It itches');
  await osei.sawRow(maria, 'waiting');

  await osei.row(maria).getByLabel('More about Maria Lopez').click();
  await audit.look(osei, 'clinician-3-menu-of-one-who-waits');
  await osei.hook('transfer').click();
  await osei.hook('reason').fill('A rash');
  await audit.look(osei, 'clinician-7-transfer');
  await osei.page.getByRole('button', { name: /goes to Dermatology/ }).click();
  await lee.sawRow(maria, 'waiting');
  assert.match(await lee.row(maria).innerText(), /Moved:\s*A rash/);
  await audit.look(lee, 'clinician-3-somebody-from-another-room');
  await until('nobody waits where they were', async () => (await osei.rows()).length === 0);
  await maria.atScreen('waiting');
  assert.equal(
    await maria.page.getByText('It itches').count(),
    1,
    'what was written is there twice',
  );

  await lee.admit(maria);
  await Promise.all([lee.sees(maria), maria.sees(lee)]);
  await maria.page.reload();
  await maria.atScreen('visit');
  await Promise.all([lee.sees(maria), maria.sees(lee)]);
  assert.equal((await here.read(made.id)).phase, 'active');
  audit.check();
});
