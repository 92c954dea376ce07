/**
 * The page's side of the worker that holds the gates. Where a browser lacks encoded transforms, or the
 * worker cannot start, there are no gates, and senders stay without a track until media may leave.
 */
import { pageMetronome, type Metronome } from '../line/metronome';
import type { FromWorker, GateOptions, ToWorker } from '../worker/frames';

const startMS = 2000;
/** A tick of the worker that is late by half a beat is not waited for. */
const lateness = 1.5;

/** The gate of one peer: closed until opened. */
export interface Gate {
  /** Puts the gate in front of a sender; before the offer, or the browser may skip it. */
  guard(sender: RTCRtpSender, kind: GateOptions['kind']): void;
  set(open: boolean): void;
  forget(): void;
}

export class Gatekeeper {
  #worker: Worker | undefined;
  #ready: Promise<boolean> | undefined;
  #lastId = 0;
  #closed = false;
  readonly #ticks = new Map<number, () => void>();

  /** True when gates work. Starts the worker at the first call. */
  ready(): Promise<boolean> {
    this.#ready ??= this.#start();
    return this.#ready;
  }

  gate(): Gate {
    const gate = this.#nextId();
    return {
      guard: (sender, kind) => {
        if (!this.#worker) return;
        const options: GateOptions = { gate, kind };
        sender.transform = new RTCRtpScriptTransform(this.#worker, options);
      },
      set: (open) => {
        this.#tell({ tell: 'gate', gate, open });
      },
      forget: () => {
        this.#tell({ tell: 'forget', gate });
      },
    };
  }

  /** Ticks in the worker as soon as there is one, and in the page before and where it falls silent. */
  readonly metronome: Metronome = {
    every: (everyMS, tick) => {
      let heardAt = Number.NEGATIVE_INFINITY;
      let stopped = false;
      let stopInWorker = (): void => undefined;
      const stopInPage = pageMetronome.every(everyMS, () => {
        if (performance.now() - heardAt > everyMS * lateness) tick();
      });
      void this.ready().then(() => {
        if (stopped || !this.#worker) return;
        stopInWorker = this.#tickInWorker(everyMS, () => {
          heardAt = performance.now();
          tick();
        });
      });
      return () => {
        stopped = true;
        stopInPage();
        stopInWorker();
      };
    },
  };

  close(): void {
    this.#closed = true;
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#ticks.clear();
  }

  async #start(): Promise<boolean> {
    if (typeof Worker === 'undefined') return false;
    const worker = launch();
    if (!worker) return false;
    const alive = await new Promise<boolean>((resolve) => {
      const late = setTimeout(() => resolve(false), startMS);
      worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
        if (data.tell === 'ticked') this.#ticks.get(data.metronome)?.();
        else resolve(true);
        clearTimeout(late);
      };
      worker.onerror = () => {
        clearTimeout(late);
        resolve(false);
      };
    });
    if (!alive || this.#closed) {
      worker.terminate();
      return false;
    }
    this.#worker = worker;
    return typeof RTCRtpScriptTransform !== 'undefined';
  }

  #tickInWorker(everyMS: number, tick: () => void): () => void {
    const metronome = this.#nextId();
    this.#ticks.set(metronome, tick);
    this.#tell({ tell: 'tick', metronome, everyMS });
    return () => {
      this.#ticks.delete(metronome);
      this.#tell({ tell: 'still', metronome });
    };
  }

  #nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  #tell(message: ToWorker): void {
    this.#worker?.postMessage(message);
  }
}

/** A worker has to be of the page's own origin; a portal that loads the library from elsewhere goes without. */
function launch(): Worker | undefined {
  try {
    return new Worker(new URL('../worker/gate.worker.ts', import.meta.url), { type: 'module' });
  } catch {
    return undefined;
  }
}
