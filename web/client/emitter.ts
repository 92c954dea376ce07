/** Typed events, and one batched notification for all changes of a turn of the event loop. */
export class Emitter<M extends object> {
  readonly #listeners = new Map<keyof M, Set<(detail: never) => void>>();

  on<E extends keyof M>(event: E, fn: (detail: M[E]) => void): () => void {
    const set = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, set);
    // A wrapper, so that the same function may listen twice.
    const entry = (detail: M[E]): void => fn(detail);
    set.add(entry);
    return () => set.delete(entry);
  }

  emit<E extends keyof M>(event: E, detail: M[E]): void {
    // The map pairs each event with listeners of its own detail; Map cannot say so.
    const set = this.#listeners.get(event) as Set<(detail: M[E]) => void> | undefined;
    for (const fn of [...(set ?? [])]) shielded(() => fn(detail));
  }

  clear(): void {
    this.#listeners.clear();
  }

  get size(): number {
    return [...this.#listeners.values()].reduce((sum, set) => sum + set.size, 0);
  }
}

/** Calls its subscribers once, in a microtask, however often it was touched before. */
export class Batch {
  readonly #subscribers = new Set<() => void>();
  #scheduled = false;

  subscribe(fn: () => void): () => void {
    const entry = (): void => fn();
    this.#subscribers.add(entry);
    return () => this.#subscribers.delete(entry);
  }

  touch(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      for (const fn of [...this.#subscribers]) shielded(fn);
    });
  }

  clear(): void {
    this.#subscribers.clear();
  }

  get size(): number {
    return this.#subscribers.size;
  }
}

/** A listener that throws is the page's fault: report it there, and go on here. */
function shielded(fn: () => void): void {
  try {
    fn();
  } catch (error) {
    reportError(error);
  }
}
