/** One WebSocket's life. It ends once, and when we end it ourselves nothing more is heard of it. */
import type { Event, Reply, Request } from '../wire.gen';

const subprotocol = 'anteroom.v1';

export interface ConnectionHooks {
  opened(): void;
  reply(message: Reply): void;
  event(message: Event): void;
  /** a close code of RFC 6455, 1006 where none came */
  ended(code: number): void;
}

export class Connection {
  readonly #socket: WebSocket;
  readonly #detached = new AbortController();

  constructor(url: string, hooks: ConnectionHooks) {
    this.#socket = new WebSocket(url, subprotocol);
    const listening = { signal: this.#detached.signal };
    this.#socket.addEventListener('open', () => hooks.opened(), listening);
    this.#socket.addEventListener('message', ({ data }) => dispatch(data, hooks), listening);
    this.#socket.addEventListener(
      'close',
      ({ code }) => {
        this.#detached.abort();
        hooks.ended(code);
      },
      listening,
    );
  }

  send(request: Request): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(request));
  }

  /** Does not wait for the other end, which may be unreachable. */
  close(): void {
    this.#detached.abort();
    this.#socket.close();
  }
}

function dispatch(data: unknown, hooks: ConnectionHooks): void {
  if (typeof data !== 'string') return;
  // The server is the one this page came from; its messages are generated from the types.
  const message = JSON.parse(data) as Reply | Event;
  if ('re' in message) hooks.reply(message);
  else hooks.event(message);
}
