/** State machines as tables: an event that the table does not name in a state does nothing there. */
export type Table<S extends string, E extends string> = Readonly<
  Record<S, Readonly<Partial<Record<E, S>>>>
>;

export class Machine<S extends string, E extends string> {
  readonly #table: Table<S, E>;
  readonly #entered: (state: S, from: S) => void;
  #state: S;

  constructor(table: Table<S, E>, initial: S, entered: (state: S, from: S) => void) {
    this.#table = table;
    this.#state = initial;
    this.#entered = entered;
  }

  get state(): S {
    return this.#state;
  }

  /** Follows an event; false where the state has no answer to it. */
  fire(event: E): boolean {
    const from = this.#state;
    const to = this.#table[from][event];
    if (to === undefined) return false;
    this.#state = to;
    this.#entered(to, from);
    return true;
  }
}
