/**
 * Is the other end still there? A socket looks open long after its network has gone, so we ask at a
 * steady pace, and give the line up when nothing at all comes for 1.8 s after we asked. A page that nobody
 * looks at asks more slowly, and says so, or the server would take it for dead.
 */
import { MaxPingMS, PongTimeoutMS } from '../wire.gen';
import type { Metronome } from './metronome';

/** Of a page that rests; under the bound by what a timer of a hidden page may be late. */
const restingMS = MaxPingMS - 5000;
/** A tick later than this was no tick but a machine that slept. */
const jumpMS = 5000;

export interface HeartbeatHooks {
  /** asks; the next time will be within `nextMS`, or at the usual pace */
  ping(nextMS?: number): void;
  /** the machine slept, so that nothing is sure any more */
  slept(): void;
  /** nothing was heard for too long */
  dead(): void;
}

export class Heartbeat {
  readonly #hooks: HeartbeatHooks;
  readonly #metronome: Metronome;
  #stopTicking: (() => void) | undefined;
  #deadline: ReturnType<typeof setTimeout> | undefined;
  /** in a clock that nobody sets */
  #askedAt = 0;
  /** in the clock that goes on while the machine sleeps */
  #tickAt = 0;
  #usualMS = 0;
  #resting = false;

  constructor(metronome: Metronome, hooks: HeartbeatHooks) {
    this.#metronome = metronome;
    this.#hooks = hooks;
  }

  start(usualMS: number): void {
    this.stop();
    this.#usualMS = usualMS;
    this.#beat();
    if (this.#resting) this.#ask();
  }

  /** Whether the page needs to know soon that its line is dead. */
  rest(resting: boolean): void {
    if (resting === this.#resting) return;
    this.#resting = resting;
    if (!this.#stopTicking) return;
    this.#beat();
    this.#ask(); // the server has to know the new pace at once
  }

  /** The server wants to be asked then, and from then on at the pace as before. */
  shift(nextMS: number): void {
    if (this.#stopTicking && !this.#resting) this.#beat(Math.min(nextMS, this.#usualMS));
  }

  heard(): void {
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
  }

  /** Asks now, unless an answer is awaited already. */
  probe(): void {
    if (this.#deadline === undefined) this.#ask();
  }

  stop(): void {
    this.#stopTicking?.();
    this.#stopTicking = undefined;
    this.heard();
  }

  #ask(): void {
    if (this.#deadline === undefined) {
      this.#askedAt = performance.now();
      this.#deadline = setTimeout(() => this.#hooks.dead(), PongTimeoutMS);
    }
    if (this.#resting) this.#hooks.ping(restingMS);
    else this.#hooks.ping();
  }

  /** Ticks at a steady pace, after a first time that may be another. */
  #beat(firstMS?: number): void {
    this.#stopTicking?.();
    const everyMS = firstMS ?? (this.#resting ? restingMS : this.#usualMS);
    this.#tickAt = Date.now();
    this.#stopTicking = this.#metronome.every(everyMS, () => {
      const late = Date.now() - this.#tickAt - everyMS;
      if (firstMS === undefined) this.#tickAt = Date.now();
      else this.#beat();
      this.#tick(late);
    });
  }

  #tick(late: number): void {
    if (late > jumpMS) this.#hooks.slept();
    else if (this.#deadline === undefined) this.#ask();
    // The timer of a hidden page may not have run in time.
    else if (performance.now() - this.#askedAt >= PongTimeoutMS) this.#hooks.dead();
  }
}
