/** Each way that camera and microphone fail has its own words and a way on. */
import assert from 'node:assert/strict';
import { devicesInUse, withoutCapture } from './harness/inpage/quirks.mjs';
import { onStage } from './harness/stage.mjs';

/** The words of each failure, to see that no two are the same. */
const said = new Map();

/**
 * @param {string} code
 * @param {Parameters<typeof onStage>[2] & { person?: import('./harness/person.mjs').Options }} [how]
 */
function failing(code, { person, ...how } = {}) {
  onStage(
    `devices: ${code}`,
    async (stage) => {
      const clinic = await stage.clinic();
      const { id, patient } = await clinic.visit('Maria Lopez');
      const maria = await stage.visitor('Maria', { coded: false, ...person });
      await maria.open(patient);
      await maria.checkFails(code);
      const words = await maria.hook('error').innerText();
      assert.ok(!said.has(words), `the words of ${code} are those of ${said.get(words)}`);
      assert.doesNotMatch(words, /NotAllowed|NotFound|NotReadable|undefined/);
      said.set(words, code);

      // The way on, into the waiting room.
      await maria.join();
      assert.equal((await clinic.read(id)).phase, 'waiting');
    },
    how,
  );
}

failing('denied', { chromium: { args: ['--use-fake-ui-for-media-stream=deny'] } });
failing('missing', { chromium: { allow: true, without: ['--use-fake-device-for-media-stream'] } });
failing('busy', { person: { before: [devicesInUse] } });
failing('in_app', { person: { before: [withoutCapture] } });
failing('insecure', {
  server: { name: 'clinic.test' },
  chromium: { args: ['--host-resolver-rules=MAP clinic.test 127.0.0.1'] },
});
