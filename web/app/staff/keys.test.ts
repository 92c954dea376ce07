import { beforeEach, expect, test, vi } from 'vitest';
import { createOffice } from './office';
import { press, type Press } from './keys';
import { FakeVisit, inVisit, quiet, someone } from './testing';

const bare: Press = { key: '', modified: false, typing: false, onControl: false };

beforeEach(() => {
  vi.stubGlobal('navigator', { language: 'en' });
});

function setUp() {
  const fake = new FakeVisit();
  const store = { getItem: () => null, setItem: vi.fn() };
  const office = createOffice(fake.visit, quiet({ store }));
  fake.rows(someone);
  const type = (key: string, more: Partial<Press> = {}) => press(office, { ...bare, key, ...more });
  return { fake, office, store, type };
}

test('n opens the next card, Enter admits, Escape closes', async () => {
  const { fake, office, type } = setUp();
  type('n');
  expect(office.desk.card.value).toBe('maria');
  type('Escape');
  expect(office.desk.card.value).toBeUndefined();
  type('n');
  type('Enter');
  await vi.waitFor(() => {
    expect(fake.asked.at(-1)).toBe('admit visit-1 maria');
  });
});

test('Enter is left to the button or the field that has the focus', () => {
  const { fake, type } = setUp();
  type('n');
  expect(type('Enter', { onControl: true })).toBe(false);
  expect(type('Enter', { typing: true })).toBe(false);
  expect(fake.asked).toEqual(['prepare visit-1 maria true']);
});

test('letters are text while somebody types, and belong to the browser with Ctrl', () => {
  const { office, type } = setUp();
  expect(type('n', { typing: true })).toBe(false);
  expect(type('n', { modified: true })).toBe(false);
  expect(office.desk.card.value).toBeUndefined();
});

test('single keys can be switched off; the choice is kept', () => {
  const { office, store, type } = setUp();
  office.useSingleKeys(false);
  expect(type('n')).toBe(false);
  expect(store.setItem).toHaveBeenCalledWith('anteroom.keys', 'off');
});

test('h and c are for a visit; ? shows the keys, and then no key acts behind them', () => {
  const { fake, office, type } = setUp();
  type('h');
  type('c');
  expect(fake.asked).toEqual([]);
  expect(office.writes.value).toBe(0);
  fake.set({ view: inVisit('visit-1') });
  type('h');
  type('c');
  expect(fake.asked).toEqual(['hold visit-1']);
  expect(office.writes.value).toBe(1);
  type('?');
  expect(office.room.sheet.value).toBe('keys');
  expect(type('n')).toBe(false);
});
