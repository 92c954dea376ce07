/** Chat messages by visit and number: one that comes twice is one. */
import type { Message } from './wire.gen';

export class Messages {
  readonly #byVisit = new Map<string, Map<number, Message>>();
  #all: readonly Message[] = [];

  /** By visit, then by number. */
  get all(): readonly Message[] {
    return this.#all;
  }

  /** What hello cites: the newest number of each visit. */
  get seen(): Record<string, number> {
    return Object.fromEntries(
      [...this.#byVisit].map(([visit, messages]) => [visit, Math.max(...messages.keys())]),
    );
  }

  /** Takes messages in; returns those that are new. */
  merge(messages: readonly Message[]): readonly Message[] {
    const fresh = messages.filter((message) => this.#add(message));
    if (fresh.length > 0) {
      this.#all = [...this.#byVisit.values()].flatMap((visit) =>
        [...visit.values()].sort((a, b) => a.n - b.n),
      );
    }
    return fresh;
  }

  /** Lets go of what was written in visits that are gone. */
  forget(visits: Iterable<string>): void {
    for (const visit of visits)
      if (this.#byVisit.delete(visit))
        this.#all = this.#all.filter((message) => message.visit !== visit);
  }

  #add(message: Message): boolean {
    const visit = this.#byVisit.get(message.visit) ?? new Map<number, Message>();
    if (visit.has(message.n)) return false;
    this.#byVisit.set(message.visit, visit.set(message.n, message));
    return true;
  }
}
