/** What the person says, until the server has it. */
import type { ChatBox, PendingMessage } from './api';
import type { Chat, Said } from './wire.gen';

export type Ask = (t: 'chat', d: Chat) => Promise<unknown>;

export class ChatSender implements ChatBox {
  readonly #ask: Ask;
  readonly #changed: () => void;
  #pending: readonly PendingMessage[] = [];
  #lastId = 0;

  constructor(ask: Ask, changed: () => void) {
    this.#ask = ask;
    this.#changed = changed;
  }

  get pending(): readonly PendingMessage[] {
    return this.#pending;
  }

  async send(text: string, to: { visit?: string; thread?: string } = {}): Promise<number> {
    const chat: Chat = { ...to, text };
    this.#lastId += 1;
    const id = this.#lastId;
    this.#set([...this.#pending, { ...chat, id }]);
    try {
      const said = (await this.#ask('chat', chat)) as Said;
      return said.n;
    } finally {
      this.#set(this.#pending.filter((message) => message.id !== id));
    }
  }

  #set(pending: readonly PendingMessage[]): void {
    this.#pending = pending;
    this.#changed();
  }
}
