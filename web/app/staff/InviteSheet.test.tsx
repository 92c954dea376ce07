// @vitest-environment happy-dom
import { render } from 'preact';
import { act } from 'preact/test-utils';
import { expect, test, vi } from 'vitest';
import { createOffice } from './office';
import { Sheets } from './Sheets';
import { FakeVisit, inVisit, quiet } from './testing';

test('the focus goes to the name, then to the link, and back to where it was', async () => {
  const fake = new FakeVisit();
  fake.set({ view: inVisit('visit-1') });
  const office = createOffice(fake.visit, quiet());
  const before = document.body.appendChild(document.createElement('button'));
  const root = document.body.appendChild(document.createElement('div'));
  const focused = () => (document.activeElement as HTMLElement).dataset['testid'];
  before.focus();
  await act(() => {
    render(<Sheets office={office} />, root);
    office.room.show('invite');
  });
  expect(focused()).toBe('invite-name');
  await act(async () => {
    office.room.invite('interpreter', 'Jo');
    await vi.waitUntil(() => office.room.invitation.value !== undefined);
  });
  expect(focused()).toBe('invite-link');
  await act(() => {
    office.room.show('none');
  });
  expect(document.activeElement).toBe(before);
});
