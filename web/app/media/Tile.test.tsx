// @vitest-environment happy-dom
import { render } from 'preact';
import { expect, test } from 'vitest';
import type { Participant } from '../../client/index';
import { Tile } from './Tile';

const osei: Participant = {
  seat: 'osei',
  role: 'clinician',
  name: 'Dr Osei',
  state: 'admitted',
  link: 'connected',
  media: { audio: 'on', video: 'on' },
  stalled: false,
  unheard: false,
  me: false,
  paused: false,
  slot: 0,
  video: { covered: false, attach: () => () => undefined },
};

function tile(change: Partial<Participant>): HTMLElement {
  const root = document.createElement('div');
  render(<Tile person={{ ...osei, ...change }} />, root);
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
