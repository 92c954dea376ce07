/** What a server says, with the uninteresting parts filled in. */
import type { Person, Row, SeatState, Slot, View, Welcome } from '../wire.gen';

export function viewOf(state: SeatState, more: Partial<View> = {}): View {
  return {
    epoch: 1,
    version: 1,
    clinic: { name: 'Hill Clinic', phone: '555 0100' },
    room: { id: 'room', name: 'Oncology' },
    me: { seat: 'me', staff: '', role: 'patient', name: 'Maria Lopez', state, held: 0 },
    visit: {
      id: 'visit',
      phase: 'waiting',
      scheduledAt: 0,
      startedAt: 0,
      with: ['Dr Osei'],
      locked: false,
    },
    people: [],
    slots: [],
    paused: false,
    connect: false,
    arm: false,
    send: false,
    colleagues: [],
    ...more,
  };
}

export function inVisit(people: readonly Person[], slots: readonly Slot[]): View {
  return viewOf('admitted', {
    people: [...people],
    slots: [...slots],
    connect: true,
    send: true,
  });
}

export function personOf(seat: string, more: Partial<Person> = {}): Person {
  return {
    seat,
    role: 'clinician',
    name: 'Dr Osei',
    state: 'admitted',
    link: 'connected',
    media: { audio: 'on', video: 'on' },
    stalled: false,
    unheard: false,
    ...more,
  };
}

export function rowOf(seat: string, more: Partial<Row> = {}): Row {
  return {
    seat,
    visit: `visit of ${seat}`,
    role: 'patient',
    name: seat,
    state: 'waiting',
    phase: 'waiting',
    rank: 0,
    arrivedAt: 0,
    waitingSince: 0,
    scheduledAt: 0,
    endedAt: 0,
    lengthMin: 0,
    interpreter: false,
    link: 'connected',
    ready: false,
    media: { audio: 'on', video: 'on' },
    with: [],
    locked: false,
    ...more,
  };
}

export function welcomeOf(view: View, more: Partial<Welcome> = {}): Welcome {
  return {
    session: 'session',
    now: Date.now(),
    pingMs: 2000,
    iceServers: [],
    peer: '',
    view,
    messages: [],
    ...more,
  };
}
