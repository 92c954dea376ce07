/**
 * Requests and their answers. A command has an id for ever: unanswered when the line broke, it is
 * sent again on the next one with the same id, and the server applies it once.
 */
import { VisitError } from '../errors';
import type { Reply, Request, Type } from '../wire.gen';
import { MaxUnanswered } from '../wire.gen';

const retryMS = 1000;

/** Requests that change the visit; the others make no sense on a later connection. */
const commands: ReadonlySet<Type> = new Set<Type>([
  'check_in',
  'leave',
  'chat',
  'admit',
  'join',
  'hold',
  'resume',
  'return',
  'remove',
  'hand_over',
  'invite',
  'lock',
  'move',
  'transfer',
  'end',
  'no_show',
  'cancel',
]);

interface Waiting {
  readonly request: Request;
  readonly resolve: (data: unknown) => void;
  readonly reject: (error: VisitError) => void;
  retry?: ReturnType<typeof setTimeout>;
}

export class Requests {
  readonly #waiting = new Map<number, Waiting>();
  #send: ((request: Request) => void) | undefined;
  #lastId = 0;

  get lastId(): number {
    return this.#lastId;
  }

  nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  /** The promise of a command stays open over any number of connections. */
  ask(t: Type, d: object): Promise<unknown> {
    if (!this.#send && !commands.has(t)) {
      return Promise.reject(new VisitError('offline', t, { retry: true }));
    }
    if (this.#waiting.size >= MaxUnanswered) {
      return Promise.reject(new VisitError('too_many', t, { retry: true }));
    }
    const request: Request = { t, id: this.nextId(), d };
    return new Promise((resolve, reject) => {
      this.#waiting.set(request.id, { request, resolve, reject });
      this.#send?.(request);
    });
  }

  answered({ re, d, err }: Reply): void {
    const waiting = this.#waiting.get(re);
    if (!waiting) return;
    if (err?.retry && commands.has(waiting.request.t)) {
      clearTimeout(waiting.retry);
      waiting.retry = setTimeout(() => this.#send?.(waiting.request), retryMS);
      return;
    }
    this.#forget(re, waiting);
    if (err) waiting.reject(new VisitError(err.code, err.msg, err));
    else waiting.resolve(d);
  }

  /** Welcomed: everything unanswered goes out again, oldest first. */
  up(send: (request: Request) => void): void {
    this.#send = send;
    for (const { request, retry } of this.#waiting.values()) {
      clearTimeout(retry);
      send(request);
    }
  }

  down(): void {
    this.#send = undefined;
    for (const [id, waiting] of this.#waiting) {
      clearTimeout(waiting.retry);
      if (commands.has(waiting.request.t)) continue;
      this.#forget(id, waiting);
      waiting.reject(new VisitError('offline', waiting.request.t, { retry: true }));
    }
  }

  /** The line is closed for good: nothing will be answered any more. */
  giveUp(): void {
    this.#send = undefined;
    for (const [id, waiting] of this.#waiting) {
      this.#forget(id, waiting);
      waiting.reject(new VisitError('closed', waiting.request.t));
    }
  }

  #forget(id: number, waiting: Waiting): void {
    clearTimeout(waiting.retry);
    this.#waiting.delete(id);
  }
}
