/**
 * Is the other end still there? A socket looks open long after its network has gone, so we ask at a
 * steady pace, and with a shorter patience when the page comes back from the background.
 */
import { PingTimeoutMS } from '../wire.gen';
import type { Metronome } from './metronome';

const probeMS = 2000;
/** A tick later than this was no tick but a machine that slept. */
const jumpMS = 5000;

export interface HeartbeatHooks {
  ping(): void;
  /** the machine slept, so that nothing is sure any more */
  slept(): void;
  /** nothing was heard for too long */
  dead(): void;
}

export class Heartbeat {
  readonly #hooks: HeartbeatHooks;
  readonly #metronome: Metronome;
  #stopTicking: (() => void) | undefined;
  #probe: ReturnType<typeof setTimeout> | undefined;
  #heardAt = 0;
  #tickAt = 0;

  constructor(metronome: Metronome, hooks: HeartbeatHooks) {
    this.#metronome = metronome;
    this.#hooks = hooks;
  }

  start(everyMS: number): void {
    this.stop();
    this.#heardAt = this.#tickAt = Date.now();
    this.#stopTicking = this.#metronome.every(everyMS, () => this.#tick(everyMS));
  }

  heard(): void {
    this.#heardAt = Date.now();
    clearTimeout(this.#probe);
    this.#probe = undefined;
  }

  /** Asks now, and waits 2 s for any sign of life. */
  probe(): void {
    if (this.#probe !== undefined) return;
    this.#probe = setTimeout(() => this.#hooks.dead(), probeMS);
    this.#hooks.ping();
  }

  stop(): void {
    this.#stopTicking?.();
    this.#stopTicking = undefined;
    clearTimeout(this.#probe);
    this.#probe = undefined;
  }

  #tick(everyMS: number): void {
    const now = Date.now();
    const late = now - this.#tickAt - everyMS;
    this.#tickAt = now;
    if (late > jumpMS) this.#hooks.slept();
    else if (now - this.#heardAt > PingTimeoutMS) this.#hooks.dead();
    else this.#hooks.ping();
  }
}
