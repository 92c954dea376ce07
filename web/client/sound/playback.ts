/**
 * The one audio element. It is made and played in a tap before the wait, so that the others can be
 * heard at admission without another; it plays the sound of all slots and is never replaced.
 */
import type { AudioPlayback } from '../api';
import { Machine, type Table } from '../machine';

type Event = 'started' | 'refused' | 'paused' | 'stopped';

const table: Table<AudioPlayback, Event> = {
  idle: { started: 'playing', refused: 'blocked' },
  playing: { paused: 'interrupted', refused: 'blocked', stopped: 'idle' },
  blocked: { started: 'playing', stopped: 'idle' },
  interrupted: { started: 'playing', refused: 'blocked', stopped: 'idle' },
};

/** The system paused the element: so many tries, further and further apart. */
const tries = 10;
const firstTryMS = 200;
const startMS = 1000;

export class Playback {
  readonly #machine: Machine<AudioPlayback, Event>;
  readonly #stream = new Holder();
  #element: HTMLAudioElement | undefined;
  #sink: string | undefined;
  #listening: AbortController | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(changed: (state: AudioPlayback) => void) {
    this.#machine = new Machine(table, 'idle', changed);
  }

  get state(): AudioPlayback {
    return this.#machine.state;
  }

  /** Call it in a tap. The silent track gives the element something to play at once. */
  async start(silence: MediaStreamTrack | undefined): Promise<void> {
    if (silence) this.#stream.keep(silence);
    this.#element ??= this.#make();
    // Where there is no sound yet, playing begins with the first; the tap has done its work either way.
    await Promise.race([this.#play(), new Promise((resolve) => setTimeout(resolve, startMS))]);
  }

  /** The sound of the peer's slots, in place of that of the peer before. */
  carry(tracks: readonly MediaStreamTrack[]): void {
    this.#stream.carry(tracks);
    if (this.#element && this.state !== 'idle') void this.#play();
  }

  /** After an interruption, or with new devices. */
  async revive(): Promise<void> {
    if (this.#element) await this.#play();
  }

  async selectOutput(deviceId: string): Promise<void> {
    this.#sink = deviceId; // also for an element that is still to come
    await this.#element?.setSinkId(deviceId);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#listening?.abort();
    this.#element?.pause();
    if (this.#element) this.#element.srcObject = null;
    this.#element = undefined;
    this.#machine.fire('stopped');
  }

  #make(): HTMLAudioElement {
    const element = new Audio();
    const listening = new AbortController();
    const paused = (): void => {
      this.#machine.fire('paused');
      this.#retry(0);
    };
    element.srcObject = this.#stream.stream;
    if (this.#sink !== undefined) void element.setSinkId(this.#sink).catch(() => undefined);
    element.addEventListener('pause', paused, listening);
    element.addEventListener('playing', () => this.#machine.fire('started'), listening);
    this.#listening = listening;
    return element;
  }

  async #play(): Promise<void> {
    try {
      await this.#element?.play();
      this.#machine.fire('started');
    } catch (error) {
      if (error instanceof Error && error.name === 'NotAllowedError') this.#machine.fire('refused');
    }
  }

  #retry(tried: number): void {
    clearTimeout(this.#timer);
    if (tried >= tries) return;
    this.#timer = setTimeout(
      () => {
        if (!this.#element?.paused) return;
        void this.#play().then(() => {
          if (this.#element?.paused) this.#retry(tried + 1);
        });
      },
      firstTryMS * 2 ** tried,
    );
  }
}

/**
 * One stream for good. Chromium looks again at what it plays only when the first track of the stream
 * changes: a track that is added behind that is never heard. So the new ones come before the old ones go,
 * which also keeps the stream from ever being empty, and the element from ending.
 */
class Holder {
  #carried: readonly MediaStreamTrack[] = [];
  #stream: MediaStream | undefined;
  #silence: MediaStreamTrack | undefined;

  get stream(): MediaStream {
    // Not before it is needed: making a visit touches no browser class.
    this.#stream ??= new MediaStream();
    return this.#stream;
  }

  /** What it holds while there is nothing else. */
  keep(silence: MediaStreamTrack): void {
    this.#silence = silence;
    this.carry(this.#carried);
  }

  carry(tracks: readonly MediaStreamTrack[]): void {
    this.#carried = tracks;
    const next = tracks.length > 0 ? tracks : this.#silence ? [this.#silence] : [];
    for (const track of next) this.stream.addTrack(track);
    for (const track of this.stream.getTracks()) {
      if (!next.includes(track)) this.stream.removeTrack(track);
    }
  }
}
