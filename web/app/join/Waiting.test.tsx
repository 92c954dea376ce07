// @vitest-environment happy-dom
import { render } from 'preact';
import { act } from 'preact/test-utils';
import { expect, test } from 'vitest';
import type { Visit } from '../../client/index';
import { viewOf } from '../../client/testing/wire';
import { JoinPage } from './JoinPage';
import { createSession } from './session';
import { FakeVisit, quiet } from './testing';

test('who waits while the server is full reads that it takes longer, until there is room', async () => {
  const visit = new FakeVisit();
  visit.view = viewOf('waiting', { connect: true });
  visit.link = { signaling: 'up', media: 'full' };
  const root = document.createElement('div');
  await act(() => {
    render(<JoinPage session={createSession(visit as unknown as Visit, quiet())} />, root);
  });
  const notice = () => root.querySelector('[data-testid=busy]');
  expect(notice()?.getAttribute('data-code')).toBe('full');
  expect(notice()?.textContent).toContain('Your place is safe');
  expect(root.querySelector('[data-testid=position]')).not.toBeNull();

  visit.link = { signaling: 'up', media: 'connecting' };
  await act(() => {
    visit.changes();
  });
  expect(notice()).toBeNull();
});
