/**
 * The line to the server: opens it, says hello, keeps it alive, and brings it back until a close code
 * says not to. It knows envelopes and close codes, not what the messages mean.
 */
import type { ClosedCode } from '../api';
import { VisitError } from '../errors';
import { Machine, type Table } from '../machine';
import type { Event, Hello, Ping, Pong, Reply, Type, Welcome } from '../wire.gen';
import { Backoff, type Urgency } from './backoff';
import { endingOf, refusalOf, type Ending } from './closing';
import { Connection } from './connection';
import { Heartbeat } from './heartbeat';
import type { Metronome } from './metronome';
import { Requests } from './requests';

/** From the first byte to welcome. */
const connectMS = 5000;
/** A line that held this long owes nothing for the tries before it. */
const settledMS = 5000;

export type LineState = 'idle' | 'opening' | 'greeting' | 'up' | 'probing' | 'waiting' | 'closed';
type LineEvent =
  'start' | 'opened' | 'welcomed' | 'woke' | 'heard' | 'lost' | 'barred' | 'retry' | 'stop';

const table: Table<LineState, LineEvent> = {
  idle: { start: 'opening' },
  opening: { opened: 'greeting', lost: 'waiting', barred: 'closed', stop: 'idle' },
  greeting: { welcomed: 'up', lost: 'waiting', barred: 'closed', stop: 'idle' },
  up: { woke: 'probing', lost: 'waiting', barred: 'closed', stop: 'idle' },
  probing: { heard: 'up', lost: 'waiting', barred: 'closed', stop: 'idle' },
  waiting: { retry: 'opening', woke: 'opening', start: 'opening', stop: 'idle' },
  closed: { start: 'opening', stop: 'idle' },
};

export interface LineHooks {
  /** what to say when the line opens; the citations change with every connection */
  hello(): Promise<Hello>;
  welcomed(welcome: Welcome, asked: number): void;
  event(event: Event): void;
  pong(pong: Pong, asked: number): void;
  /** the hello of this connection was refused because of its offer */
  offerRefused(): void;
  /** the server hands the waiting room over to another, which the next hello reaches; media goes on for a moment */
  handedOver(): void;
  changed(state: LineState): void;
}

export class Line {
  readonly #url: string;
  readonly #hooks: LineHooks;
  readonly #requests = new Requests();
  readonly #backoff = new Backoff();
  readonly #heartbeat: Heartbeat;
  readonly #machine: Machine<LineState, LineEvent>;
  #connection: Connection | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #helloId = 0;
  #helloAt = 0;
  #closed: ClosedCode | undefined;
  #over = false;
  #hurried = false;

  constructor(url: string, metronome: Metronome, hooks: LineHooks) {
    this.#url = url;
    this.#hooks = hooks;
    this.#heartbeat = new Heartbeat(metronome, {
      ping: (nextMs) => this.#ping(nextMs),
      slept: () => this.woke(),
      dead: () => this.#lost('at_once'),
    });
    this.#machine = new Machine(table, 'idle', (state) => this.#entered(state));
  }

  get state(): LineState {
    return this.#machine.state;
  }

  get closed(): ClosedCode | undefined {
    return this.#machine.state === 'closed' ? this.#closed : undefined;
  }

  start(): void {
    this.#backoff.reset();
    this.#machine.fire('start');
  }

  /** Lets the line go; the seat is kept. Commands without an answer stay for the next start. */
  stop(): void {
    this.#drop();
    this.#machine.fire('stop');
  }

  /** For good: whoever waits for an answer is told that none will come. */
  close(): void {
    this.stop();
    this.#over = true;
    this.#requests.giveUp();
  }

  /** The page came back, or its network: is the line still what it seems? */
  woke(): void {
    this.#backoff.reset();
    if (this.#machine.fire('woke') && this.#machine.state === 'probing') this.#heartbeat.probe();
  }

  /** Nobody looks at the page, and it has no media: the line is asked more slowly. */
  rest(resting: boolean): void {
    this.#heartbeat.rest(resting);
  }

  /** Somebody talks through the page: it comes back before those that wait. */
  hurry(hurried: boolean): void {
    this.#hurried = hurried;
  }

  /** The page came out of the back-forward cache, where sockets do not live. */
  reopen(): void {
    this.#backoff.reset();
    if (this.#machine.state !== 'waiting') this.#lost('at_once');
    this.#machine.fire('woke');
  }

  /** Rejects at once where nobody will ever answer. */
  ask(t: Type, d: object): Promise<unknown> {
    if (this.#over || this.#machine.state === 'closed') {
      return Promise.reject(new VisitError('closed', t));
    }
    return this.#requests.ask(t, d);
  }

  #entered(state: LineState): void {
    if (state === 'opening') this.#open();
    if (state === 'greeting') void this.#greet(this.#connection);
    this.#hooks.changed(state);
  }

  #open(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#lost('at_once'), connectMS);
    this.#connection = new Connection(this.#url, {
      opened: () => this.#machine.fire('opened'),
      reply: (reply) => this.#reply(reply),
      event: (event) => {
        this.#heard();
        this.#hooks.event(event);
      },
      ended: (code) => this.#end(endingOf(code)),
    });
  }

  async #greet(connection: Connection | undefined): Promise<void> {
    const hello = await this.#hooks.hello();
    if (connection !== this.#connection) return; // lost meanwhile, another one is greeted
    this.#helloId = this.#requests.nextId();
    this.#helloAt = performance.now();
    connection?.send({ t: 'hello', id: this.#helloId, d: hello });
  }

  #reply(reply: Reply): void {
    this.#heard();
    if (reply.re !== this.#helloId) {
      this.#requests.answered(reply);
      return;
    }
    if (reply.err) {
      if (reply.err.code === 'bad_offer') this.#hooks.offerRefused();
      this.#end(refusalOf(reply.err.code));
      return;
    }
    this.#welcomed(reply.d as Welcome);
  }

  #welcomed(welcome: Welcome): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#backoff.reset(), settledMS);
    const connection = this.#connection;
    // Before anybody hears of it, and asks for more.
    this.#requests.up((request) => connection?.send(request));
    this.#heartbeat.start(welcome.pingMs);
    this.#hooks.welcomed(welcome, this.#helloAt);
    this.#machine.fire('welcomed');
  }

  #ping(nextMs?: number): void {
    const asked = performance.now();
    const pace: Ping = nextMs === undefined ? {} : { nextMs };
    this.#requests.ask('ping', pace).then(
      (pong) => this.#ponged(pong as Pong, asked),
      () => undefined, // the heartbeat tells a dead line, not this ping
    );
  }

  #ponged(pong: Pong, asked: number): void {
    if (pong.nextMs) this.#heartbeat.shift(pong.nextMs);
    this.#hooks.pong(pong, asked);
  }

  #heard(): void {
    this.#heartbeat.heard();
    this.#machine.fire('heard');
  }

  #end(ending: Ending): void {
    if ('comeBack' in ending) {
      if (ending.mediaGoesOn) this.#hooks.handedOver();
      this.#lost(ending.comeBack);
      return;
    }
    this.#drop();
    this.#closed = ending.closed;
    this.#machine.fire('barred');
    this.#requests.giveUp();
  }

  #lost(urgency: Urgency): void {
    if (this.#machine.state === 'idle' || this.#machine.state === 'closed') return;
    this.#drop();
    const wait = this.#backoff.next(urgency === 'at_once' && this.#hurried ? 'now' : urgency);
    this.#timer = setTimeout(() => this.#machine.fire('retry'), wait);
    this.#machine.fire('lost');
  }

  #drop(): void {
    clearTimeout(this.#timer);
    this.#heartbeat.stop();
    this.#connection?.close();
    this.#connection = undefined;
    this.#requests.down();
  }
}
