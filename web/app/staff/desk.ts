/** The waiting room as signals and actions: rows, identity card, admission. */
import { computed, effect, signal, type ReadonlySignal } from '@preact/signals';
import type { RoomInfo, Row } from '../../client/index';
import type { Live } from '../state/live';
import { movesOf, type Move } from '../state/queue';
import {
  freshest,
  groupRows,
  steady,
  waitingOf,
  type Groups,
  type Places,
  type Waiting,
} from '../state/rows';
import type { Tasks } from '../state/tasks';
import { names } from '../words/people';
import { refusal } from '../words/staff';

export interface Desk {
  readonly groups: ReadonlySignal<Groups>;
  /** those who wait, in an order that is steady while somebody points at it */
  readonly ready: ReadonlySignal<readonly Row[]>;
  readonly waiting: ReadonlySignal<Waiting>;
  readonly next: ReadonlySignal<Row | undefined>;
  /** the seat whose identity card is open */
  readonly card: ReadonlySignal<string | undefined>;
  readonly cardRow: ReadonlySignal<Row | undefined>;
  /** the patient who has to be put on hold before this row can be admitted */
  holdsFirst: (row: Row) => string | undefined;
  alsoWaiting: (row: Row) => readonly Row[];
  open: (row: Row) => void;
  close: () => void;
  confirm: (row: Row) => Promise<void>;
  /** to a visit that is on hold, or to a colleague's; the own one goes on hold first */
  goTo: (row: Row) => Promise<void>;
  noShow: (row: Row) => Promise<void>;
  movesOf: (row: Row) => readonly Move[];
  /** the clinic's other waiting rooms; none until they are known */
  readonly otherRooms: ReadonlySignal<readonly RoomInfo[]>;
  /** what waits for a reason before it is done */
  readonly question: ReadonlySignal<Question | undefined>;
  ask: (question: Question) => void;
  /** done, or given up without a reason; of a transfer also where to */
  answer: (reason: string, room?: string) => Promise<void>;
  giveUp: () => void;
  point: (on: boolean) => void;
  /** puts a message of a row aside */
  dismiss: (row: Row) => void;
}

export type Question = { row: Row } & (
  { kind: 'move'; move: Move } | { kind: 'cancel' } | { kind: 'transfer' }
);

export const rowKey = (seat: string): string => `row ${seat}`;

export function createDesk({ visit, read }: Live, tasks: Tasks): Desk {
  const card = signal<string | undefined>(undefined);
  const question = signal<Question | undefined>(undefined);
  const pointing = signal(false);
  const rows = read(({ list, view }) => [...list.values()].map((row) => freshest(row, view)));
  const mine = read(({ view }) => ({ name: view?.me.name ?? '', visit: view?.visit?.id }));

  const lost = signal<ReadonlySet<string>>(new Set());
  /** This seat is no longer for us to admit; its row says why until that is put aside. */
  const markLost = (seat: string, on: boolean) => {
    const rest = [...lost.peek()].filter((other) => other !== seat);
    lost.value = new Set(on ? [...rest, seat] : rest);
  };
  const isLost = (row: Row) =>
    lost.value.has(row.seat) && row.state !== 'waiting' && row.visit !== mine.value.visit;

  let places: Places = new Map();
  /** A visit that was moved from here, and its rank before. */
  let moved: Pick<Row, 'visit' | 'rank'> | undefined;
  const hasMoved = ({ visit: id, rank }: Row) => moved?.visit === id && moved.rank !== rank;
  const shown = computed(() => {
    const groups = groupRows(
      rows.value.filter((row) => !isLost(row)),
      mine.value,
    );
    const gone = rows.value.filter(isLost);
    const all = [...groups.ready, ...gone];
    // Who moves somebody wants to see it, wherever they point.
    if (all.some(hasMoved)) {
      moved = undefined;
      places = new Map();
    }
    const ready = pointing.value || gone.length > 0 ? steady(places, all) : all;
    places = new Map([...places, ...ready.map((row, index) => [row.seat, index] as const)]);
    return { groups, ready };
  });

  const rowOf = (seat: string | undefined) => rows.value.find((row) => row.seat === seat);
  const prepare = (row: Row, on: boolean) => {
    // Only a head start for the media; if it is refused the admission says why.
    visit.staff.prepare(row.visit, row.seat, on).catch(() => undefined);
  };

  // The person stopped waiting while the card was open: say in the row why, unless it was us.
  effect(() => {
    const seat = card.value;
    const row = rowOf(seat);
    if (seat === undefined || row?.state === 'waiting') return;
    card.value = undefined;
    if (row === undefined || row.visit === mine.value.visit) return;
    const taken = row.state === 'admitted' || row.state === 'held';
    const code = taken ? 'already_admitted' : 'not_waiting';
    tasks.note(rowKey(seat), refusal(code, names(row.with) || undefined));
    markLost(seat, true);
  });

  const otherRooms = signal<readonly RoomInfo[] | undefined>(undefined);
  const here = read(({ view }) => view?.room.id);
  const loadRooms = () => {
    visit.staff.rooms().then(
      (rooms) => (otherRooms.value = rooms),
      () => undefined, // what is known stays
    );
  };
  effect(() => {
    if (here.value !== undefined && otherRooms.peek() === undefined) loadRooms();
  });

  /** The own visit, if it is another one and under way. */
  const other = (row: Row) => {
    const own = visit.view?.visit;
    return own && own.id !== row.visit && own.phase === 'active' ? own.id : undefined;
  };
  const patientOf = (id: string) =>
    rows.value.find((row) => row.visit === id && row.role === 'patient');

  async function holdOwn(row: Row): Promise<void> {
    const own = other(row);
    if (own !== undefined) await visit.staff.hold(own);
  }

  return {
    groups: computed(() => shown.value.groups),
    ready: computed(() => shown.value.ready),
    waiting: computed(() => waitingOf(shown.value.groups.ready)),
    next: computed(() => shown.value.groups.ready.find((row) => row.moving !== true)),
    card,
    cardRow: computed(() => rowOf(card.value)),
    holdsFirst(row) {
      const own = other(row);
      return own === undefined ? undefined : patientOf(own)?.name;
    },
    alsoWaiting: (row) =>
      shown.value.groups.ready.filter((one) => one.visit === row.visit && one.seat !== row.seat),
    open(row) {
      tasks.clear(rowKey(row.seat));
      markLost(row.seat, false);
      card.value = row.seat;
      prepare(row, true);
    },
    close() {
      const row = rowOf(card.value);
      card.value = undefined;
      if (row !== undefined) prepare(row, false);
    },
    async confirm(row) {
      const done = await tasks.run(rowKey(row.seat), async () => {
        await holdOwn(row);
        await visit.staff.admit(row.visit, row.seat);
      });
      markLost(row.seat, !done);
    },
    async goTo(row) {
      await tasks.run(rowKey(row.seat), async () => {
        await holdOwn(row);
        await visit.staff.join(row.visit);
        if (row.state === 'held') await visit.staff.resume(row.visit);
      });
    },
    async noShow(row) {
      await tasks.run(rowKey(row.seat), () => visit.staff.noShow(row.visit));
    },
    movesOf: (row) => movesOf(shown.value.groups.ready, row),
    otherRooms: computed(() => otherRooms.value ?? []),
    question,
    ask(next) {
      tasks.clear(rowKey(next.row.seat));
      question.value = next;
      if (next.kind === 'transfer') loadRooms();
    },
    async answer(reason, room) {
      const asked = question.value;
      if (asked === undefined) return;
      const { row } = asked;
      const done = await tasks.run(rowKey(row.seat), () => {
        if (asked.kind === 'cancel') return visit.staff.cancel(row.visit, reason || undefined);
        if (asked.kind === 'transfer')
          return visit.staff.transfer(row.visit, room ?? '', reason || undefined);
        moved = row;
        return visit.staff.move(row.visit, asked.move.before, reason);
      });
      if (done) question.value = undefined;
    },
    giveUp() {
      if (question.value !== undefined) tasks.clear(rowKey(question.value.row.seat));
      question.value = undefined;
    },
    point(on) {
      pointing.value = on;
    },
    dismiss(row) {
      tasks.clear(rowKey(row.seat));
      markLost(row.seat, false);
    },
  };
}
