/**
 * The peer of a server that has handed the waiting room over in good order: it goes on, both ways, until the
 * next one brings what it brings, so that nobody misses a word.
 */
import type { Slot, View } from '../wire.gen';
import type { Peer } from './peer';

/** The server keeps it no longer. */
const longestMS = 3000;
/** From the first packets to sound and picture that can be shown. */
const settlingMS = 300;

export class Former {
  readonly peer: Peer;
  readonly generation: number;
  readonly slots: readonly Slot[];
  readonly #sending: boolean;
  readonly #over: (whole: boolean) => void;
  #timer: ReturnType<typeof setTimeout>;
  #settling = false;

  /** `over` says whether the next peer brings all that this one did */
  constructor(peer: Peer, generation: number, view: View, over: (whole: boolean) => void) {
    this.peer = peer;
    this.generation = generation;
    this.slots = view.slots;
    this.#sending = view.send;
    this.#over = over;
    this.#timer = setTimeout(() => over(false), longestMS);
  }

  /** False when people are parted who meet here. */
  suits(view: View): boolean {
    if (this.#sending && !view.send) return false;
    const admitted = new Set(
      view.people.filter(({ state }) => state === 'admitted').map(({ seat }) => seat),
    );
    return this.slots.every(({ seat }) => seat === '' || admitted.has(seat));
  }

  /** Call it whenever something comes through the next peer: over when that has everybody. */
  compare(next: Peer, { slots }: View): void {
    const here = this.slots.filter((slot, i) => slot.seat !== '' && this.peer.flows(i));
    const there = (seat: string): boolean => next.flows(slots.findIndex((s) => s.seat === seat));
    if (this.#settling || next.state !== 'connected' || !here.every(({ seat }) => there(seat)))
      return;
    this.#settling = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#over(true), settlingMS);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.peer.close();
  }
}
