// @vitest-environment happy-dom
import { render } from 'preact';
import { act } from 'preact/test-utils';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Visit } from '../../client/index';
import { inVisit } from '../../client/testing/wire';
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
