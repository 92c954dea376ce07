/** All of this device's media: microphone, camera, sound, and what interrupts them. */
import type { AudioPlayback, Devices, Interruption } from './api';
import { CameraControl } from './capture/camera';
import { Capture } from './capture/capture';
import { DeviceList } from './capture/devices';
import { Interruptions } from './capture/interruption';
import { MicrophoneControl } from './capture/microphone';
import { prove } from './capture/proof';
import type { Kind, Peer } from './peer/peer';
import { canSelectOutput } from './quirks';
import { mediaOf } from './report';
import { play, type Chime } from './sound/chime';
import { SoundContext } from './sound/context';
import { Level } from './sound/level';
import { Playback } from './sound/playback';
import type { Device, Media } from './wire.gen';

export interface LocalMediaHooks {
  changed: () => void;
  /** what the peer has to send from now on */
  track: (kind: Kind, track: MediaStreamTrack | undefined) => void;
  /** the peer, while media leaves through it */
  sendingPeer: () => Peer | undefined;
  rearm: (kinds: readonly Kind[]) => Promise<void>;
  devicesChanged: (devices: Devices) => void;
  playbackChanged: (state: AudioPlayback) => void;
  interruptionChanged: (state: Interruption) => void;
}

export class LocalMedia {
  readonly microphone: MicrophoneControl;
  readonly camera: CameraControl;
  readonly playback: Playback;
  readonly #device: Device;
  readonly #hooks: LocalMediaHooks;
  readonly #capture: Capture;
  readonly #devices: DeviceList;
  readonly #interruptions: Interruptions;
  readonly #context = new SoundContext();
  readonly #level = new Level();

  constructor(device: Device, hooks: LocalMediaHooks) {
    this.#device = device;
    this.#hooks = hooks;
    this.#capture = new Capture({
      changed: hooks.changed,
      track: (kind, track) => this.#adopt(kind, track),
      native: (kind, event) => this.#interruptions.native(kind, event),
    });
    this.#devices = new DeviceList(() => canSelectOutput(device), hooks.devicesChanged);
    this.playback = new Playback(hooks.playbackChanged);
    this.#interruptions = new Interruptions(this.#capture, {
      changed: hooks.interruptionChanged,
      reviveSound: () => this.#reviveSound(),
      rearm: hooks.rearm,
      prove: (kinds) => this.#prove(kinds),
    });
    this.microphone = new MicrophoneControl(this.#capture, {
      changed: hooks.changed,
      released: () => this.#interruptions.released('audio'),
      level: (track) => this.#level.read(this.#context.current, track) ?? 0,
    });
    this.camera = new CameraControl(this.#capture, device, {
      changed: hooks.changed,
      released: () => this.#interruptions.released('video'),
      devices: () => this.devices,
    });
  }

  get devices(): Devices {
    return this.#devices.devices;
  }

  get interruption(): Interruption {
    return this.#interruptions.state;
  }

  /** What the server is told. */
  get state(): Media {
    return mediaOf({
      microphone: this.microphone.state,
      muted: this.microphone.muted,
      camera: this.camera.state,
      hidden: document.visibilityState === 'hidden',
      phone: this.#device === 'phone',
    });
  }

  /** In a tap or not: the level of the microphone can be shown from the first tap on. */
  preview(want: Readonly<Record<Kind, boolean>>): Promise<void> {
    this.#context.unlock();
    return this.#capture.preview(want);
  }

  async startAudio(): Promise<void> {
    this.#context.unlock();
    this.camera.replay();
    await this.playback.start(this.#context.silence);
  }

  /** Any tap lets a context run that was made without one, so that the level of the microphone moves. */
  tapped(): void {
    if (this.#context.current) this.#context.unlock();
  }

  /** In a tap, after an interruption. */
  resume(): void {
    this.#context.unlock();
    this.#interruptions.tapped();
  }

  chime(kind: Chime): void {
    const context = this.#context.current;
    if (context?.state === 'running') play(context, kind);
  }

  /** The person is back at the page. */
  returned(): void {
    this.#interruptions.returned();
    if (this.playback.state === 'interrupted') void this.playback.revive();
  }

  /** Out of the back-forward cache, where Safari ends every capture. */
  restored(): void {
    for (const kind of ['audio', 'video'] as const) {
      const { wanted, track } = this.#capture.lanes[kind];
      if (wanted && track?.readyState === 'ended') this.#interruptions.native(kind, 'ended');
    }
    this.returned();
  }

  devicesMayHaveChanged(): void {
    void this.#devices.refresh();
    if (this.playback.state === 'playing') void this.playback.revive();
  }

  /** Lets the devices go; sound stays, for the chimes of staff. */
  stop(): void {
    this.microphone.disable();
    this.camera.disable();
  }

  close(): void {
    this.#interruptions.close();
    this.#capture.close();
    this.#level.close();
    this.playback.close();
    this.#context.close();
  }

  #adopt(kind: Kind, track: MediaStreamTrack | undefined): void {
    if (kind === 'audio') this.microphone.adopt(track);
    else this.camera.adopt(track);
    this.#hooks.track(kind, track);
    // With the first permission devices get their names.
    if (track) void this.#devices.refresh();
  }

  async #reviveSound(): Promise<void> {
    if (await this.#context.revive()) {
      await this.playback.start(this.#context.silence);
    } else {
      await this.playback.revive();
    }
  }

  #prove(kinds: readonly Kind[]): Promise<boolean> {
    return prove(kinds, (kind) => {
      const lane = this.#capture.lanes[kind];
      return {
        lane,
        peer: this.#hooks.sendingPeer(),
        level: kind === 'audio' ? this.#level.read(this.#context.current, lane.track) : undefined,
      };
    });
  }
}
