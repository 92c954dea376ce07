/** The patient's way from the link to the waiting room, before anybody else is there. */
import assert from 'node:assert/strict';
import { devicesInUse } from './harness/inpage/quirks.mjs';
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
  assert.equal((await maria.traffic()).sent, 0);
});

onStage(
  'the button to join is on the screen of a small phone, whatever the devices do',
  async (stage) => {
    const clinic = await stage.clinic();
    const maria = await stage.visitor('Maria');
    const john = await stage.visitor('John', { before: [devicesInUse] });
    await maria.open((await clinic.visit('Maria Lopez')).patient);
    await maria.check();
    await john.open((await clinic.visit('John Reed')).patient);
    await john.checkFails('busy');
    for (const [width, height] of [
      [320, 568],
      [393, 659],
    ]) {
      for (const { name, page } of [maria, john]) {
        await page.setViewportSize({ width, height });
        const box = await page.getByTestId('join').boundingBox();
        assert.ok(box && box.y + box.height <= height, `${name} at ${width} x ${height}: scrolls`);
      }
    }
  },
);

onStage('nothing sticks out of a phone, right to left and with large text', async (stage) => {
  const clinic = await stage.clinic();
  const maria = await stage.visitor('Maria');
  const osei = await stage.clinician('Osei');
  const seat = (await clinic.visit('Maria Lopez')).patient;
  await maria.open(seat);
  await maria.check();
  await fits(maria, 'preview');
  await maria.join();
  await fits(maria, 'waiting');
  await osei.open(await clinic.clinician('Dr Ama Osei'));
  await osei.admit(maria);
  await fits(maria, 'visit');
  await osei.press('hold', maria);
  await maria.atState('held');
  await fits(maria, 'held');
});

/**
 * @param {import('./harness/visitor.mjs').Visitor} person
 * @param {string} screen
 */
async function fits({ page }, screen) {
  for (const [dir, fontSize] of [
    ['rtl', '100%'],
    ['ltr', '200%'],
  ]) {
    const out = await page.evaluate(
      ([dir, fontSize]) => {
        const { style } = document.documentElement;
        Object.assign(document.documentElement, { dir });
        style.fontSize = fontSize;
        const all = [...document.querySelectorAll('button, input, video, h1, p')];
        const outside = all.filter((element) => {
          const { left, right } = element.getBoundingClientRect();
          return left < -1 || right > document.documentElement.clientWidth + 1;
        });
        style.fontSize = '';
        document.documentElement.dir = 'ltr';
        return outside.map((element) => element.outerHTML.slice(0, 80));
      },
      [dir, fontSize],
    );
    assert.deepEqual(out, [], `${screen}, ${dir}, ${fontSize}`);
  }
}
