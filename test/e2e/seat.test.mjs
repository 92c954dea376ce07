/** A seat is never lost: refresh, cut sockets, second tabs and other browsers keep it and its order. */
import assert from 'node:assert/strict';
import { onStage } from './harness/stage.mjs';
import { Cable } from './harness/cable.mjs';
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

onStage(
  'a socket that is open but dead is noticed and replaced, while media goes on',
  async (stage) => {
    const clinic = await stage.clinic();
    const cable = await Cable.to(stage.server.url);
    const { patient } = await clinic.visit('Maria Lopez');
    const osei = await stage.clinician('Osei');
    await osei.open(await clinic.clinician('Dr Ama Osei'));
    const maria = await stage.visitor('Maria');
    await maria.arrive({ ...patient, link: cable.through(patient.link) });
    await osei.admit(maria);
    await Promise.all([osei.sees(maria), maria.sees(osei)]);

    cable.clog();
    await maria.write('Can you read this?'); // nothing passes on that socket any more
    await osei.read('Can you read this?');
    await osei.write('Once, and clearly.');
    await maria.read('Once, and clearly.');
    await Promise.all([osei.sees(maria), maria.sees(osei)]);
    const log = (await osei.hook('chat-log').textContent()) ?? '';
    assert.equal(log.split('Can you read this?').length, 2, 'the line is there twice');
    assert.deepEqual(await maria.negotiated(), { peers: 1, negotiations: 1 });
    assert.equal(
      await stage.server.count('anteroom_commands_total{action="admit",result="ok"}'),
      1,
    );
    await cable.close();
  },
);

/** Runs in a page before its scripts: its clock can be set, and is an hour fast at first. */
function wrongClock() {
  const Right = Date;
  const clock = { off: 3_600_000 };
  window.Date = /** @type {DateConstructor} */ (
    class extends Right {
      /** @param {ConstructorParameters<DateConstructor>} time */
      constructor(...time) {
        if (time.length > 0) super(...time);
        else super(Right.now() + clock.off);
      }
      static now() {
        return Right.now() + clock.off;
      }
    }
  );
  Object.assign(window, { clock });
}

onStage(
  'a phone whose clock is an hour wrong, and is set meanwhile, keeps its seat',
  async (stage) => {
    const clinic = await stage.clinic();
    const osei = await stage.clinician('Osei');
    await osei.open(await clinic.clinician('Dr Ama Osei'));
    const maria = await stage.visitor('Maria', { before: [wrongClock] });
    const john = await stage.visitor('John');
    await maria.arrive((await clinic.visit('Maria Lopez')).patient);
    await john.arrive((await clinic.visit('John Reed')).patient);
    await osei.sawRow(john, 'waiting');
    await maria.page.reload();
    await maria.atScreen('waiting');
    assert.deepEqual(await osei.rows(), [maria.seat, john.seat]);

    await osei.admit(maria);
    await Promise.all([osei.sees(maria), maria.sees(osei)]);
    for (const off of [-3_600_000, 3_600_000, 0]) {
      await maria.page.evaluate(
        (set) => Object.assign(/** @type {any} */ (window).clock, { off: set }),
        off,
      );
      await maria.write(`My clock is off by ${off}`);
      await osei.read(`My clock is off by ${off}`);
    }
    await Promise.all([osei.sees(maria), maria.sees(osei)]);
    assert.equal((await maria.negotiated()).peers, 1);
    assert.equal(
      await stage.server.count('anteroom_commands_total{action="admit",result="ok"}'),
      1,
    );
  },
);
