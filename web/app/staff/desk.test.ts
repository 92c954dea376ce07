import { expect, test } from 'vitest';
import type { Row } from '../../client/index';
import { live } from '../state/live';
import { createTasks } from '../state/tasks';
import { createDesk, rowKey } from './desk';
import { FakeVisit, inVisit, someone } from './testing';

const maria = someone;
const john: Row = { ...someone, seat: 'john', visit: 'visit-2', name: 'John Reed', rank: 2 };
const ana: Row = { ...someone, seat: 'ana', visit: 'visit-3', name: 'Ana Petrova', rank: 3 };
const takenByLee: Pick<Row, 'state' | 'phase' | 'with'> = {
  state: 'admitted',
  phase: 'active',
  with: ['Dr Lee'],
};

function setUp() {
  const fake = new FakeVisit();
  const tasks = createTasks();
  const desk = createDesk(live(fake.visit), tasks);
  const names = () => desk.ready.value.map(({ name }) => name.split(' ')[0]);
  const note = (row: Row) => tasks.notes.value.get(rowKey(row.seat));
  return { fake, desk, names, note };
}

test('opening the card prepares, closing it stops preparing', () => {
  const { fake, desk } = setUp();
  fake.rows(maria);
  desk.open(maria);
  desk.close();
  expect(fake.asked).toEqual(['prepare visit-1 maria true', 'prepare visit-1 maria false']);
  expect(desk.card.value).toBeUndefined();
});

test('a colleague who is faster closes the card, and the row stays in its place and says so', () => {
  const { fake, desk, names, note } = setUp();
  fake.rows(maria, john);
  expect(names()).toEqual(['Maria', 'John']);
  desk.open(maria);
  fake.rows({ ...maria, ...takenByLee }, john);
  expect(desk.card.value).toBeUndefined();
  expect(note(maria)).toBe('Dr Lee has this visit.');
  expect(names()).toEqual(['Maria', 'John']);
  expect(desk.groups.value.colleagues).toEqual([]);
  expect(desk.waiting.value.count).toBe(1);
  desk.dismiss(maria);
  expect(names()).toEqual(['John']);
  expect(desk.groups.value.colleagues).toHaveLength(1);
});

test('an admission that is refused says who has the visit, before and after the list does', async () => {
  const { fake, desk, names, note } = setUp();
  fake.rows(maria);
  desk.open(maria);
  fake.refuse.set('admit', 'already_admitted');
  await desk.confirm(maria);
  expect(note(maria)).toBe('A colleague has this visit.');
  fake.rows({ ...maria, ...takenByLee });
  expect(note(maria)).toBe('Dr Lee has this visit.');
  expect(names()).toEqual(['Maria']);
});

test('an admission that the server has no room for says when to try again', async () => {
  const { fake, desk, note } = setUp();
  fake.rows(maria);
  desk.open(maria);
  fake.refuse.set('admit', 'full');
  fake.after = 12;
  await desk.confirm(maria);
  expect(note(maria)).toBe(
    'There is no room for another visit just now. Please try again in 12 seconds.',
  );
});

test('somebody who leaves while the card is open is said to be gone', () => {
  const { fake, desk, note } = setUp();
  fake.rows(maria);
  desk.open(maria);
  fake.rows({ ...maria, state: 'left' });
  expect(desk.card.value).toBeUndefined();
  expect(note(maria)).toBe('This person is no longer waiting.');
});

test('the own admission closes the card with the view, without waiting for the list', async () => {
  const { fake, desk, names, note } = setUp();
  fake.rows(maria);
  desk.open(maria);
  await desk.confirm(maria);
  expect(desk.card.value).toBe('maria');
  fake.set({
    view: {
      ...inVisit('visit-1'),
      people: [{ ...maria, state: 'admitted', stalled: false, unheard: false }],
    },
  });
  expect(desk.card.value).toBeUndefined();
  expect(note(maria)).toBeUndefined();
  expect(names()).toEqual([]);
  expect(desk.groups.value.yours).toHaveLength(1);
});

test('from a visit under way the own patient is put on hold first', async () => {
  const { fake, desk } = setUp();
  fake.rows({ ...maria, state: 'admitted', phase: 'active' }, john);
  fake.set({ view: inVisit('visit-1') });
  expect(desk.holdsFirst(john)).toBe('Maria Lopez');
  await desk.confirm(john);
  expect(fake.asked).toEqual(['hold visit-1', 'admit visit-2 john']);
});

test('nothing is held for a guest of the own visit, nor from a visit on hold', async () => {
  const { fake, desk } = setUp();
  const guest: Row = { ...john, visit: 'visit-1', role: 'specialist' };
  fake.rows({ ...maria, state: 'admitted', phase: 'active' }, guest);
  fake.set({ view: inVisit('visit-1') });
  expect(desk.holdsFirst(guest)).toBeUndefined();
  fake.set({ view: inVisit('visit-1', 'held') });
  await desk.confirm(john);
  expect(fake.asked).toEqual(['admit visit-2 john']);
});

test('if the hold is refused nobody is admitted', async () => {
  const { fake, desk, note } = setUp();
  fake.rows({ ...maria, state: 'admitted', phase: 'active' }, john);
  fake.set({ view: inVisit('visit-1') });
  fake.refuse.set('hold', 'retry');
  await desk.confirm(john);
  expect(fake.asked).toEqual(['hold visit-1']);
  expect(note(john)).toContain('try again');
});

test('going back to a visit on hold joins and resumes it', async () => {
  const { fake, desk } = setUp();
  const held: Row = { ...maria, state: 'held', phase: 'held', with: ['Dr Osei'] };
  fake.rows(held);
  expect(desk.groups.value.yours).toHaveLength(1);
  await desk.goTo(held);
  expect(fake.asked).toEqual(['join visit-1', 'resume visit-1']);
});

test('rows keep their place while somebody points at them', () => {
  const { fake, desk, names } = setUp();
  fake.rows(maria, john);
  expect(names()).toEqual(['Maria', 'John']);
  desk.point(true);
  fake.rows({ ...ana, rank: 0 }, { ...john, rank: 1 }, { ...maria, rank: 5 });
  expect(names()).toEqual(['Maria', 'John', 'Ana']);
  expect(desk.next.value?.name).toBe('Ana Petrova');
  desk.point(false);
  expect(names()).toEqual(['Ana', 'John', 'Maria']);
});

test('the count is of those who wait, with the longest wait', () => {
  const { fake, desk } = setUp();
  fake.rows(maria, { ...john, waitingSince: 500 }, { ...ana, state: 'expected', waitingSince: 0 });
  expect(desk.waiting.value).toEqual({ count: 2, since: 1 });
  expect(desk.groups.value.expected).toHaveLength(1);
});

test('a move is asked with its reason, and shows at once although somebody points at the list', async () => {
  const { fake, desk, names } = setUp();
  fake.rows(maria, john, ana);
  expect(names()).toEqual(['Maria', 'John', 'Ana']);
  desk.point(true);
  const front = desk.movesOf(ana)[0];
  if (front === undefined) throw new Error('she cannot be moved');
  desk.ask({ kind: 'move', row: ana, move: front });
  await desk.answer('Unwell');
  expect(fake.asked).toEqual(['move visit-3 visit-1 Unwell']);
  expect(desk.question.value).toBeUndefined();
  expect(names()).toEqual(['Maria', 'John', 'Ana']);
  fake.rows({ ...ana, rank: 0 }, maria, john);
  expect(names()).toEqual(['Ana', 'Maria', 'John']);
});

test('a move that is refused keeps its question and says why', async () => {
  const { fake, desk, note } = setUp();
  fake.rows(maria, john);
  desk.ask({ kind: 'move', row: maria, move: { where: 'end', before: undefined } });
  fake.refuse.set('move', 'not_waiting');
  await desk.answer('Late');
  expect(desk.question.value).toBeDefined();
  expect(note(maria)).toBe('This person is no longer waiting.');
  desk.giveUp();
  expect(desk.question.value).toBeUndefined();
  expect(note(maria)).toBeUndefined();
});

test('a visit is called off with a reason or without', async () => {
  const { fake, desk } = setUp();
  fake.rows({ ...maria, state: 'expected' });
  for (const reason of ['', 'Telephoned']) {
    desk.ask({ kind: 'cancel', row: maria });
    await desk.answer(reason);
  }
  expect(fake.asked).toEqual(['cancel visit-1', 'cancel visit-1 Telephoned']);
});

test('who is brought to another waiting room goes with a reason, or with none', async () => {
  const { fake, desk, note } = setUp();
  fake.rows(maria);
  desk.ask({ kind: 'transfer', row: maria });
  fake.refuse.set('transfer', 'already_admitted');
  await desk.answer('a rash', 'skin');
  expect(note(maria)).toBe('A colleague has this visit.');
  expect(desk.question.value).toBeDefined();
  fake.refuse.clear();
  await desk.answer('', 'skin');
  expect(fake.asked).toEqual(['transfer visit-1 skin a rash', 'transfer visit-1 skin']);
  expect(desk.question.value).toBeUndefined();
});

test('who is on the way to another waiting room is not the next', () => {
  const { fake, desk } = setUp();
  fake.rows({ ...maria, moving: true }, john);
  expect(desk.next.value?.seat).toBe('john');
});
