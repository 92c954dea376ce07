// @vitest-environment happy-dom
import { render } from 'preact';
import { act } from 'preact/test-utils';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Visit } from '../../client/index';
import { inVisit, personOf } from '../../client/testing/wire';
import { stageWords } from '../words/stage';
import { JoinPage } from './JoinPage';
import { createSession } from './session';
import { FakeVisit, quiet } from './testing';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test.each([0, 3_600_000, -3_600_000])(
  'who has come is said for 6 s, also if the clock is set by %i ms',
  async (change) => {
    const visit = new FakeVisit();
    visit.view = inVisit([], []);
    const session = createSession(visit as unknown as Visit, quiet());
    const root = document.createElement('div');
    await act(() => {
      render(<JoinPage session={session} />, root);
    });
    const said = () => root.querySelector('.arrival') !== null;
    expect(said()).toBe(true);
    vi.setSystemTime(Date.now() + change);
    await act(() => void vi.advanceTimersByTime(5999));
    expect(said()).toBe(true);
    await act(() => void vi.advanceTimersByTime(1));
    expect(said()).toBe(false);
    render(null, root);
  },
);

test('whose link is too slow is told so on each tile, and a screen reader once', async () => {
  const visit = new FakeVisit();
  const people = [personOf('osei'), personOf('lin', { name: 'Dr Lin' })];
  visit.view = inVisit(people, []);
  const session = createSession(visit as unknown as Visit, quiet());
  const root = document.createElement('div');
  await act(() => {
    render(<JoinPage session={session} />, root);
  });
  const pictures = async (paused: boolean) => {
    const video = { covered: paused, attach: () => () => undefined };
    const participants = people.map((person) => ({ ...person, me: false, slot: 0, video, paused }));
    await act(() => {
      visit.changes({ participants: participants as never });
    });
  };
  const tiles = () => [...root.querySelectorAll('.tile')].map(({ textContent }) => textContent);
  const said = () =>
    [...root.querySelectorAll('[role=status]')].filter(({ textContent }) =>
      textContent.includes(stageWords.slowWhy),
    ).length;
  await pictures(false);
  expect(said()).toBe(0);
  await pictures(true);
  expect(said()).toBe(1);
  for (const text of tiles()) expect(text).toContain(`${stageWords.slow}${stageWords.slowWhy}`);
  await pictures(false);
  expect(said()).toBe(0);
  for (const text of tiles()) expect(text).not.toContain(stageWords.slow);
  render(null, root);
});
