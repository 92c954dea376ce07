/** The ways that media takes through a network. */
import assert from 'node:assert/strict';
import { relayOnly } from './harness/inpage/quirks.mjs';
import { onStage } from './harness/stage.mjs';

onStage('media goes straight where it can, and through TURN where it must', async (stage) => {
  const clinic = await stage.clinic();
  const { patient } = await clinic.visit('Maria Lopez');
  const osei = await stage.clinician('Osei');
  await osei.open(await clinic.clinician('Dr Ama Osei'));
  const maria = await stage.visitor('Maria', { before: [relayOnly] });
  await maria.arrive(patient);
  await osei.admit(maria);
  await Promise.all([osei.sees(maria), maria.sees(osei)]);
  await Promise.all([osei.hears([maria], [osei, maria]), maria.hears([osei], [osei, maria])]);

  const relayed = await maria.route();
  assert.equal(relayed.local, 'relay');
  assert.equal(relayed.relay, 'tcp');
  const direct = await osei.route();
  assert.match(direct.local, /^(host|prflx)$/);
  assert.match(direct.remote, /^(host|prflx)$/);
});
