/** The camera as a page sees it, with the own picture. */
import type { Camera, DeviceState, Devices } from '../api';
import type { VisitError } from '../errors';
import { Picture } from '../picture';
import type { Device } from '../wire.gen';
import type { Capture } from './capture';
import type { Lane } from './lane';

export interface CameraHooks {
  changed: () => void;
  released: () => void;
  devices: () => Devices;
}

export class CameraControl implements Camera {
  readonly #capture: Capture;
  readonly #hooks: CameraHooks;
  readonly #picture: Picture;
  #starts = 0;

  constructor(capture: Capture, device: Device, hooks: CameraHooks) {
    this.#capture = capture;
    this.#hooks = hooks;
    this.#picture = new Picture(hooks.changed);
    if (device === 'phone') this.#lane.wish = { facing: 'user' };
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

  get facing(): 'user' | 'environment' | undefined {
    const facing = this.track?.getSettings().facingMode;
    return facing === 'user' || facing === 'environment' ? facing : this.#lane.wish.facing;
  }

  get canFlip(): boolean {
    return this.#hooks.devices().cameras.length > 1;
  }

  enable(): Promise<void> {
    return this.#capture.enable('video');
  }

  disable(): void {
    this.#capture.disable('video');
    this.#hooks.released();
  }

  select(deviceId: string): Promise<void> {
    return this.#capture.enable('video', { deviceId });
  }

  /**
   * By facing mode, which finds the right lens on a phone; where the browser does not know it or did
   * not obey, by the next id.
   */
  async flip(): Promise<void> {
    const before = this.deviceId;
    const { wish } = this.#lane;
    const facing = this.facing === 'environment' ? 'user' : 'environment';
    const flipped = this.#capture.enable('video', { facing });
    const { serial } = this.#lane;
    try {
      await flipped;
    } catch (error) {
      const again = before !== undefined && this.#lane.serial === serial && this.state === 'busy';
      if (again) await this.#capture.enable('video', wish); // rather this side than none
      throw error;
    }
    if (this.#lane.serial !== serial) return; // a later call knew better
    if (this.deviceId !== before || before === undefined) return;
    const next = after(this.#hooks.devices().cameras, before);
    if (next !== undefined) await this.select(next);
  }

  attach(element: HTMLVideoElement): () => void {
    return this.#picture.attach(element);
  }

  /** The own picture follows the track. */
  adopt(track: MediaStreamTrack | undefined): void {
    this.#starts += 1;
    this.#picture.show(track && { track, start: String(this.#starts) });
  }

  replay(): void {
    this.#picture.replay();
  }

  get #lane(): Lane {
    return this.#capture.lanes.video;
  }
}

/** The id that follows in the list, round and round. */
function after(cameras: readonly MediaDeviceInfo[], id: string): string | undefined {
  const at = cameras.findIndex(({ deviceId }) => deviceId === id);
  const next = cameras[(at + 1) % cameras.length]?.deviceId;
  return next === id ? undefined : next;
}
