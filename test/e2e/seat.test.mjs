/** A seat is never lost: refresh, cut sockets, second tabs and other browsers keep it and its order. */
import assert from 'node:assert/strict';
import { onStage } from './harness/stage.mjs';
import { cuttable } from './harness/cut.mjs';
import { until } from './harness/until.mjs';

onStage('a refresh keeps seat and order, waiting and admitted', async (stage) => {
  const clinic = await stage.clinic();
  const osei = await stage.clinician('Osei');
  await osei.open(await clinic.clinician('Dr Ama Osei'));
  const maria = await stage.visitor('Maria');
  const john = await stage.visitor('John');
  await maria.arrive((await clinic.visit('Maria Lopez')).patient);
  await john.arrive((await clinic.visit('John Reed')).patient);
  await osei.sawRow(john, 'waiting');

  await maria.page.reload();
  await maria.atScreen('waiting');
  assert.match(await maria.hook('position').innerText(), /next/i);
  assert.match(await john.hook('position').innerText(), /^1 person/);
  assert.deepEqual(await osei.rows(), [maria.seat, john.seat]);

  await osei.admit(maria);
  await osei.sees(maria);
  await maria.page.reload();
  await maria.atScreen('visit');
  await Promise.all([osei.sees(maria), maria.sees(osei)]);
  assert.equal(await osei.pictureOf(maria).count(), 1, 'a ghost is in the visit');
  assert.deepEqual(await osei.rows(), [john.seat]);
});

onStage('a second tab and a second browser ask before they take the seat', async (stage) => {
  const clinic = await stage.clinic();
  const { patient } = await clinic.visit('Maria Lopez');
  const osei = await stage.clinician('Osei');
  await osei.open(await clinic.clinician('Dr Ama Osei'));
  const maria = await stage.visitor('Maria');
  await maria.arrive(patient);
  await osei.sawRow(maria, 'waiting');

  const tab = await stage.visitor('Maria, second tab', { beside: maria });
  await tab.knock(patient);
  await maria.atScreen('waiting'); // nothing was taken before somebody said so
  await tab.takeOver();
  await tab.atScreen('waiting');
  await maria.atError('taken_over');
  assert.deepEqual(await osei.rows(), [tab.seat]);

  await osei.admit(tab);
  const laptop = await stage.visitor('Maria, laptop', { device: {} });
  await laptop.knock(patient);
  await tab.atScreen('visit');
  await laptop.takeOver();
  await laptop.atScreen('visit');
  await tab.atError('taken_over');
  await Promise.all([laptop.sees(osei), osei.sees(laptop)]);
  await osei.hears([laptop], [maria, laptop]);
  assert.equal(await osei.pictureOf(laptop).count(), 1, 'a ghost is in the visit');
});

onStage('media goes on while only the socket is cut', async (stage) => {
  const clinic = await stage.clinic();
  const { patient } = await clinic.visit('Maria Lopez');
  const osei = await stage.clinician('Osei');
  await osei.open(await clinic.clinician('Dr Ama Osei'));
  const maria = await stage.visitor('Maria');
  const wire = await cuttable(maria.page);
  await maria.arrive(patient);
  await osei.admit(maria);
  await Promise.all([osei.sees(maria), maria.sees(osei)]);

  await wire.cut();
  const before = await maria.traffic();
  await until('the socket was tried again in vain', () => wire.refused >= 2);
  await until('packets still pass both ways', async () => {
    const now = await maria.traffic();
    return now.sent > before.sent + 50 && now.received > before.received + 50;
  });
  await Promise.all([osei.sees(maria), maria.sees(osei)]);

  wire.mend();
  await maria.write('I am here again.');
  await osei.read('I am here again.');
  assert.deepEqual(await maria.negotiated(), { peers: 1, negotiations: 1 });
});
