// @vitest-environment happy-dom
import { render } from 'preact';
import { expect, test } from 'vitest';
import type { Participant } from '../../client/index';
import { participantOf } from '../state/testing';
import { Tile } from './Tile';

function tile(change: Partial<Participant>): HTMLElement {
  const root = document.createElement('div');
  render(<Tile person={participantOf('osei', { name: 'Dr Osei', ...change })} />, root);
  return root;
}

test('of whom no sound comes it says so, and shows the picture', () => {
  const root = tile({ unheard: true });
  expect(root.querySelector('figcaption')?.textContent).toContain('No sound');
  expect(root.querySelector('.cover')).toBeNull();
});

test('of whom all comes it says nothing', () => {
  expect(tile({}).querySelector('figcaption')?.textContent).toBe('Dr OseiClinician');
});
