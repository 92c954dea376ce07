import { describe, expect, test } from 'vitest';
import { joinHow, screenOf, type Facts, type Screen } from './patient';

const start: Facts = {
  problem: undefined,
  closed: undefined,
  seat: undefined,
  phase: undefined,
  previewing: undefined,
  left: false,
};

test.each<[string, Partial<Facts>, Screen]>([
  ['nothing is known yet', {}, 'opening'],
  ['the link was refused', { problem: 'link_revoked' }, 'link'],
  ['a prompt may be needed, that is not known yet', { seat: 'checking' }, 'opening'],
  ['a tap has to come before the prompt', { seat: 'checking', previewing: false }, 'welcome'],
  ['nothing has to be asked', { seat: 'checking', previewing: true }, 'preview'],
  ['in the queue', { seat: 'waiting', phase: 'waiting' }, 'waiting'],
  ['admitted', { seat: 'admitted', phase: 'active' }, 'visit'],
  ['on hold', { seat: 'held', phase: 'held' }, 'held'],
  ['sent back to the waiting room', { seat: 'waiting', phase: 'active' }, 'waiting'],
  ['left in this page', { seat: 'admitted', left: true }, 'left'],
  ['left before, the link opened again', { seat: 'left', previewing: false }, 'welcome'],
  ['removed', { seat: 'removed', closed: 'removed' }, 'closed'],
  ['open elsewhere', { seat: 'waiting', closed: 'taken_over' }, 'closed'],
  ['the visit ended', { seat: 'admitted', phase: 'ended' }, 'over'],
  ['cancelled while they waited', { seat: 'waiting', phase: 'cancelled' }, 'over'],
  ['over before this page knew anything', { closed: 'over' }, 'over'],
  ['left, and then it ended', { seat: 'left', phase: 'ended', left: true }, 'over'],
])('%s', (_, facts, screen) => {
  expect(screenOf({ ...start, ...facts })).toBe(screen);
});

describe('the way to join follows from what works', () => {
  test.each([
    [true, true, 'both'],
    [true, false, 'sound'],
    [false, true, 'picture'],
    [false, false, 'chat'],
  ] as const)('microphone %s, camera %s: %s', (microphone, camera, how) => {
    expect(joinHow(microphone, camera)).toBe(how);
  });
});
