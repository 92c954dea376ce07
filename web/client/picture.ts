/**
 * One person's picture. It is covered from each hold, switch and new start until a frame that came
 * afterwards is on the screen: an element keeps the last frame of whoever was there before.
 */
import type { ParticipantVideo } from './api';

/** No buffer holds a frame for longer. */
const stalestMS = 2000;

/** A track and what makes it another start: peer, slot and generation. */
export interface Showing {
  track: MediaStreamTrack;
  start: string;
  /** number of the peer that brings it */
  peer?: number;
  /** the peer before, if it brought the same person until this one did */
  continued?: number | undefined;
}

export class Picture implements ParticipantVideo {
  readonly #changed: () => void;
  readonly #elements = new Set<HTMLVideoElement>();
  #showing: Showing | undefined;
  #covered = true;
  #since = 0;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get covered(): boolean {
    return this.#covered;
  }

  attach(element: HTMLVideoElement): () => void {
    this.#elements.add(element);
    element.muted = true;
    element.playsInline = true;
    this.#put(element);
    return () => {
      if (this.#elements.delete(element)) element.srcObject = null;
    };
  }

  show(showing: Showing | undefined): void {
    if (showing?.start === this.#showing?.start) return;
    const before = this.#showing;
    const track = before?.track;
    this.#showing = showing;
    this.#since = performance.now();
    const goesOn = before?.peer !== undefined && showing?.continued === before.peer;
    if (goesOn && !this.#covered) {
      for (const element of this.#elements) replace(element, before.track, showing.track);
      return;
    }
    this.#cover(true);
    for (const element of this.#elements) {
      if (showing?.track === track) this.#awaitFrame(element);
      else this.#put(element);
    }
  }

  /** A tap allows what the browser refused before, as in Low Power Mode. */
  replay(): void {
    for (const element of this.#elements) play(element);
  }

  #put(element: HTMLVideoElement): void {
    element.srcObject = this.#showing ? new MediaStream([this.#showing.track]) : null;
    if (!this.#showing) return;
    play(element);
    this.#awaitFrame(element);
  }

  #awaitFrame(element: HTMLVideoElement): void {
    const start = this.#showing?.start;
    if (start === undefined || !this.#covered) return;
    const arrived = (receivedAt: number | undefined): void => {
      if (start !== this.#showing?.start || !this.#elements.has(element)) return;
      // A frame that was on its way before the switch is still of the person before.
      if (this.#isStale(receivedAt)) this.#awaitFrame(element);
      else this.#cover(false);
    };
    nextFrame(element, arrived);
  }

  /** Not for ever: a browser that counts its time from elsewhere would never show anything. */
  #isStale(receivedAt: number | undefined): boolean {
    if (receivedAt === undefined || performance.now() - this.#since > stalestMS) return false;
    return receivedAt < this.#since;
  }

  #cover(covered: boolean): void {
    if (this.#covered === covered) return;
    this.#covered = covered;
    this.#changed();
  }
}

/** Without a new stream, so that the element keeps the last frame until the next. */
function replace(
  element: HTMLVideoElement,
  before: MediaStreamTrack,
  next: MediaStreamTrack,
): void {
  const stream = element.srcObject as MediaStream | null;
  stream?.addTrack(next);
  stream?.removeTrack(before);
  play(element);
}

function nextFrame(
  element: HTMLVideoElement,
  arrived: (receivedAt: number | undefined) => void,
): void {
  if ('requestVideoFrameCallback' in element) {
    element.requestVideoFrameCallback((_, { receiveTime }) => arrived(receiveTime));
    return;
  }
  // Older Firefox: the clock of a live picture moves with its frames.
  const old = element as HTMLVideoElement;
  old.addEventListener('timeupdate', () => arrived(undefined), { once: true });
}

/** Again on the next task where it is refused: Safari does not play in the one that set the source. */
function play(element: HTMLVideoElement): void {
  const start = () => (element.srcObject && element.paused ? element.play() : Promise.resolve());
  start().catch(() => setTimeout(() => void start().catch(() => undefined)));
}
