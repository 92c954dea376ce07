/** A visit without a server, for the tests of the view models. */
import {
  VisitError,
  type ErrorCode,
  type RoomInfo,
  type Row,
  type View,
  type Visit,
} from '../../client/index';
import type { Surroundings } from './office';

export const someone: Row = {
  seat: 'maria',
  visit: 'visit-1',
  role: 'patient',
  name: 'Maria Lopez',
  state: 'waiting',
  phase: 'waiting',
  rank: 1,
  arrivedAt: 1,
  waitingSince: 1,
  scheduledAt: 0,
  endedAt: 0,
  lengthMin: 0,
  interpreter: false,
  link: 'connected',
  ready: true,
  media: { audio: 'on', video: 'on' },
  with: [],
  locked: false,
};

const idle: View = {
  epoch: 1,
  version: 1,
  clinic: { name: 'Hill Clinic', phone: '' },
  room: { id: 'room', name: 'Oncology' },
  me: { seat: '', staff: 'osei', role: 'clinician', name: 'Dr Osei', state: 'expected', held: 0 },
  visit: null,
  people: [],
  slots: [],
  paused: false,
  connect: true,
  arm: false,
  send: false,
  colleagues: [],
};

/** The own view with the clinician in a visit. */
export function inVisit(id: string, phase: 'active' | 'held' = 'active'): View {
  return {
    ...idle,
    me: { ...idle.me, seat: 'mine', state: 'admitted' },
    visit: { id, phase, scheduledAt: 0, startedAt: 1, with: ['Dr Osei'], locked: false },
  };
}

/** A page's surroundings that do nothing. */
export function quiet(change: Partial<Surroundings> = {}): Surroundings {
  return {
    place: 'desktop',
    store: { getItem: () => null, setItem: () => undefined },
    wouldPrompt: () => Promise.resolve(true),
    opened: () => undefined,
    loadWorkplaces: () => [],
    pathTo: (room) => `/staff/osei?room=${room}`,
    everySecond: () => undefined,
    reload: () => undefined,
    ...change,
  };
}

type Said = Pick<Visit, 'list' | 'view' | 'messages' | 'participants'>;

export class FakeVisit {
  list: Said['list'] = new Map();
  view: Said['view'] = idle;
  messages: Said['messages'] = [];
  participants: Said['participants'] = [];
  chat = { pending: [], send: () => Promise.resolve(1) };
  /** every request as it was made: 'admit visit-1 maria' */
  readonly asked: string[] = [];
  /** what the next requests of a type are refused with */
  readonly refuse = new Map<string, ErrorCode>();
  /** and after how many seconds they may work */
  after: number | undefined;
  readonly chimes: string[] = [];
  /** the clinic's other waiting rooms */
  otherRooms: readonly RoomInfo[] = [];
  handle: Visit['handle'] = 'osei';
  joined: Visit['joined'];
  awake = false;
  readonly #subscribers = new Set<() => void>();
  readonly #listeners = new Map<string, ((detail: unknown) => void)[]>();

  readonly staff = new Proxy(
    {},
    {
      get:
        (_, type: string) =>
        (...args: unknown[]) => {
          if (type === 'rooms') return Promise.resolve(this.otherRooms); // as the page comes up
          this.asked.push([type, ...args.filter((arg) => arg !== undefined).map(String)].join(' '));
          const code = this.refuse.get(type);
          if (code !== undefined)
            return Promise.reject(new VisitError(code, 'refused', { after: this.after }));
          return Promise.resolve({ seat: 'guest', link: 'https://clinic.test/join#token' });
        },
    },
  );

  /** For what takes the whole interface and uses the part that is here. */
  get visit(): Visit {
    return this as unknown as Visit;
  }

  set(change: Partial<Said>): void {
    Object.assign(this, change);
    for (const fn of this.#subscribers) fn();
  }

  rows(...rows: readonly Row[]): void {
    this.set({ list: new Map(rows.map((row) => [row.seat, row])) });
  }

  subscribe(fn: () => void): () => void {
    this.#subscribers.add(fn);
    return () => this.#subscribers.delete(fn);
  }

  on(event: string, fn: (detail: unknown) => void): void {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), fn]);
  }

  emit(event: string, detail: unknown): void {
    for (const fn of this.#listeners.get(event) ?? []) fn(detail);
  }

  now(): number {
    return 1_000_000;
  }

  keepAwake(on: boolean): void {
    this.awake = on;
  }

  chime(kind: string): void {
    this.chimes.push(kind);
  }

  leave(): Promise<void> {
    this.asked.push('leave');
    return Promise.resolve();
  }
}
