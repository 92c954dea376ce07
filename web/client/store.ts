/** What the server has said, as it stands: view, rows, messages and its clock; and who is told of news. */
import type { VisitEvents } from './api';
import { Clock } from './clock';
import { RowList } from './list';
import { Messages } from './messages';
import type {
  Event,
  Hello,
  List,
  Message,
  Messages as MessageBatch,
  Row,
  View,
  Welcome,
} from './wire.gen';

export interface StoreHooks {
  emit: <E extends keyof VisitEvents>(event: E, detail: VisitEvents[E]) => void;
  /** a patient's or guest's visit is over, or their seat is given up */
  over: () => void;
}

export class Store {
  readonly clock = new Clock();
  readonly #hooks: StoreHooks;
  readonly #rows = new RowList();
  readonly #messages = new Messages();
  #view: View | undefined;

  constructor(hooks: StoreHooks) {
    this.#hooks = hooks;
  }

  get view(): View | undefined {
    return this.#view;
  }

  get rows(): ReadonlyMap<string, Row> {
    return this.#rows.rows;
  }

  get messages(): readonly Message[] {
    return this.#messages.all;
  }

  /** What was seen, so that only the rest is sent. */
  get citation(): Pick<Hello, 'messages' | 'list' | 'seen'> {
    const list = this.#rows.version;
    const { epoch = 0, visit } = this.#view ?? {};
    return {
      messages: this.#messages.seen,
      ...(list !== undefined && { list }),
      ...(visit?.version && { seen: { epoch, visit: visit.id, version: visit.version } }),
    };
  }

  welcomed(welcome: Welcome, asked: number): void {
    this.clock.heard(welcome.now, asked);
    this.#takeView(welcome.view);
    if (welcome.list) this.#takeList(welcome.list);
    this.#takeMessages(welcome.messages);
  }

  /** By type; an event that this version does not know is not for it. */
  heard({ t, d }: Event): void {
    // What a type carries is fixed by the generated wire types.
    switch (t) {
      case 'view':
        this.#takeView(d as View);
        return;
      case 'list':
        this.#takeList(d as List);
        return;
      case 'messages':
        this.#takeMessages((d as MessageBatch).messages);
        return;
      default:
    }
  }

  #takeView(view: View): void {
    const before = this.#view;
    this.#view = view;
    // Of a visit that goes on in another waiting room the chat comes anew.
    if (view.me.staff === '' && before?.visit && before.visit.id !== view.visit?.id)
      this.#messages.forget([before.visit.id]);
    if (before && !isOver(before) && isOver(view) && view.me.staff === '') this.#hooks.over();
    this.#hooks.emit('viewChanged', view);
    if (before && !wasIn(before) && view.me.state === 'admitted')
      this.#hooks.emit('admitted', view);
  }

  #takeList(list: List): void {
    const before = this.#rows.rows;
    const arrived = this.#rows.merge(list);
    if (list.whole || list.removed.length > 0) {
      const there = visitsOf(this.#rows.rows);
      this.#messages.forget([...visitsOf(before)].filter((visit) => !there.has(visit)));
    }
    this.#hooks.emit('listChanged', this.#rows.rows);
    for (const row of arrived) this.#hooks.emit('arrived', row);
  }

  #takeMessages(messages: readonly Message[]): void {
    for (const message of this.#messages.merge(messages))
      this.#hooks.emit('messageReceived', message);
  }
}

function visitsOf(rows: ReadonlyMap<string, Row>): ReadonlySet<string> {
  return new Set([...rows.values()].map(({ visit }) => visit));
}

function isOver({ me, visit }: View): boolean {
  const phase = visit?.phase;
  const ended = phase === 'ended' || phase === 'cancelled' || phase === 'noshow';
  return ended || me.state === 'left' || me.state === 'removed';
}

function wasIn({ me }: View): boolean {
  return me.state === 'admitted' || me.state === 'held';
}
