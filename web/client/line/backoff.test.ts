import { expect, test } from 'vitest';
import { Backoff } from './backoff';

const most = () => 1 - Number.EPSILON;

test('the first try comes at once, with jitter', () => {
  expect(new Backoff(() => 0).next('at_once')).toBe(0);
  expect(new Backoff(most).next('at_once')).toBeLessThanOrEqual(250);
  expect(new Backoff(most).next('at_once')).toBeGreaterThan(249);
  expect(new Backoff(most).next('now')).toBeLessThanOrEqual(50);
});

test('the waits grow, are bounded, and never end', () => {
  const backoff = new Backoff(most);
  const waits = Array.from({ length: 100 }, () => backoff.next('at_once'));
  const growing = waits.slice(1, 6);
  expect(growing).toEqual([...growing].sort((a, b) => a - b));
  expect(Math.max(...waits)).toBeLessThanOrEqual(15_000);
  expect(waits.at(-1)).toBeGreaterThan(7_500);
});

test('half of each wait is chance, so that a clinic does not come back in step', () => {
  const early = new Backoff(() => 0);
  const late = new Backoff(most);
  early.next('at_once');
  late.next('at_once');
  expect(early.next('at_once') / late.next('at_once')).toBeCloseTo(0.5);
});

test('a busy server is given time from the first try on', () => {
  expect(new Backoff(() => 0).next('later')).toBeGreaterThanOrEqual(1000);
});

test('a line that worked owes nothing', () => {
  const backoff = new Backoff(() => 0);
  for (let i = 0; i < 8; i += 1) backoff.next('at_once');
  backoff.reset();
  expect(backoff.next('at_once')).toBe(0);
});
