import { describe, expect, test } from 'vitest';
import type { Row } from '../../client/index';
import { rowOf } from '../../client/testing/wire';
import { badgesOf, groupRows, steady, waitingOf } from './rows';

const mine = { name: 'Dr Osei', visit: 'visit of yours' };
const groupsOf = (...rows: Row[]) =>
  Object.entries(groupRows(rows, mine)).flatMap(([group, of]) =>
    (of as Row[]).map(({ seat }) => `${group} ${seat}`),
  );

describe('each row is in one group', () => {
  test.each<[string, Partial<Row>, string[]]>([
    ['who waits', {}, ['ready x']],
    ['a guest who waits', { role: 'interpreter' }, ['ready x']],
    ['a patient who has not come', { state: 'expected' }, ['expected x']],
    ['a guest who has not come', { role: 'caregiver', state: 'expected' }, []],
    ['a patient with the page open', { state: 'checking' }, ['expected x']],
    ['with me', { state: 'admitted', visit: mine.visit }, ['yours x']],
    ['with me by name', { state: 'held', with: ['Dr Osei'] }, ['yours x']],
    ['with a colleague', { state: 'admitted', with: ['Dr Lee'] }, ['colleagues x']],
    ['in a visit without a clinician', { state: 'admitted' }, ['colleagues x']],
    ['over', { state: 'admitted', phase: 'ended' }, ['done x']],
    ['removed', { state: 'removed' }, []],
  ])('%s', (_, row, groups) => {
    expect(groupsOf(rowOf('x', row))).toEqual(groups);
  });
});

test('those who wait keep the order of the queue; the expected come by time, the done newest first', () => {
  const rows = [
    rowOf('second', { rank: 1 }),
    rowOf('first', { rank: 2 }),
    rowOf('walk-in', { state: 'expected' }),
    rowOf('at ten', { state: 'expected', scheduledAt: 10 }),
    rowOf('at nine', { state: 'expected', scheduledAt: 9 }),
    rowOf('old', { phase: 'ended', endedAt: 1 }),
    rowOf('new', { phase: 'ended', endedAt: 2 }),
  ];
  expect(groupsOf(...rows)).toEqual([
    'ready second',
    'ready first',
    'expected at nine',
    'expected at ten',
    'expected walk-in',
    'done new',
    'done old',
  ]);
});

test('under a pointer rows stay where they are, and new ones come last', () => {
  const rows = ['c', 'new', 'a', 'b'].map((seat) => rowOf(seat));
  const places = new Map(['a', 'b', 'gone', 'c'].map((seat, place) => [seat, place]));
  expect(steady(places, rows).map(({ seat }) => seat)).toEqual(['a', 'b', 'c', 'new']);
});

test('the longest wait is told, if there is one', () => {
  expect(waitingOf([])).toEqual({ count: 0, since: undefined });
  const ready = [rowOf('a', { waitingSince: 20 }), rowOf('b', { waitingSince: 10 })];
  expect(waitingOf(ready)).toEqual({ count: 2, since: 10 });
});

test.each<[string, Partial<Row>, string[]]>([
  ['all well', {}, []],
  ['needs an interpreter', { interpreter: true }, ['interpreter']],
  ['no camera', { media: { audio: 'on', video: 'missing' } }, ['noCamera']],
  [
    'never connected: nothing is known of devices',
    { link: 'none', media: { audio: 'off', video: 'off' } },
    ['gone'],
  ],
  ['the page is in the background', { media: { audio: 'on', video: 'hidden' } }, ['away']],
  ['connecting again', { link: 'reconnecting' }, ['reconnecting']],
  ['moved by hand', { movedReason: 'in pain' }, ['moved']],
])('%s', (_, row, badges) => {
  expect(badgesOf(rowOf('x', row))).toEqual(badges);
});
