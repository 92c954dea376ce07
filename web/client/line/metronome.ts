/**
 * A steady tick. Browsers slow the timers of hidden pages to one a minute, and a clinician's waiting
 * room has to ring from a hidden tab; timers of a worker are left alone.
 */
export interface Metronome {
  /** Calls back each `ms` until the returned function is called. */
  every(ms: number, tick: () => void): () => void;
}

export const pageMetronome: Metronome = {
  every(ms, tick) {
    const timer = setInterval(tick, ms);
    return () => clearInterval(timer);
  },
};
