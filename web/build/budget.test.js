import { expect, test } from 'vitest';
import { filesOf } from './budget.js';

const manifest = {
  'join.html': { file: 'join.js', imports: ['_shared.js'], css: ['join.css'], assets: ['gate.js'] },
  '_shared.js': { file: 'shared.js', imports: ['join.html'], dynamicImports: ['_late.js'] },
  '_late.js': { file: 'late.js' },
};

test('a page is charged for all that it loads, each file once', () => {
  expect([...filesOf(manifest, 'join.html')].sort()).toEqual([
    'gate.js',
    'join.css',
    'join.js',
    'late.js',
    'shared.js',
  ]);
});

test('a page that was not built is an error, not a small page', () => {
  expect(() => filesOf(manifest, 'staff.html')).toThrow('staff.html');
});
