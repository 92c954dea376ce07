/** A WebSocket whose other end is the test. */
import type { Hello, Reply, Request } from '../wire.gen';

export class FakeSocket extends EventTarget {
  static readonly OPEN = 1;
  static all: FakeSocket[] = [];
  readyState = 0;
  readonly sent: Request[] = [];
  readonly url: string;
  readonly protocol: string;

  constructor(url: string, protocol: string) {
    super();
    this.url = url;
    this.protocol = protocol;
    FakeSocket.all.push(this);
  }

  static get last(): FakeSocket {
    const socket = FakeSocket.all.at(-1);
    if (!socket) throw new Error('no socket was opened');
    return socket;
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text) as Request);
  }

  close(): void {
    this.readyState = 3;
  }

  /** The newest request of a type. */
  asked(t: Request['t']): Request {
    const request = this.sent.findLast((sent) => sent.t === t);
    if (!request) throw new Error(`nobody asked ${t}`);
    return request;
  }

  get hello(): Hello {
    return this.asked('hello').d as Hello;
  }

  opens(): void {
    this.readyState = FakeSocket.OPEN;
    this.dispatchEvent(new Event('open'));
  }

  says(message: object): void {
    this.dispatchEvent(new MessageEvent('message', { data: JSON.stringify(message) }));
  }

  answers(t: Request['t'], reply: Omit<Reply, 're'>): void {
    this.says({ re: this.asked(t).id, ...reply });
  }

  /** As the network or the server ends it. */
  ends(code = 1006): void {
    this.readyState = 3;
    this.dispatchEvent(Object.assign(new Event('close'), { code }));
  }
}

/** Lets promises that are due settle. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}
