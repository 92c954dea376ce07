/** A server that is stopped in good order: nobody in a visit sees that it was. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launchChromium } from './harness/browser.mjs';
import { Cluster } from './harness/cluster.mjs';
import { covers, noteCovers } from './harness/inpage/covers.mjs';
import { Stage } from './harness/stage.mjs';

test('the owner of a visit stops: the others go on seeing each other, and can be parted', async () => {
  const cluster = await Cluster.start();
  const [first] = cluster.servers;
  assert.ok(first);
  const browser = await launchChromium({ allow: true });
  try {
    const stage = new Stage(first, browser);
    const clinic = await stage.clinic();
    const osei = await stage.clinician('Osei');
    await osei.page.goto(cluster.through(await clinic.clinician('Dr Ama Osei')));
    await osei.connected();
    const visit = await clinic.visit('Maria Lopez');
    const maria = await stage.visitor('Maria');
    await maria.open({ ...visit.patient, link: cluster.through(visit.patient.link) });
    await maria.atScreen('preview');
    await maria.previewRuns();
    await maria.join();
    await osei.openCard(maria);
    await osei.hook('confirm-admit').click();
    await osei.inVisitWith(maria);
    await Promise.all([maria.sees(osei), osei.sees(maria)]);

    for (const { page } of [maria, osei]) await page.evaluate(noteCovers);
    const owner = await cluster.owner();
    await owner.terminate(); // by then all that went through it has ended
    assert.notEqual(await cluster.owner(), owner);
    await Promise.all([maria.sees(osei), osei.sees(maria)]);
    for (const { name, page } of [maria, osei]) {
      assert.deepEqual(
        await page.evaluate(covers),
        ['none'],
        `${name}'s picture of the other was covered`,
      );
    }
    await osei.press('hold', maria);
    await maria.atState('held');
    await osei.covers(maria);
    assert.deepEqual([maria.errors, osei.errors], [[], []]);
  } finally {
    await browser.close();
    await cluster.stop();
  }
});
