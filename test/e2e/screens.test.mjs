/** Every screen and state: accessible by axe's rules, and with its picture taken for people to look at. */
import { Audit } from './harness/audit.mjs';
import { cuttable } from './harness/cut.mjs';
import { devicesInUse } from './harness/inpage/quirks.mjs';
import { onStage } from './harness/stage.mjs';
import { until } from './harness/until.mjs';

onStage('screens of a patient alone', async (stage) => {
  const audit = new Audit();
  const clinic = await stage.clinic();
  const maria = await stage.visitor('Maria');
  const { patient } = await clinic.visit('Maria Lopez');
  const john = await stage.visitor('John', { before: [devicesInUse] });
  const second = await clinic.visit('John Reed');
  await maria.open(patient);
  await audit.look(maria, 'patient-1-welcome');
  await maria.check();
  await audit.look(maria, 'patient-2-preview');
  await john.open(second.patient);
  await john.checkFails('busy');
  await audit.look(john, 'patient-2-preview-camera-in-use');
  await maria.join();
  await audit.look(maria, 'patient-3-waiting');
  await john.join();
  await audit.look(john, 'patient-3-waiting-one-ahead-no-devices');

  const tab = await stage.visitor('Maria, second tab', { beside: maria });
  await tab.knock(patient);
  await audit.look(tab, 'patient-7-open-elsewhere');
  await tab.takeOver();
  await maria.atError('taken_over');
  await audit.look(maria, 'patient-7-taken-over');
  await tab.hook('leave').click();
  await tab.atScreen('left');
  await audit.look(tab, 'patient-6-left');

  const lost = await stage.visitor('Somebody');
  await lost.page.goto(`${stage.server.url}/join#nonsense`);
  await lost.hook('error').waitFor();
  await audit.look(lost, 'patient-0-wrong-link');
  audit.check();
});

onStage(
  'screens of a visit',
  async (stage) => {
    const audit = new Audit();
    const clinic = await stage.clinic();
    const made = await clinic.visit('Maria Lopez', [{ role: 'interpreter', name: 'Ana Petrova' }]);
    const osei = await stage.clinician('Osei');
    const maria = await stage.visitor('Maria');
    const ana = await stage.visitor('Ana');
    const john = await stage.visitor('John');
    const wire = await cuttable(maria.page);

    await osei.page.goto(await clinic.clinician('Dr Ama Osei'));
    await osei.page.getByRole('button', { name: 'Turn on camera and sound' }).waitFor();
    await audit.look(osei, 'clinician-1-set-up');
    await osei.start();
    await audit.look(osei, 'clinician-2-nobody-waits');
    await maria.arrive(made.patient);
    await ana.arrive(made.guests[0]);
    await john.arrive((await clinic.visit('John Reed')).patient);
    await osei.sawRow(john, 'waiting');
    await audit.look(ana, 'guest-3-waiting');
    await audit.look(osei, 'clinician-3-three-wait');
    await osei.openCard(maria);
    await audit.look(osei, 'clinician-4-identity-card');
    await osei.hook('confirm-admit').click();
    await osei.inVisitWith(maria);
    await Promise.all([osei.sees(maria), maria.sees(osei)]);
    await audit.look(osei, 'clinician-5-visit');
    await audit.look(maria, 'patient-4-visit');
    await maria.write('Hello doctor');
    await osei.write('Good morning, Maria.');
    await maria.read('Good morning');
    await audit.look(maria, 'patient-4-visit-chat');
    await osei.admit(ana);
    await Promise.all([osei.sees(ana), maria.sees(ana), ana.sees(maria)]);
    await audit.look(osei, 'clinician-5-visit-three');
    await audit.look(maria, 'patient-4-visit-three');
    await audit.look(ana, 'guest-4-visit-three');

    await osei.press('hold', maria);
    await maria.atState('held');
    await osei.covers(maria);
    await audit.look(maria, 'patient-5-held');
    await audit.look(osei, 'clinician-6-held');
    await osei.press('resume', maria);
    await maria.sees(osei);
    await wire.cut();
    await until('the cut shows', () => maria.page.getByText('Connecting').first().isVisible());
    await audit.look(maria, 'patient-5-reconnecting');
    wire.mend();

    await osei.hook('invite').click();
    await osei.hook('invite-name').fill('Dr Wei Lin');
    await audit.look(osei, 'clinician-7-invite');
    await osei.hook('invite-make').click();
    await osei.hook('invite-link').waitFor();
    await audit.look(osei, 'clinician-7-invited');
    await osei.page.keyboard.press('Escape');
    await osei.hook('end').click();
    await audit.look(osei, 'clinician-8-end');
    await osei.hook('confirm-end').click();
    await maria.atScreen('over');
    await audit.look(maria, 'patient-6-ended');
    await osei.hook('end').waitFor({ state: 'detached' });
    await audit.look(osei, 'clinician-9-after');
    audit.check();
  },
  { timeout: 300_000 },
);

onStage('screens of the try-it page', async (stage) => {
  const audit = new Audit();
  const somebody = await stage.visitor('Somebody');
  await somebody.page.goto(stage.server.url);
  await somebody.hook('try-patient').waitFor();
  await audit.look(somebody, 'try-it');
  audit.check();
});
