/** The server's clock, estimated from the answer that came back fastest lately (RFC 5905, section 8, in small). */
const freshMS = 60_000;

export class Clock {
  #offset = 0;
  #roundTrip = Number.POSITIVE_INFINITY;
  #at = Number.NEGATIVE_INFINITY;

  /** An answer that says `now` to a question asked at `asked` (ms of our clock). */
  heard(now: number, asked: number): void {
    const at = Date.now();
    const roundTrip = Math.max(0, at - asked);
    if (roundTrip > this.#roundTrip && at - this.#at < freshMS) return;
    this.#roundTrip = roundTrip;
    this.#at = at;
    this.#offset = now - (asked + roundTrip / 2);
  }

  now(): number {
    return Math.round(Date.now() + this.#offset);
  }
}
