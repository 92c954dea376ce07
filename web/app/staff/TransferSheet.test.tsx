// @vitest-environment happy-dom
import { render } from 'preact';
import { act } from 'preact/test-utils';
import { expect, test } from 'vitest';
import { createOffice } from './office';
import { ReadyRow } from './ReadyRow';
import { Sheets } from './Sheets';
import { FakeVisit, quiet, someone } from './testing';

async function setUp(otherRooms: FakeVisit['otherRooms'], row = someone) {
  const fake = new FakeVisit();
  fake.otherRooms = otherRooms;
  fake.rows(row);
  const office = createOffice(fake.visit, quiet());
  const root = document.body.appendChild(document.createElement('div'));
  await act(async () => {
    render(
      <>
        <ReadyRow row={row} office={office} />
        <Sheets office={office} />
      </>,
      root,
    );
    await Promise.resolve(); // the other rooms
  });
  const named = (test: string) => [...root.querySelectorAll<HTMLElement>(`[data-testid=${test}]`)];
  return { fake, root, named };
}

test('a clinic with one waiting room is not asked where to', async () => {
  const { named } = await setUp([]);
  expect(named('transfer')).toEqual([]);
});

test('the menu of a waiting person leads to the other rooms, and one of them is where they go', async () => {
  const { fake, root, named } = await setUp([
    { id: 'skin', name: 'Dermatology' },
    { id: 'eyes', name: 'Ophthalmology' },
  ]);
  await act(() => {
    named('transfer')[0]?.click();
  });
  expect(root.querySelector('dialog')?.textContent).toContain(
    'Bring Maria Lopez to another waiting room',
  );
  expect(named('transfer-to').map((button) => button.getAttribute('aria-label'))).toEqual([
    'Bring here: Maria Lopez goes to Dermatology',
    'Bring here: Maria Lopez goes to Ophthalmology',
  ]);
  await act(async () => {
    named('transfer-to')[1]?.click();
    await Promise.resolve();
  });
  expect(fake.asked).toEqual(['transfer visit-1 eyes']);
  expect(root.querySelector('dialog')).toBeNull();
});

test('nothing can be done with who is on the way', async () => {
  const { root, named } = await setUp([{ id: 'skin', name: 'Dermatology' }], {
    ...someone,
    moving: true,
  });
  expect(root.textContent).toContain('On the way to another waiting room');
  expect([...named('admit'), ...named('transfer')]).toEqual([]);
});
