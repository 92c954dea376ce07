/** The visit's one AudioContext: for chimes, the level of the microphone and the silent track. */
import { clockRuns, silentTrack } from '../quirks';

export class SoundContext {
  #context: AudioContext | undefined;
  #silence: MediaStreamTrack | undefined;
  #closed = false;

  get current(): AudioContext | undefined {
    return this.#context;
  }

  /** One silent track, however often it is asked for. */
  get silence(): MediaStreamTrack | undefined {
    this.#silence ??= this.#context && silentTrack(this.#context);
    return this.#silence;
  }

  /** Call it in a tap; only there may a context start. */
  unlock(): AudioContext | undefined {
    if (typeof AudioContext === 'undefined' || this.#closed) return undefined;
    this.#context ??= new AudioContext();
    if (this.#context.state === 'suspended') void this.#context.resume().catch(() => undefined);
    return this.#context;
  }

  /**
   * After an interruption. Acts in `suspended` only: a context that is `interrupted` still belongs to
   * the system. True when the context is another one than before.
   */
  async revive(): Promise<boolean> {
    const context = this.#context;
    if (!context) return false;
    if (context.state === 'suspended') await context.resume().catch(() => undefined);
    if (context.state !== 'running' || (await clockRuns(context)) || this.#closed) return false;
    void context.close().catch(() => undefined);
    this.#context = new AudioContext();
    this.#silence = undefined;
    return true;
  }

  close(): void {
    void this.#context?.close().catch(() => undefined);
    this.#context = this.#silence = undefined;
    this.#closed = true;
  }
}
