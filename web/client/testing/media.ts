/** Tracks, elements and devices whose every move is the test's. */

export class FakeTrack extends EventTarget {
  readonly kind: 'audio' | 'video';
  readonly deviceId: string;
  readyState: MediaStreamTrackState = 'live';
  enabled = true;
  muted = false;

  constructor(kind: 'audio' | 'video', deviceId = `${kind} 1`) {
    super();
    this.kind = kind;
    this.deviceId = deviceId;
  }

  getSettings(): MediaTrackSettings {
    return { deviceId: this.deviceId };
  }

  stop(): void {
    this.readyState = 'ended';
  }

  /** As the system does it, which is not the person's mute. */
  system(event: 'mute' | 'unmute' | 'ended'): void {
    this.muted = event === 'mute';
    if (event === 'ended') this.readyState = 'ended';
    this.dispatchEvent(new Event(event));
  }

  get real(): MediaStreamTrack {
    return this as unknown as MediaStreamTrack;
  }
}

export class FakeStream {
  readonly #tracks: Set<FakeTrack>;

  constructor(tracks: readonly FakeTrack[] = []) {
    this.#tracks = new Set(tracks);
  }

  getTracks(): FakeTrack[] {
    return [...this.#tracks];
  }

  getAudioTracks(): FakeTrack[] {
    return this.getTracks().filter(({ kind }) => kind === 'audio');
  }

  getVideoTracks(): FakeTrack[] {
    return this.getTracks().filter(({ kind }) => kind === 'video');
  }

  addTrack(track: FakeTrack): void {
    this.#tracks.add(track);
  }

  removeTrack(track: FakeTrack): void {
    this.#tracks.delete(track);
  }
}

/** navigator.mediaDevices; by default it has one of each and nobody refuses. */
export class FakeDevices extends EventTarget {
  readonly prompts: MediaStreamConstraints[] = [];
  /** what the next prompts are refused with, by what they ask for: 'audio', 'video' or 'audio video' */
  readonly refuse = new Map<string, Error>();
  readonly opened: FakeTrack[] = [];

  getUserMedia(constraints: MediaStreamConstraints): Promise<FakeStream> {
    this.prompts.push(constraints);
    const kinds = (['audio', 'video'] as const).filter((kind) => constraints[kind]);
    const error = this.refuse.get(kinds.join(' '));
    if (error) return Promise.reject(error);
    const tracks = kinds.map((kind) => new FakeTrack(kind));
    this.opened.push(...tracks);
    return Promise.resolve(new FakeStream(tracks));
  }

  enumerateDevices(): Promise<MediaDeviceInfo[]> {
    return Promise.resolve([]);
  }

  get lastTrack(): FakeTrack {
    const track = this.opened.at(-1);
    if (!track) throw new Error('no device was opened');
    return track;
  }
}

export function refusal(name: string, message = ''): Error {
  return Object.assign(new Error(message), { name });
}

/** A video element that shows a frame when the test says so. */
export class FakeVideo {
  srcObject: FakeStream | null = null;
  muted = false;
  playsInline = false;
  paused = true;
  #waiting: ((now: number, metadata: { receiveTime?: number }) => void)[] = [];

  play(): Promise<void> {
    this.paused = false;
    return Promise.resolve();
  }

  requestVideoFrameCallback(fn: (now: number, metadata: { receiveTime?: number }) => void): void {
    this.#waiting.push(fn);
  }

  /** A frame that reached this machine at `receivedAt` (performance.now()). */
  frame(receivedAt: number): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const fn of waiting) fn(performance.now(), { receiveTime: receivedAt });
  }

  get real(): HTMLVideoElement {
    return this as unknown as HTMLVideoElement;
  }
}
