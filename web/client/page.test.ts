import { expect, test } from 'vitest';
import { tabId } from './page';

test('a tab stays the same over a refresh', () => {
  const kept = new Map<string, string>();
  const store = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  };
  const tab = tabId(() => store);
  expect(tab).toMatch(/^[0-9a-f]{32}$/);
  expect(tabId(() => store)).toBe(tab);
});

test('where storage may not even be named, each load is a tab of its own', () => {
  const refused = (): never => {
    throw new DOMException('denied', 'SecurityError');
  };
  expect(tabId(refused)).toMatch(/^[0-9a-f]{32}$/);
});
