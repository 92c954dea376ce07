/** A whole visit in three browsers: real links, real media, read back from pictures and sound. */
import assert from 'node:assert/strict';
import { onStage } from './harness/stage.mjs';
import { stillness } from './harness/stillness.mjs';
import { until } from './harness/until.mjs';

/** The two notes of an arrival and the three of an admission, in hertz. */
const arrivalChime = [784, 587];
const admissionChime = [523, 659, 784];

onStage('a patient, a clinician and a specialist meet', async (stage) => {
  const clinic = await stage.clinic();
  const made = await clinic.visit('Maria Lopez', [{ role: 'specialist', name: 'Dr Wei Lin' }]);
  const next = await clinic.visit('John Reed');
  const osei = await stage.clinician('Osei');
  const maria = await stage.visitor('Maria');
  const lin = await stage.visitor('Lin', { device: {} });
  const john = await stage.visitor('John');
  const all = [osei, maria, lin, john];
  await osei.open(await clinic.clinician('Dr Ama Osei'));

  // The patient comes, and the clinician hears it.
  await maria.open(made.patient);
  assert.match(await maria.page.locator('h1').innerText(), /video visit/i);
  await maria.check();
  await maria.join();
  assert.match(await maria.hook('position').innerText(), /next/i);
  await osei.sawRow(maria, 'waiting');
  await hasHeard(osei, arrivalChime);
  assert.match(await osei.page.title(), /^\(1\)/);

  // The identity card has two identifiers. Admission is heard too, and needs no tap.
  await osei.openCard(maria);
  const card = osei.row(maria);
  assert.match(await card.innerText(), /Maria Lopez[\s\S]*3 February 1950/);
  await osei.hook('confirm-admit').press('Escape');
  await osei.admit(maria);
  await hasHeard(maria, admissionChime);
  await Promise.all([osei.sees(maria), maria.sees(osei)]);
  await Promise.all([osei.hears([maria], all), maria.hears([osei], all)]);

  // The specialist waits, seeing and hearing nobody, and is let in.
  await lin.arrive(made.guests[0]);
  await osei.sawRow(lin, 'waiting');
  assert.equal(await lin.hook('remote-video').count(), 0);
  await lin.hears([], all);
  await osei.admit(lin);
  await Promise.all([
    osei.sees(maria),
    osei.sees(lin),
    maria.sees(osei),
    maria.sees(lin),
    lin.sees(osei),
    lin.sees(maria),
  ]);
  await Promise.all([
    osei.hears([maria, lin], all),
    maria.hears([osei, lin], all),
    lin.hears([osei, maria], all),
  ]);

  // On hold nothing passes either way, and what was seen last is covered.
  await osei.press('hold', maria);
  await maria.atState('held');
  assert.equal(await maria.hook('remote-video').count(), 0);
  await Promise.all([osei.covers(maria), lin.covers(maria)]);
  await Promise.all([maria.hears([], all), osei.hears([lin], all), lin.hears([osei], all)]);
  await stillness(maria);
  await osei.press('resume', maria);
  await maria.atState('admitted');
  await Promise.all([osei.sees(maria), maria.sees(osei), maria.sees(lin), lin.sees(maria)]);
  await Promise.all([
    osei.hears([maria, lin], all),
    maria.hears([osei, lin], all),
    lin.hears([osei, maria], all),
  ]);

  // Chat reaches everybody.
  await maria.write('Can you hear me?');
  await osei.write('Yes, very well.');
  for (const person of [osei, maria, lin]) {
    await person.read('Can you hear me?');
    await person.read('Yes, very well.');
  }

  // The end, and the pages after it.
  await osei.end();
  await Promise.all([maria.atScreen('over'), lin.atScreen('over')]);
  assert.match(await maria.page.locator('h1').innerText(), /ended/);
  await until('the clinician is back', async () => (await osei.hook('end').count()) === 0);
  const { phase, disposition } = await clinic.read(made.id);
  assert.deepEqual({ phase, disposition }, { phase: 'ended', disposition: 'done' });

  // The next patient comes in over the same connection.
  const before = await osei.negotiated();
  await john.arrive(next.patient);
  await osei.admit(john);
  await Promise.all([osei.sees(john), john.sees(osei)]);
  await Promise.all([osei.hears([john], all), john.hears([osei], all)]);
  assert.deepEqual(before, { peers: 1, negotiations: 1 });
  assert.deepEqual(await osei.negotiated(), before);
  for (const person of all)
    assert.deepEqual(person.errors, [], `errors on the page of ${person.name}`);
});

/**
 * @param {import('./harness/person.mjs').Person} person
 * @param {number[]} chime
 */
function hasHeard(person, chime) {
  return until(
    `${person.name} hears a chime`,
    async () => {
      const heard = await person.notesHeard();
      return chime.every((note) => heard.includes(note));
    },
    { tell: () => person.notesHeard() },
  );
}
