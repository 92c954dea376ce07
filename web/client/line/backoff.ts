/** How long to wait before the next try. There is no last one. */
const firstMS = 500;
const mostMS = 15_000;
const jitterMS = { now: 50, at_once: 250 };

/** `now`: two people are not seeing each other; they are few beside all who wait */
export type Urgency = 'now' | 'at_once' | 'later';

export class Backoff {
  readonly #random: () => number;
  #tries = 0;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** The first try comes at once, with enough jitter that a clinic does not come back in one instant. */
  next(urgency: Urgency): number {
    const tries = urgency === 'later' ? Math.max(this.#tries, 3) : this.#tries;
    this.#tries = tries + 1;
    if (tries === 0) return this.#random() * jitterMS[urgency === 'now' ? 'now' : 'at_once'];
    const ceiling = Math.min(mostMS, firstMS * 2 ** (tries - 1));
    return ceiling * (0.5 + this.#random() / 2);
  }

  /** It worked, or the person came back to the page: no debt from before. */
  reset(): void {
    this.#tries = 0;
  }
}
