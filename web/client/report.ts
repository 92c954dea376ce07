/** What the person's devices do, as the wire says it; told to the server at each welcome and change. */
import type { DeviceState } from './api';
import type { Media, MediaState } from './wire.gen';

export interface Facts {
  microphone: DeviceState;
  muted: boolean;
  camera: DeviceState;
  hidden: boolean;
  /** phones stop the camera of a hidden page */
  phone: boolean;
}

export function mediaOf({ microphone, muted, camera, hidden, phone }: Facts): Media {
  const audio = stateOf(microphone);
  const video = stateOf(camera);
  // A hidden page has no camera on phones, and elsewhere where the system took it away.
  const rests = hidden && (video === 'interrupted' || (video === 'on' && phone));
  return {
    audio: audio === 'on' && muted ? 'off' : audio,
    video: rests ? 'hidden' : video,
  };
}

function stateOf(state: DeviceState): MediaState {
  switch (state) {
    case 'on':
      return 'on';
    case 'off':
    case 'starting':
      return 'off';
    case 'interrupted':
      return 'interrupted';
    case 'blocked':
    case 'insecure':
      return 'blocked';
    case 'missing':
    case 'busy':
      return 'missing';
  }
}

/** Sends each state once, and again after every welcome. */
export class Reporter {
  readonly #send: (media: Media) => Promise<unknown>;
  #told: string | undefined;

  constructor(send: (media: Media) => Promise<unknown>) {
    this.#send = send;
  }

  report(media: Media): void {
    const told = JSON.stringify(media);
    if (told === this.#told) return;
    this.#told = told;
    this.#send(media).catch(() => {
      if (this.#told === told) this.#told = undefined; // offline: the next welcome brings it
    });
  }

  forget(): void {
    this.#told = undefined;
  }
}
