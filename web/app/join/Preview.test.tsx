// @vitest-environment happy-dom
import { render } from 'preact';
import { act } from 'preact/test-utils';
import { expect, test } from 'vitest';
import { VisitError, type Visit } from '../../client/index';
import { viewOf } from '../../client/testing/wire';
import { JoinPage } from './JoinPage';
import { createSession } from './session';
import { FakeVisit, quiet } from './testing';

async function previewed(allow: 'on' | 'blocked') {
  const visit = new FakeVisit();
  visit.arrives = viewOf('checking');
  visit.allow = allow;
  const session = createSession(visit as unknown as Visit, quiet());
  visit.camera.error = new VisitError('denied', '');
  const root = document.createElement('div');
  await act(async () => {
    render(<JoinPage session={session} />, root);
    await session.start();
  });
  /** The hooks of the screen from top to bottom. */
  const order = () =>
    [...root.querySelectorAll<HTMLElement>('main [data-testid]')].map(
      ({ dataset }) => dataset['testid'],
    );
  return { root, visit, order };
}

test('the picture comes before the button to join', async () => {
  const { order } = await previewed('on');
  expect(order()).toEqual(['self-video', 'mute', 'camera', 'join']);
});

test('what is wrong and the way on come before the picture', async () => {
  const { root, order } = await previewed('blocked');
  expect(order()).toEqual(['error', 'join', 'self-video', 'mute', 'camera']);
  expect(root.querySelector('[data-testid=join]')?.textContent).toBe('Join with messages only');
});

test('the way back stands above the screen', async () => {
  const { root } = await previewed('on');
  await act(() => {
    root.querySelector<HTMLElement>('header button')?.click();
  });
  expect(root.querySelector('[data-screen]')?.getAttribute('data-screen')).toBe('welcome');
});
