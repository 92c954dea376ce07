import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Clock } from './clock';

const start = 1_000_000;

beforeEach(() => {
  vi.useFakeTimers({ now: start });
});
afterEach(() => {
  vi.useRealTimers();
});

test('before it has heard anything it is our own clock', () => {
  expect(new Clock().now()).toBe(start);
});

test('an answer is taken to be from the middle of its round trip', () => {
  const clock = new Clock();
  vi.setSystemTime(start + 100);
  clock.heard(5_000_000, start);
  expect(clock.now()).toBe(5_000_050);
});

test('of several answers the fastest is believed', () => {
  const clock = new Clock();
  vi.setSystemTime(start + 20);
  clock.heard(5_000_000, start);
  vi.setSystemTime(start + 2020);
  clock.heard(9_000_000, start + 20);
  expect(clock.now()).toBe(5_000_010 + 2000);
});

test('but not for ever: a clock that was set is followed after a minute', () => {
  const clock = new Clock();
  vi.setSystemTime(start + 20);
  clock.heard(5_000_000, start);
  vi.setSystemTime(start + 61_000);
  clock.heard(9_000_000, start + 60_900);
  expect(clock.now()).toBe(9_000_050);
});
