import { expect, test } from 'vitest';
import { loudness } from './level';

test('the scale runs from hardly audible to loud, evenly in decibels', () => {
  expect(loudness(10 ** (-35 / 20))).toBeCloseTo(0.5);
  expect(loudness(10 ** (-10 / 20))).toBeCloseTo(1);
  expect(loudness(1)).toBe(1);
});

test('only digital silence is nothing: a quiet room still proves that the microphone works', () => {
  expect(loudness(0)).toBe(0);
  expect(loudness(1e-6)).toBeGreaterThan(0);
});
