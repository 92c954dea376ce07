/** The patient's way from the link to the waiting room, before anybody else is there. */
import assert from 'node:assert/strict';
import { onStage } from './harness/stage.mjs';

onStage('a patient waits, and nothing leaves their phone', async (stage) => {
  const clinic = await stage.clinic();
  const first = await clinic.visit('Maria Lopez');
  const second = await clinic.visit('John Reed');
  const maria = await stage.visitor('Maria');
  const john = await stage.visitor('John');
  await maria.open(first.patient);
  assert.ok(!maria.page.url().includes('#'), 'the token is still in the address');
  await maria.check();
  await maria.join();
  await john.arrive(second.patient);
  assert.match(await maria.hook('position').innerText(), /next/i);
  assert.match(await john.hook('position').innerText(), /^1 person/);
  await maria.connected();
  assert.deepEqual((await maria.traffic()).sent, 0);
});
