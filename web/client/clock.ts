/**
 * The server's clock, estimated from its answers (RFC 5905, section 8, in small), and carried on by the
 * clock of ours that nobody sets.
 */
const freshMS = 60_000;

export class Clock {
  #offset = Date.now() - performance.now();
  #roundTrip = Number.POSITIVE_INFINITY;
  #at = Number.NEGATIVE_INFINITY;

  /** An answer that says `now` to a question asked at `asked` (ms of `performance.now()`). */
  heard(now: number, asked: number): void {
    const at = performance.now();
    const roundTrip = at - asked;
    const offset = now - (asked + at) / 2;
    // Each is wrong by half its round trip at most: where that does not explain it, the server's clock
    // was set, or ours stood still while the machine slept.
    const moved = Math.abs(offset - this.#offset) > (roundTrip + this.#roundTrip) / 2;
    if (!moved && roundTrip > this.#roundTrip && at - this.#at < freshMS) return;
    this.#roundTrip = roundTrip;
    this.#at = at;
    this.#offset = offset;
  }

  now(): number {
    return Math.round(performance.now() + this.#offset);
  }
}
