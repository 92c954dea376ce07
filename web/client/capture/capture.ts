/**
 * The one owner of microphone and camera. Calls say what is wanted; one loop makes it so, with as few
 * prompts as it can, and the latest call wins.
 */
import { VisitError } from '../errors';
import type { Kind } from '../peer/peer';
import { announceAudioSession } from '../quirks';
import { Lane, type LaneHooks } from './lane';
import { open, type Opened, type Wish, type Wishes } from './open';

const kinds: readonly Kind[] = ['audio', 'video'];

export class Capture {
  readonly lanes: Readonly<Record<Kind, Lane>>;
  #work: Promise<void> | undefined;
  #closed = false;

  constructor(hooks: LaneHooks) {
    this.lanes = { audio: new Lane('audio', hooks), video: new Lane('video', hooks) };
  }

  /** Rejects with why the device did not open; quietly resolves where a later call wanted something else. */
  async enable(kind: Kind, wish?: Wish): Promise<void> {
    if (this.#closed) throw new VisitError('closed', 'the visit was closed');
    const lane = this.lanes[kind];
    const fine =
      lane.wanted && wish === undefined && (lane.state === 'on' || lane.state === 'starting');
    const serial = fine ? lane.serial : lane.want(true, wish ?? lane.wish);
    await this.#reconcile();
    if (lane.serial === serial && lane.error) throw lane.error;
  }

  disable(kind: Kind): void {
    this.lanes[kind].want(false);
    announceAudioSession(this.lanes.audio.wanted);
  }

  /** Both in one prompt; rejects only where nothing opened. */
  async preview(want: Readonly<Record<Kind, boolean>>): Promise<void> {
    const results = await Promise.allSettled(
      kinds.filter((kind) => want[kind]).map((kind) => this.enable(kind)),
    );
    const errors = results.flatMap((result) =>
      result.status === 'rejected' ? [result.reason as VisitError] : [],
    );
    const [first] = errors;
    if (first && errors.length === results.length) throw first;
  }

  /** Fresh tracks for devices that are on but may be dead, in one call. */
  async reopen(which: readonly Kind[]): Promise<void> {
    for (const kind of which) if (this.lanes[kind].wanted) this.lanes[kind].want(true);
    await this.#reconcile();
  }

  close(): void {
    this.#closed = true;
    for (const kind of kinds) this.lanes[kind].want(false);
  }

  /** One loop at a time; it goes on until every lane is where its newest call wants it. */
  #reconcile(): Promise<void> {
    this.#work ??= this.#settle().finally(() => {
      this.#work = undefined;
    });
    return this.#work;
  }

  async #settle(): Promise<void> {
    await Promise.resolve(); // calls made together are asked together
    for (;;) {
      const due = kinds
        .map((kind) => this.lanes[kind])
        .filter((lane) => lane.wanted && lane.settled !== lane.serial);
      if (due.length === 0) return;
      const wishes: Wishes = {};
      const serials = new Map(due.map((lane) => [lane, lane.serial]));
      for (const lane of due) {
        lane.starting();
        wishes[lane.kind] = lane.wish;
      }
      announceAudioSession(this.lanes.audio.wanted);
      settle(serials, await open(wishes));
    }
  }
}

/** Gives each lane its result, and stops what came too late to be wanted. */
function settle(serials: ReadonlyMap<Lane, number>, opened: Opened): void {
  for (const [lane, serial] of serials) {
    const result = opened[lane.kind] ?? new VisitError('missing', 'the stream had no such track');
    if (lane.serial === serial) lane.settle(result);
    else if (!(result instanceof Error)) result.stop();
  }
}
