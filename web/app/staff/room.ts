/** The visit that the clinician is in, as signals and actions. */
import { computed, effect, signal, type ReadonlySignal } from '@preact/signals';
import type { Disposition, Participant, Role, Row, VisitInfo } from '../../client/index';
import type { Live } from '../state/live';
import type { Tasks } from '../state/tasks';

type Sheet = 'none' | 'end' | 'invite' | 'handOver' | 'keys';

export interface Invitation {
  name: string;
  link: string;
}

export interface Room {
  readonly visit: ReadonlySignal<VisitInfo | undefined>;
  readonly people: ReadonlySignal<readonly Participant[]>;
  /** invited to this visit and not in it */
  readonly invited: ReadonlySignal<readonly Row[]>;
  readonly anyHeld: ReadonlySignal<boolean>;
  readonly patientHeld: ReadonlySignal<boolean>;
  /** what became of the last visit, while there is no other */
  readonly after: ReadonlySignal<'nothing' | 'left' | 'ended'>;
  readonly sheet: ReadonlySignal<Sheet>;
  readonly invitation: ReadonlySignal<Invitation | undefined>;
  /** what was just done, for a moment */
  readonly said: ReadonlySignal<string>;
  show: (sheet: Sheet) => void;
  hold: (seat?: string) => void;
  resume: (seat?: string) => void;
  toggleHold: () => void;
  sendBack: (seat: string) => void;
  remove: (person: Participant, said: string) => void;
  lock: (on: boolean) => void;
  invite: (role: Role, name: string) => void;
  handOver: (to: string) => void;
  leave: () => void;
  end: (disposition: Disposition) => void;
}

const isStaff = (role: Role): boolean => role === 'clinician' || role === 'staff';

/** Staff decide about everybody but staff. */
export const canManage = (person: Participant): boolean => !person.me && !isStaff(person.role);

/** How somebody is connected, as the others should know it. */
export function linkOf({ link, stalled }: Participant): 'good' | 'weak' | 'lost' {
  if (link === 'reconnecting') return 'lost';
  return stalled ? 'weak' : 'good';
}

export const visitKey = 'visit';
export const personKey = (seat: string): string => `person ${seat}`;

export function createRoom({ visit, read }: Live, tasks: Tasks): Room {
  const sheet = signal<Sheet>('none');
  const invitation = signal<Invitation | undefined>(undefined);
  const said = signal('');
  const current = read(({ view }) =>
    view?.me.state === 'admitted' && view.visit !== null ? view.visit : undefined,
  );
  const people = read(({ participants }) => participants);
  const others = computed(() => people.value.filter(canManage));
  const held = computed(() => others.value.some((person) => person.state === 'held'));

  const last = signal<string | undefined>(undefined);
  effect(() => {
    if (current.value !== undefined) last.value = current.value.id;
    else sheet.value = 'none';
  });
  const lastRow = read(({ list }) => [...list.values()].find((row) => row.visit === last.value));

  /** Runs a request about the visit under way. */
  const act = (key: string, work: (id: string) => Promise<void>): Promise<boolean> => {
    const id = current.value?.id;
    said.value = '';
    return id === undefined ? Promise.resolve(false) : tasks.run(key, () => work(id));
  };
  const key = (seat?: string) => (seat === undefined ? visitKey : personKey(seat));
  const close = (done: boolean) => {
    if (done) sheet.value = 'none';
  };

  const hold = (seat?: string) => void act(key(seat), (id) => visit.staff.hold(id, seat));
  const resume = (seat?: string) => void act(key(seat), (id) => visit.staff.resume(id, seat));

  return {
    visit: current,
    people,
    invited: read(({ list, view }) =>
      [...list.values()].filter(
        (row) =>
          row.visit === view?.visit?.id &&
          (row.state === 'expected' || row.state === 'checking' || row.state === 'left'),
      ),
    ),
    anyHeld: held,
    patientHeld: computed(() =>
      others.value.some((person) => person.role === 'patient' && person.state === 'held'),
    ),
    after: computed(() => {
      if (current.value !== undefined || last.value === undefined) return 'nothing';
      return lastRow.value === undefined || lastRow.value.phase === 'ended' ? 'ended' : 'left';
    }),
    sheet,
    invitation,
    said,
    show(next) {
      tasks.clear(visitKey);
      invitation.value = undefined;
      sheet.value = next;
    },
    hold,
    resume,
    toggleHold() {
      if (held.value) resume();
      else hold();
    },
    sendBack: (seat) => void act(personKey(seat), (id) => visit.staff.return(id, seat)),
    remove(person, text) {
      void act(personKey(person.seat), (id) => visit.staff.remove(id, person.seat)).then((done) => {
        if (done) said.value = text;
      });
    },
    lock: (on) => void act(visitKey, (id) => visit.staff.lock(id, on)),
    invite(role, name) {
      void act(visitKey, async (id) => {
        const { link } = await visit.staff.invite({ visit: id, role, name });
        invitation.value = { name, link };
      });
    },
    handOver: (to) => void act(visitKey, (id) => visit.staff.handOver(id, to)).then(close),
    leave: () => void act(visitKey, () => visit.leave()),
    end: (disposition) => void act(visitKey, (id) => visit.staff.end(id, disposition)).then(close),
  };
}
