/** The microphone as a page sees it. */
import type { DeviceState, Microphone } from '../api';
import type { VisitError } from '../errors';
import type { Capture } from './capture';
import type { Lane } from './lane';

export interface MicrophoneHooks {
  changed: () => void;
  released: () => void;
  /** 0 to 1 */
  level: (track: MediaStreamTrack) => number;
}

export class MicrophoneControl implements Microphone {
  readonly #capture: Capture;
  readonly #hooks: MicrophoneHooks;
  #muted = false;

  constructor(capture: Capture, hooks: MicrophoneHooks) {
    this.#capture = capture;
    this.#hooks = hooks;
  }

  get state(): DeviceState {
    return this.#lane.state;
  }

  get error(): VisitError | undefined {
    return this.#lane.error;
  }

  get track(): MediaStreamTrack | undefined {
    return this.#lane.track;
  }

  get deviceId(): string | undefined {
    return this.#lane.deviceId;
  }

  get muted(): boolean {
    return this.#muted;
  }

  get level(): number {
    return this.track ? this.#hooks.level(this.track) : 0;
  }

  enable(): Promise<void> {
    return this.#capture.enable('audio');
  }

  disable(): void {
    this.#capture.disable('audio');
    this.#hooks.released();
  }

  select(deviceId: string): Promise<void> {
    return this.#capture.enable('audio', { deviceId });
  }

  mute(): void {
    this.#set(true);
  }

  unmute(): void {
    this.#set(false);
  }

  /** A new track is as silent as the one before. */
  adopt(track: MediaStreamTrack | undefined): void {
    if (track) track.enabled = !this.#muted;
  }

  get #lane(): Lane {
    return this.#capture.lanes.audio;
  }

  #set(muted: boolean): void {
    this.#muted = muted;
    this.adopt(this.track);
    this.#hooks.changed();
  }
}
