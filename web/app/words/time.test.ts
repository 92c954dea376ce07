import { describe, expect, test } from 'vitest';
import { age, dayAndTime, minutesSince, span, stopwatch } from './time';

const now = Date.UTC(2026, 2, 4, 12, 0, 0);
const hourMS = 3_600_000;

describe('a clock that was set back makes no span negative', () => {
  test('a wait that begins in an hour', () => {
    expect(minutesSince(now + hourMS, now)).toBe(0);
    expect(span(minutesSince(now + hourMS, now))).toBe('0 min');
  });

  test('a hold that begins in an hour', () => {
    expect(stopwatch(now + hourMS, now)).toBe('0:00');
  });

  test('a child that was born today, by a clock that says yesterday', () => {
    expect(age('2026-03-05', now)).toBe(0);
    expect(age('2027-01-01', Date.UTC(2026, 11, 31, 12))).toBe(0);
  });

  test('an appointment that has passed', () => {
    expect(dayAndTime(now - hourMS, now)).toMatch(/^today at /);
  });
});

test('spans are whole minutes, stopwatches seconds', () => {
  expect(span(minutesSince(now - 12.9 * 60_000, now))).toBe('12 min');
  expect(span(minutesSince(now - 65 * 60_000, now))).toBe('1 h 05 min');
  expect(stopwatch(now - 130_000, now)).toBe('2:10');
  expect(stopwatch(now - hourMS - 130_000, now)).toBe('1:02:10');
});

test('age counts birthdays', () => {
  expect(age('1980-03-04', now)).toBe(46);
  expect(age('1980-03-05', now)).toBe(45);
});
