// @vitest-environment happy-dom
import { render } from 'preact';
import { act } from 'preact/test-utils';
import { expect, test } from 'vitest';
import type { Visit } from '../../client/index';
import { viewOf } from '../../client/testing/wire';
import { JoinPage } from './JoinPage';
import { createSession } from './session';
import { FakeVisit, quiet } from './testing';

test('who is on hold can write to the clinic', async () => {
  const visit = new FakeVisit();
  visit.view = viewOf('held');
  const session = createSession(visit as unknown as Visit, quiet());
  const root = document.createElement('div');
  await act(() => {
    render(<JoinPage session={session} />, root);
  });
  const field = root.querySelector<HTMLInputElement>('[data-testid=chat-input]');
  if (field === null) throw new Error('there is no field');
  await act(() => {
    field.value = 'Are you still there?';
    field.dispatchEvent(new Event('input', { bubbles: true }));
  });
  await act(() => {
    root.querySelector('form')?.dispatchEvent(new Event('submit', { cancelable: true }));
  });
  expect(visit.log.at(-1)).toBe('said Are you still there?');
});
