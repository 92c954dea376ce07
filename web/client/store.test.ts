import { beforeEach, describe, expect, test } from 'vitest';
import { Store } from './store';
import { rowOf, viewOf, welcomeOf } from './testing/wire';
import type { Message, Row, View } from './wire.gen';

let store: Store;
let heard: [string, unknown][];
let over: number;

beforeEach(() => {
  heard = [];
  over = 0;
  store = new Store({
    emit: (event, detail) => heard.push([event, detail]),
    over: () => (over += 1),
  });
});

const times = (event: string) => heard.filter(([name]) => name === event).length;
const view = (d: View) => store.heard({ t: 'view', seq: 1, d });

describe('the own view', () => {
  test('is cited if it had a visit with a version', () => {
    expect(store.citation.seen).toBeUndefined();
    view(viewOf('held'));
    expect(store.citation.seen).toBeUndefined();
    const { visit, ...rest } = viewOf('held');
    if (!visit) throw new Error('no visit');
    view({ ...rest, epoch: 7, visit: { ...visit, id: 'v', version: 3 } });
    expect(store.citation.seen).toEqual({ epoch: 7, visit: 'v', version: 3 });
  });

  test('the newest replaces all before', () => {
    view(viewOf('checking'));
    view(viewOf('waiting'));
    expect(store.view?.me.state).toBe('waiting');
  });

  test('admission is told once, also when it happened while the line was away', () => {
    store.welcomed(welcomeOf(viewOf('waiting')), 0);
    store.welcomed(welcomeOf(viewOf('admitted')), 0);
    view(viewOf('admitted'));
    expect(times('admitted')).toBe(1);
  });

  test('who comes back from hold, or to a visit under way, is not admitted again', () => {
    store.welcomed(welcomeOf(viewOf('admitted')), 0);
    view(viewOf('held'));
    view(viewOf('admitted'));
    expect(times('admitted')).toBe(0);
  });

  test.each(['ended', 'cancelled', 'noshow'] as const)('%s is over for the devices', (phase) => {
    const before = viewOf('admitted');
    view(before);
    view({ ...before, visit: before.visit && { ...before.visit, phase } });
    expect(over).toBe(1);
  });

  test('the end of one visit is not the end for staff', () => {
    const staff = { ...viewOf('admitted').me, staff: 'osei' };
    view(viewOf('admitted', { me: staff }));
    view(viewOf('expected', { me: { ...staff, state: 'left' }, visit: null }));
    expect(over).toBe(0);
  });
});

describe('the waiting room', () => {
  const list = (version: number, rows: Row[], removed: string[] = [], whole = false) =>
    store.heard({ t: 'list', seq: 1, d: { version, whole, rows, removed } });
  const seats = () => [...store.rows.keys()];

  test('rows are in queue order: rank, then wait, then seat', () => {
    list(1, [
      rowOf('d', { rank: 2, waitingSince: 5 }),
      rowOf('c', { rank: 1, waitingSince: 9 }),
      rowOf('b', { rank: 1, waitingSince: 4 }),
      rowOf('a', { rank: 1, waitingSince: 4 }),
    ]);
    expect(seats()).toEqual(['a', 'b', 'c', 'd']);
  });

  test('a newer row replaces, a removed one goes, a whole list starts anew', () => {
    list(1, [rowOf('a'), rowOf('b')]);
    list(2, [rowOf('b', { name: 'Bea' })], ['a']);
    expect([...store.rows.values()].map(({ name }) => name)).toEqual(['Bea']);
    list(3, [rowOf('c')], [], true);
    expect(seats()).toEqual(['c']);
    expect(store.citation.list).toBe(3);
  });

  test('an arrival is somebody who begins to wait, not who waited already', () => {
    list(1, [rowOf('first')], [], true);
    list(2, [rowOf('first', { name: 'still' }), rowOf('new', { state: 'checking' })]);
    expect(times('arrived')).toBe(0);
    list(3, [rowOf('new')]);
    expect(
      heard.filter(([name]) => name === 'arrived').map(([, row]) => (row as Row).seat),
    ).toEqual(['new']);
  });
});

describe('messages', () => {
  const message = (visit: string, n: number): Message => ({
    visit,
    n,
    from: 's',
    mine: false,
    name: '',
    role: 'patient',
    at: 0,
    text: `${visit} ${n}`,
    thread: '',
  });
  const said = (...messages: Message[]) => store.heard({ t: 'messages', seq: 1, d: { messages } });

  test('one that comes twice is one, and late ones find their place', () => {
    said(message('a', 2), message('b', 1));
    said(message('a', 1), message('a', 2));
    expect(store.messages.map(({ text }) => text)).toEqual(['a 1', 'a 2', 'b 1']);
    expect(times('messageReceived')).toBe(3);
  });

  test('hello cites the newest of each visit', () => {
    said(message('a', 2), message('a', 7), message('b', 1));
    expect(store.citation.messages).toEqual({ a: 7, b: 1 });
  });

  test('of a visit that goes on in another waiting room they come anew', () => {
    const at = (id: string): View => {
      const before = viewOf('waiting');
      return { ...before, visit: before.visit && { ...before.visit, id } };
    };
    view(at('here'));
    said(message('here', 1), message('here', 2));
    view(at('here'));
    expect(store.messages).toHaveLength(2);
    store.welcomed({ ...welcomeOf(at('there')), messages: [message('there', 1)] }, 0);
    expect(store.messages.map(({ text }) => text)).toEqual(['there 1']);
    expect(store.citation.messages).toEqual({ there: 1 });
  });

  test('those of a visit that is erased are let go of, and not cited', () => {
    const list = (version: number, rows: Row[], removed: string[], whole = false) =>
      store.heard({ t: 'list', seq: 1, d: { version, whole, rows, removed } });
    list(
      1,
      [rowOf('a', { visit: 'va' }), rowOf('a2', { visit: 'va' }), rowOf('b', { visit: 'vb' })],
      [],
    );
    said(message('va', 1), message('vb', 1), message('not in the list yet', 1));
    list(2, [], ['a']);
    expect(store.messages).toHaveLength(3);
    list(3, [], ['a2']);
    expect(store.citation.messages).toEqual({ vb: 1, 'not in the list yet': 1 });
    list(9, [rowOf('c', { visit: 'vc' })], [], true);
    expect(store.messages.map(({ visit }) => visit)).toEqual(['not in the list yet']);
  });
});

test('an event of a later version is let pass', () => {
  store.heard({ t: 'vitals' as 'view', seq: 1, d: {} });
  expect(store.view).toBeUndefined();
  expect(heard).toEqual([]);
});
