import { signal } from '@preact/signals';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createChime } from './chime';
import { FakeVisit, someone } from './testing';

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

function setUp(saved: string | null = null) {
  const fake = new FakeVisit();
  const waiting = signal(0);
  const inVisit = signal(false);
  const store = { getItem: () => saved, setItem: vi.fn() };
  const everySecond = (fn: () => void) => void setInterval(fn, 1000);
  const chime = createChime(fake.visit, { waiting, inVisit, store, everySecond });
  const arrive = () => {
    waiting.value += 1;
    fake.emit('arrived', someone);
  };
  return { fake, waiting, inVisit, store, chime, arrive };
}

test('sounds at an arrival and again every 20 s while somebody waits', () => {
  const { fake, waiting, arrive } = setUp();
  arrive();
  expect(fake.chimes).toEqual(['arrival']);
  vi.advanceTimersByTime(19_000);
  expect(fake.chimes).toHaveLength(1);
  vi.advanceTimersByTime(21_000);
  expect(fake.chimes).toHaveLength(3);
  waiting.value = 0;
  vi.advanceTimersByTime(60_000);
  expect(fake.chimes).toHaveLength(3);
});

test('those who wait when the page opens are heard after 20 s, not at once', () => {
  const { fake, waiting } = setUp();
  waiting.value = 2;
  vi.advanceTimersByTime(19_000);
  expect(fake.chimes).toEqual([]);
  vi.advanceTimersByTime(1000);
  expect(fake.chimes).toHaveLength(1);
});

test('once: every arrival sounds and nothing is repeated', () => {
  const { fake, chime, arrive } = setUp();
  chime.choose('once');
  arrive();
  vi.advanceTimersByTime(60_000);
  arrive();
  expect(fake.chimes).toHaveLength(2);
});

test('off: nothing sounds', () => {
  const { fake, arrive } = setUp('off');
  arrive();
  vi.advanceTimersByTime(60_000);
  expect(fake.chimes).toEqual([]);
});

test('in a visit an arrival sounds once', () => {
  const { fake, inVisit, arrive } = setUp();
  inVisit.value = true;
  arrive();
  vi.advanceTimersByTime(60_000);
  expect(fake.chimes).toHaveLength(1);
});

test('the choice is kept, and an unknown one is not taken', () => {
  const { store, chime } = setUp('loud');
  expect(chime.setting.value).toBe('repeat');
  chime.choose('once');
  expect(store.setItem).toHaveBeenCalledWith('anteroom.chime', 'once');
  expect(setUp('once').chime.setting.value).toBe('once');
});

test.each([
  ['an hour ahead', 3_600_000],
  ['an hour back', -3_600_000],
])('the clock is set %s: it sounds every 20 s all the same', (_, change) => {
  const { fake, arrive } = setUp();
  arrive();
  vi.advanceTimersByTime(10_000);
  vi.setSystemTime(Date.now() + change);
  vi.advanceTimersByTime(9000);
  expect(fake.chimes).toHaveLength(1);
  vi.advanceTimersByTime(1000);
  expect(fake.chimes).toHaveLength(2);
  vi.advanceTimersByTime(40_000);
  expect(fake.chimes).toHaveLength(4);
});

describe('the machine slept for ten minutes', () => {
  test('its clock stood still: the next sound is 20 s of waking after the last', () => {
    const { fake, arrive } = setUp();
    arrive();
    vi.advanceTimersByTime(5000);
    vi.setSystemTime(Date.now() + 600_000);
    vi.advanceTimersByTime(14_000);
    expect(fake.chimes).toHaveLength(1);
    vi.advanceTimersByTime(1000);
    expect(fake.chimes).toHaveLength(2);
  });

  test('its clock went on: it sounds once, not for each time that it missed', () => {
    const { fake, arrive } = setUp();
    arrive();
    const awake = performance.now.bind(performance);
    vi.spyOn(performance, 'now').mockImplementation(() => awake() + 600_000);
    vi.advanceTimersByTime(1000);
    expect(fake.chimes).toHaveLength(2);
    vi.advanceTimersByTime(19_000);
    expect(fake.chimes).toHaveLength(2);
  });
});
