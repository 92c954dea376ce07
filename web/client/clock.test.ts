import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Clock } from './clock';

const start = 1_000_000;
const hourMS = 3_600_000;

let clock: Clock;

beforeEach(() => {
  vi.useFakeTimers({ now: start });
  clock = new Clock();
});
afterEach(() => {
  vi.useRealTimers();
});

/** An answer that says `now` and took `roundTripMS`. */
function answered(now: number, roundTripMS: number): void {
  const asked = performance.now();
  vi.advanceTimersByTime(roundTripMS);
  clock.heard(now, asked);
}

test('before it has heard anything it is our own clock', () => {
  expect(clock.now()).toBe(start);
});

test('an answer is taken to be from the middle of its round trip', () => {
  answered(5_000_000, 100);
  expect(clock.now()).toBe(5_000_050);
});

test('of several answers the fastest is believed', () => {
  answered(5_000_000, 20);
  answered(5_000_300, 2000); // said at the start of its way
  expect(clock.now()).toBe(5_000_010 + 2000);
});

test('but not for ever: clocks drift', () => {
  answered(5_000_000, 20);
  vi.advanceTimersByTime(61_000);
  answered(5_061_030, 100);
  expect(clock.now()).toBe(5_061_080);
});

describe.each([
  ['an hour ahead', hourMS],
  ['an hour back', -hourMS],
])('a clock is set %s', (_, change) => {
  beforeEach(() => {
    answered(5_000_000, 20);
    vi.advanceTimersByTime(1000);
  });

  test('ours: nobody notices', () => {
    vi.setSystemTime(Date.now() + change);
    expect(clock.now()).toBe(5_001_010);
    answered(5_001_010, 100);
    expect(clock.now()).toBe(5_001_110);
  });

  test('ours, while an answer is on its way', () => {
    const asked = performance.now();
    vi.setSystemTime(Date.now() + change);
    vi.advanceTimersByTime(100);
    clock.heard(5_001_060, asked);
    expect(clock.now()).toBe(5_001_110);
  });

  test('the server’s: its next answer tells, however slow', () => {
    answered(5_001_060 + change, 100);
    expect(clock.now()).toBe(5_001_110 + change);
  });
});

test('a machine that slept knows the time again with the next answer', () => {
  answered(5_000_000, 20);
  vi.setSystemTime(Date.now() + 600_000); // what browsers do: the other clock stands still
  answered(5_600_060, 100);
  expect(clock.now()).toBe(5_600_110);
});
