// @vitest-environment happy-dom
import { render } from 'preact';
import { act } from 'preact/test-utils';
import { expect, test } from 'vitest';
import type { Workplaces } from '../state/workplaces';
import { createOffice } from './office';
import { RoomMenu } from './RoomMenu';
import { FakeVisit, inVisit, quiet } from './testing';

const oncology = { id: 'room', name: 'Oncology' };
const dermatology = { id: 'skin', name: 'Dermatology' };

async function setUp(rooms: Workplaces) {
  const fake = new FakeVisit();
  const office = createOffice(fake.visit, quiet({ loadWorkplaces: () => rooms }));
  const root = document.body.appendChild(document.createElement('div'));
  await act(() => {
    render(<RoomMenu office={office} />, root);
  });
  const links = () => [...root.querySelectorAll('a')];
  return { fake, root, links };
}

test('who works in one waiting room reads its name', async () => {
  const { root, links } = await setUp([oncology]);
  expect(root.textContent).toBe('Oncology');
  expect(links()).toEqual([]);
});

test('who works in several finds the others behind the name of this one', async () => {
  const { links } = await setUp([oncology, dermatology]);
  expect(links().map((link) => [link.textContent, link.getAttribute('href')])).toEqual([
    ['Oncology', '/staff/osei?room=room'],
    ['Dermatology', '/staff/osei?room=skin'],
  ]);
  expect(links().map((link) => link.getAttribute('aria-current'))).toEqual(['page', null]);
});

test('nobody goes to another waiting room out of a visit', async () => {
  const { fake, links } = await setUp([oncology, dermatology]);
  await act(() => {
    fake.set({ view: inVisit('visit-1') });
  });
  expect(links()).toEqual([]);
});

test('Escape closes the menu and keeps the focus on its button', async () => {
  const { root, links } = await setUp([oncology, dermatology]);
  const menu = root.querySelector('details');
  if (menu === null) throw new Error('there is no menu');
  menu.open = true;
  links()[1]?.focus();
  links()[1]?.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }));
  expect(menu.open).toBe(false);
  expect(document.activeElement).toBe(root.querySelector('summary'));
});
