/** The devices of this machine. Listing never prompts: before permission it has no names. */
import type { Devices } from '../api';

const none: Devices = { microphones: [], cameras: [], speakers: [], canSelectOutput: false };

export class DeviceList {
  readonly #canSelectOutput: () => boolean;
  readonly #changed: (devices: Devices) => void;
  #devices: Devices = none;

  constructor(canSelectOutput: () => boolean, changed: (devices: Devices) => void) {
    this.#canSelectOutput = canSelectOutput;
    this.#changed = changed;
  }

  get devices(): Devices {
    return this.#devices;
  }

  async refresh(): Promise<void> {
    // Missing in insecure pages and some in-app browsers, whatever the DOM types promise.
    const source = navigator.mediaDevices as MediaDevices | undefined;
    const all = (await source?.enumerateDevices()) ?? [];
    const of = (kind: MediaDeviceKind): MediaDeviceInfo[] =>
      all.filter((info) => info.kind === kind);
    this.#devices = {
      microphones: of('audioinput'),
      cameras: of('videoinput'),
      speakers: of('audiooutput'),
      canSelectOutput: this.#canSelectOutput(),
    };
    this.#changed(this.#devices);
  }
}
