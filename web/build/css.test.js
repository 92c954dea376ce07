import { expect, test } from 'vitest';
import { faults } from './css.js';

test('a direction has to be logical', () => {
  const css =
    '.a {\n  margin-left: 1px;\n  inline-size: 2px;\n  text-align: right;\n  width: 1px;\n}';
  expect(faults(css, false).map(({ line }) => line)).toEqual([2, 4, 5]);
});

test('a colour has to be a token, except where the tokens are', () => {
  const css =
    '.a {\n  color: #fff;\n  background: rgb(0 0 0 / 5%);\n  border-color: var(--line);\n}';
  expect(faults(css, false).map(({ line }) => line)).toEqual([2, 3]);
  expect(faults(css, true)).toEqual([]);
});

test('the root keeps its font size, so that a rem is what the reader has set', () => {
  const css = 'html {\n  font: var(--t-body);\n}\nbody {\n  font: var(--t-body);\n}';
  expect(faults(css, false).map(({ line }) => line)).toEqual([2]);
});

test('comments and media queries are not rules', () => {
  expect(faults('/* width: 1px;\n #fff */\n@media (max-height: 32rem) {\n}', false)).toEqual([]);
});
