// @vitest-environment happy-dom
import { render } from 'preact';
import { act } from 'preact/test-utils';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Live } from '../state/live';
import { Level } from './Level';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('the bars follow the microphone, and no timer is left when they go', async () => {
  const microphone = { level: 0, state: 'on', muted: false };
  const live = { get: () => ({ microphone }) } as unknown as Live;
  const root = document.createElement('div');
  await act(() => {
    render(<Level live={live} />, root);
  });
  const lit = () => root.querySelectorAll('.on').length;
  expect(lit()).toBe(0);
  microphone.level = 1;
  await act(() => void vi.advanceTimersByTime(100));
  expect(lit()).toBe(6);
  await act(() => {
    render(null, root);
  });
  await vi.advanceTimersByTimeAsync(1000);
  expect(vi.getTimerCount()).toBe(0);
});
