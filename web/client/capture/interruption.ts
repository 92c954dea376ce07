/**
 * What to do when the system takes the devices away: a telephone call, Siri, another app, a locked
 * screen. Start and end are paired, and it ends only with proof, since a track's own word cannot be
 * trusted then.
 */
import type { Interruption } from '../api';
import { Machine, type Table } from '../machine';
import type { Kind } from '../peer/peer';
import { needsFreshCaptureAfterInterruption } from '../quirks';
import type { Capture } from './capture';
import type { NativeEvent } from './lane';

/** Shorter mutes happen by themselves, as when WebKit starts a camera (WebKit/WebKit#28593). */
const noticeMS = 1500;

type State = 'none' | 'suspected' | 'interrupted' | 'recovering' | 'needs_tap';
type Event =
  | 'muted'
  | 'unmuted'
  | 'noticed'
  | 'ended'
  | 'returned'
  | 'tapped'
  | 'proved'
  | 'unproved'
  | 'released';

const table: Table<State, Event> = {
  none: { muted: 'suspected', ended: 'interrupted' },
  suspected: { unmuted: 'none', noticed: 'interrupted', ended: 'interrupted', released: 'none' },
  interrupted: {
    unmuted: 'recovering',
    returned: 'recovering',
    tapped: 'recovering',
    released: 'none',
  },
  recovering: { proved: 'none', unproved: 'needs_tap', released: 'none' },
  needs_tap: {
    unmuted: 'recovering',
    returned: 'recovering',
    tapped: 'recovering',
    released: 'none',
  },
};

export interface InterruptionHooks {
  changed(state: Interruption): void;
  /** the audio context and the one audio element, after an interruption */
  reviveSound(): Promise<void>;
  /** sends the tracks anew: a sender may have stalled with them */
  rearm(kinds: readonly Kind[]): Promise<void>;
  /** do these tracks really carry something? */
  prove(kinds: readonly Kind[]): Promise<boolean>;
}

export class Interruptions {
  readonly #capture: Capture;
  readonly #hooks: InterruptionHooks;
  readonly #hit = new Set<Kind>();
  readonly #machine: Machine<State, Event>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #round = 0;

  constructor(capture: Capture, hooks: InterruptionHooks) {
    this.#capture = capture;
    this.#hooks = hooks;
    this.#machine = new Machine(table, 'none', (state, from) => this.#entered(state, from));
  }

  get state(): Interruption {
    return shown(this.#machine.state);
  }

  native(kind: Kind, event: NativeEvent): void {
    if (event === 'unmuted') {
      // One of two may stay muted; recovery looks at both.
      this.#machine.fire('unmuted');
      return;
    }
    this.#hit.add(kind);
    // The other device's trouble came first: this one has its own to tell.
    if (this.state !== 'none') this.#capture.lanes[kind].interrupted();
    this.#machine.fire(event);
    if (event === 'ended') void this.#replaceEnded();
  }

  /** The page is visible again, or was taken out of the back-forward cache. */
  returned(): void {
    this.#machine.fire('returned');
  }

  /** The person tapped to go on. */
  tapped(): void {
    this.#machine.fire('tapped');
  }

  /** The person switched a device off: it has nothing to recover any more. */
  released(kind: Kind): void {
    this.#hit.delete(kind);
    if (this.#hit.size === 0) this.#machine.fire('released');
  }

  close(): void {
    this.#hit.clear();
    this.#machine.fire('released');
    clearTimeout(this.#timer);
  }

  #entered(state: State, from: State): void {
    clearTimeout(this.#timer);
    if (state === 'suspected') {
      this.#timer = setTimeout(() => this.#machine.fire('noticed'), noticeMS);
    }
    if (state === 'interrupted')
      for (const kind of this.#hit) this.#capture.lanes[kind].interrupted();
    if (state === 'recovering') void this.#recover();
    const hit = [...this.#hit];
    if (state === 'none') this.#recovered();
    if (shown(state) !== shown(from)) this.#hooks.changed(shown(state));
    if (state === 'none') for (const kind of hit) this.#lookAgain(kind);
  }

  #recovered(): void {
    for (const kind of this.#hit) this.#capture.lanes[kind].recovered();
    this.#hit.clear();
  }

  /** What befell one device while the other was being looked after was left for now. */
  #lookAgain(kind: Kind): void {
    const { track } = this.#capture.lanes[kind];
    if (track?.readyState === 'ended') this.native(kind, 'ended');
    else if (track?.muted) this.native(kind, 'muted');
  }

  /** A track that ended while the page is in use: its device was unplugged, or taken for good. */
  async #replaceEnded(): Promise<void> {
    // One turn later, so that both tracks of an unplugged webcam are replaced together.
    await Promise.resolve();
    if (document.visibilityState === 'visible') this.#machine.fire('returned');
  }

  async #recover(): Promise<void> {
    const round = (this.#round += 1);
    await this.#hooks.reviveSound();
    const proved = (await this.#withOldTracks()) || (await this.#withFreshTracks());
    if (round === this.#round) this.#machine.fire(proved ? 'proved' : 'unproved');
  }

  async #withOldTracks(): Promise<boolean> {
    const kinds = [...this.#hit];
    const ended = kinds.some((kind) => this.#capture.lanes[kind].track?.readyState !== 'live');
    if (ended || needsFreshCaptureAfterInterruption()) return false;
    await this.#hooks.rearm(kinds);
    return this.#hooks.prove(kinds);
  }

  async #withFreshTracks(): Promise<boolean> {
    const kinds = [...this.#hit];
    await this.#capture.reopen(kinds);
    const open = kinds.filter((kind) => this.#capture.lanes[kind].track !== undefined);
    // A device that is gone says so in its own state; there is nothing to tap for.
    if (open.length === 0)
      return kinds.every((kind) => this.#capture.lanes[kind].state === 'missing');
    await this.#hooks.rearm(open);
    return this.#hooks.prove(open);
  }
}

function shown(state: State): Interruption {
  switch (state) {
    case 'none':
    case 'suspected':
      return 'none';
    case 'interrupted':
    case 'recovering':
      return 'interrupted';
    case 'needs_tap':
      return 'needs_tap';
  }
}
