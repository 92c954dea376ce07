import { expect, test } from 'vitest';
import { rowOf } from '../../client/testing/wire';
import { movesOf } from './queue';

const a = rowOf('maria', { visit: 'a' });
const queue = [a, ...['b', 'c', 'd'].map((visit) => rowOf(visit, { visit }))];

test.each([
  ['a', ['down before c', 'end']],
  ['b', ['front before a', 'down before d', 'end']],
  ['c', ['front before a', 'up before b', 'end']],
  ['d', ['front before a', 'up before c']],
])('of four, %s can go to places of its own', (visit, places) => {
  const moves = movesOf(queue, { visit });
  const said = moves.map(({ where, before }) => [where, before && `before ${before}`]);
  expect(said.map((words) => words.filter(Boolean).join(' '))).toEqual(places);
});

test('who waits alone cannot be moved', () => {
  expect(movesOf([a], a)).toEqual([]);
});

test('a visit with two people who wait has one place', () => {
  const guest = rowOf('guest', { visit: 'a', role: 'interpreter' });
  expect(movesOf([a, guest], guest)).toEqual([]);
});

test('a row that is only shown to say that it is gone has no place', () => {
  expect(movesOf([{ ...a, state: 'admitted' }], a)).toEqual([]);
});
