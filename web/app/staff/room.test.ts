import { expect, test, vi } from 'vitest';
import type { Participant, Role, SeatState } from '../../client/index';
import { live } from '../state/live';
import { createTasks } from '../state/tasks';
import { participantOf } from '../state/testing';
import { canManage, createRoom, personKey, visitKey } from './room';
import { FakeVisit, inVisit, someone } from './testing';

function person(seat: string, role: Role, state: SeatState = 'admitted'): Participant {
  return participantOf(seat, { role, state, me: seat === 'mine' });
}

function setUp() {
  const fake = new FakeVisit();
  const tasks = createTasks();
  const room = createRoom(live(fake.visit), tasks);
  const settled = () => vi.waitFor(() => expect(tasks.busy.value.size).toBe(0));
  fake.set({
    view: inVisit('visit-1'),
    participants: [
      person('mine', 'clinician'),
      person('maria', 'patient'),
      person('lin', 'specialist'),
    ],
  });
  fake.rows({ ...someone, state: 'admitted', phase: 'active' });
  return { fake, tasks, room, settled };
}

test('staff decide about everybody but staff and themselves', () => {
  expect(canManage(person('maria', 'patient'))).toBe(true);
  expect(canManage(person('lin', 'interpreter'))).toBe(true);
  expect(canManage(person('lee', 'clinician'))).toBe(false);
  expect(canManage(person('desk', 'staff'))).toBe(false);
  expect(canManage(person('mine', 'clinician'))).toBe(false);
});

test('one key holds everybody, or resumes if somebody is on hold', async () => {
  const { fake, room, settled } = setUp();
  room.toggleHold();
  await settled();
  fake.set({ participants: [person('maria', 'patient', 'held'), person('lin', 'specialist')] });
  expect(room.anyHeld.value).toBe(true);
  expect(room.patientHeld.value).toBe(true);
  room.toggleHold();
  expect(fake.asked).toEqual(['hold visit-1', 'resume visit-1']);
});

test('requests name the visit and the person; in no visit nothing is asked', () => {
  const { fake, room } = setUp();
  room.hold('lin');
  room.sendBack('maria');
  room.lock(true);
  expect(fake.asked).toEqual(['hold visit-1 lin', 'return visit-1 maria', 'lock visit-1 true']);
  fake.set({ view: { ...inVisit('visit-1'), visit: null } });
  room.hold();
  expect(fake.asked).toHaveLength(3);
});

test('a removal is said when it is done; a refusal is said at the person', async () => {
  const { fake, room, tasks, settled } = setUp();
  room.remove(person('lin', 'specialist'), 'lin was removed');
  await settled();
  expect(room.said.value).toBe('lin was removed');
  fake.refuse.set('remove', 'no_seat');
  room.remove(person('lin', 'specialist'), 'lin was removed');
  await settled();
  expect(room.said.value).toBe('');
  expect(tasks.notes.value.get(personKey('lin'))).toBe('This person is gone.');
});

test('an invitation shows its link until the sheet is opened anew', async () => {
  const { room, settled } = setUp();
  room.show('invite');
  room.invite('interpreter', 'Jo');
  await settled();
  expect(room.invitation.value).toEqual({ name: 'Jo', link: 'https://clinic.test/join#token' });
  room.show('invite');
  expect(room.invitation.value).toBeUndefined();
});

test('the end closes its sheet when it is done and stays with the reason when it is refused', async () => {
  const { fake, room, tasks, settled } = setUp();
  room.show('end');
  fake.refuse.set('end', 'retry');
  room.end('done');
  await settled();
  expect(room.sheet.value).toBe('end');
  expect(tasks.notes.value.get(visitKey)).toContain('try again');
  fake.refuse.clear();
  room.end('follow_up');
  await settled();
  expect(room.sheet.value).toBe('none');
  expect(fake.asked).toEqual(['end visit-1 done', 'end visit-1 follow_up']);
});

test('afterwards the page knows whether the visit ended or was left', () => {
  const { fake, room } = setUp();
  expect(room.after.value).toBe('nothing');
  const gone = { ...inVisit('visit-1'), visit: null };
  fake.set({ view: gone });
  expect(room.after.value).toBe('left');
  fake.rows({ ...someone, phase: 'ended' });
  expect(room.after.value).toBe('ended');
  fake.set({ view: inVisit('visit-2') });
  expect(room.after.value).toBe('nothing');
});

test('a visit that goes away closes its sheets', () => {
  const { fake, room } = setUp();
  room.show('handOver');
  fake.set({ view: { ...inVisit('visit-1'), visit: null } });
  expect(room.sheet.value).toBe('none');
});
