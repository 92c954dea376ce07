import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Peer } from '../peer/peer';
import { FakeTrack } from '../testing/media';
import type { Lane } from './lane';
import { prove } from './proof';

let sent: number;
let track: FakeTrack;

beforeEach(() => {
  vi.useFakeTimers();
  sent = 1000;
  track = new FakeTrack('video');
});
afterEach(() => {
  vi.useRealTimers();
});

/** Whether the camera is proved, and after how many ms. */
async function proved(peer: boolean): Promise<[boolean, number]> {
  const lane = { wanted: true, state: 'on', track: track.real } as unknown as Lane;
  const sending = { bytesSent: () => Promise.resolve(sent) } as unknown as Peer;
  const from = performance.now();
  let took: [boolean, number] | undefined;
  void prove(['video'], () => ({ lane, peer: peer ? sending : undefined, level: undefined })).then(
    (ok) => (took = [ok, performance.now() - from]),
  );
  while (took === undefined) await vi.advanceTimersByTimeAsync(10);
  return took;
}

test('a live track is proof where nothing is sent', async () => {
  expect((await proved(false))[0]).toBe(true);
});

test('bytes are proof where something is', async () => {
  setTimeout(() => (sent += 1), 900);
  const [ok, ms] = await proved(true);
  expect(ok).toBe(true);
  expect(ms).toBeLessThan(1200);
});

test.each([
  ['', 0],
  [', whatever the clock is set to meanwhile', 3_600_000],
  [', however far it is set back', -3_600_000],
])('without any it is given up after 2 s%s', async (_, change) => {
  setTimeout(() => vi.setSystemTime(Date.now() + change), 500);
  const [ok, ms] = await proved(true);
  expect(ok).toBe(false);
  expect(ms).toBeGreaterThanOrEqual(2000);
  expect(ms).toBeLessThan(2100);
});
