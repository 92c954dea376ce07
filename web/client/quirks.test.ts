import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { clockRuns } from './quirks';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test.each([true, false])('an audio context whose clock runs: %s', async (runs) => {
  const context = { currentTime: 1 };
  const found = clockRuns(context);
  if (runs) setTimeout(() => (context.currentTime = 1.1), 100);
  await vi.advanceTimersByTimeAsync(200);
  expect(await found).toBe(runs);
});
