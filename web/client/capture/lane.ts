/** One device's lane: what is wanted of it, what it is, and its track. */
import type { DeviceState } from '../api';
import type { DeviceCode, VisitError } from '../errors';
import { Machine, type Table } from '../machine';
import type { Kind } from '../peer/peer';
import { stateOf } from './failure';
import type { Wish } from './open';

type LaneEvent =
  'start' | 'opened' | 'refuse' | 'lack' | 'jam' | 'unsafe' | 'interrupt' | 'recover' | 'stop';

const failed = { start: 'starting', stop: 'off' } as const;

const table: Table<DeviceState, LaneEvent> = {
  off: { start: 'starting' },
  starting: {
    opened: 'on',
    refuse: 'blocked',
    lack: 'missing',
    jam: 'busy',
    unsafe: 'insecure',
    stop: 'off',
  },
  on: { start: 'starting', interrupt: 'interrupted', stop: 'off' },
  interrupted: {
    start: 'starting',
    recover: 'on',
    stop: 'off',
  },
  blocked: failed,
  missing: failed,
  busy: failed,
  insecure: failed,
};

/** The browser's own word on a track, which is not the person's mute. */
export type NativeEvent = 'muted' | 'unmuted' | 'ended';

export interface LaneHooks {
  changed: () => void;
  /** a new track, or none */
  track: (kind: Kind, track: MediaStreamTrack | undefined) => void;
  native: (kind: Kind, event: NativeEvent) => void;
}

export class Lane {
  readonly kind: Kind;
  readonly #hooks: LaneHooks;
  readonly #machine: Machine<DeviceState, LaneEvent>;
  /** grows with each call that asks for something else; the newest wins */
  serial = 0;
  /** the serial that the lane has settled at */
  settled = 0;
  wanted = false;
  wish: Wish = {};
  error: VisitError | undefined;
  #track: MediaStreamTrack | undefined;
  #listening: AbortController | undefined;

  constructor(kind: Kind, hooks: LaneHooks) {
    this.kind = kind;
    this.#hooks = hooks;
    this.#machine = new Machine(table, 'off', () => hooks.changed());
  }

  get state(): DeviceState {
    return this.#machine.state;
  }

  get track(): MediaStreamTrack | undefined {
    return this.#track;
  }

  get deviceId(): string | undefined {
    return this.#track?.getSettings().deviceId;
  }

  /** Asks for a new state of the lane; whatever is under way is out of date from now on. */
  want(wanted: boolean, wish: Wish = this.wish): number {
    this.wanted = wanted;
    this.wish = wish;
    this.serial += 1;
    if (!wanted) this.#stop();
    return this.serial;
  }

  /** Stops the old track first: two captures of one kind end one another on phones. */
  starting(): void {
    this.#letGo();
    this.#machine.fire('start');
  }

  settle(result: MediaStreamTrack | VisitError): void {
    this.settled = this.serial;
    if (result instanceof Error) {
      this.error = result;
      this.#machine.fire(eventOf(stateOf(result.code as DeviceCode)));
      return;
    }
    this.error = undefined;
    this.#adopt(result);
    this.#machine.fire('opened');
  }

  interrupted(): void {
    this.#machine.fire('interrupt');
  }

  recovered(): void {
    this.#machine.fire('recover');
  }

  #adopt(track: MediaStreamTrack): void {
    const listening = new AbortController();
    const tell = (event: NativeEvent) => () => this.#hooks.native(this.kind, event);
    track.addEventListener('mute', tell('muted'), listening);
    track.addEventListener('unmute', tell('unmuted'), listening);
    track.addEventListener('ended', tell('ended'), listening);
    this.#listening = listening;
    this.#track = track;
    this.#hooks.track(this.kind, track);
  }

  #stop(): void {
    this.settled = this.serial;
    this.error = undefined;
    this.#letGo();
    this.#machine.fire('stop');
  }

  #letGo(): void {
    this.#listening?.abort();
    if (!this.#track) return;
    this.#track.stop();
    this.#track = undefined;
    this.#hooks.track(this.kind, undefined);
  }
}

function eventOf(state: DeviceState): LaneEvent {
  switch (state) {
    case 'blocked':
      return 'refuse';
    case 'missing':
      return 'lack';
    case 'insecure':
      return 'unsafe';
    case 'busy':
    case 'off':
    case 'starting':
    case 'on':
    case 'interrupted':
      return 'jam';
  }
}
