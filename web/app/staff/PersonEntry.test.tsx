// @vitest-environment happy-dom
import { render } from 'preact';
import { expect, test } from 'vitest';
import type { Participant } from '../../client/index';
import { participantOf } from '../state/testing';
import { createOffice } from './office';
import { PersonEntry } from './PersonEntry';
import { FakeVisit, quiet } from './testing';

test.each<[string, Partial<Participant>, string[]]>([
  ['all comes', {}, []],
  ['no sound comes, which is not the connection', { unheard: true }, ['No sound']],
  ['their picture does not come', { stalled: true }, ['Weak connection']],
  ['nothing comes', { stalled: true, unheard: true }, ['Weak connection', 'No sound']],
  ['they are gone', { link: 'reconnecting' }, ['Connecting again']],
  ['on hold', { state: 'held' }, ['On hold']],
])('%s', (_, more, badges) => {
  const office = createOffice(new FakeVisit().visit, quiet());
  const root = document.createElement('ul');
  render(
    <PersonEntry person={participantOf('maria', { role: 'patient', ...more })} office={office} />,
    root,
  );
  const said = [...root.querySelectorAll('.badges > *')].map((badge) => badge.textContent);
  expect(said).toEqual(badges);
});
