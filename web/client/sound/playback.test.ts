import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FakeStream, FakeTrack, refusal } from '../testing/media';
import { Playback } from './playback';

class FakeAudio extends EventTarget {
  static all: FakeAudio[] = [];
  static refuse: Error | undefined;
  srcObject: FakeStream | null = null;
  paused = true;
  plays = 0;
  sink = '';

  constructor() {
    super();
    FakeAudio.all.push(this);
  }

  play(): Promise<void> {
    this.plays += 1;
    if (FakeAudio.refuse) return Promise.reject(FakeAudio.refuse);
    this.paused = false;
    return Promise.resolve();
  }

  setSinkId(sink: string): Promise<void> {
    this.sink = sink;
    return Promise.resolve();
  }

  pause(): void {
    this.paused = true;
    this.dispatchEvent(new Event('pause'));
  }
}

/** As Chromium plays a stream: it takes stock when the first track is another one, and only then. */
class ChromiumStream extends FakeStream {
  heard: FakeTrack[] = [];
  #first: FakeTrack | undefined;

  override addTrack(track: FakeTrack): void {
    super.addTrack(track);
    this.#look();
  }

  override removeTrack(track: FakeTrack): void {
    super.removeTrack(track);
    this.#look();
  }

  #look(): void {
    const [first] = this.getTracks();
    if (first === this.#first) return;
    this.#first = first;
    this.heard = this.getTracks();
  }
}

let playback: Playback;
let states: string[];
const silence = new FakeTrack('audio', 'silence');
const slots = [new FakeTrack('audio', 'slot 0'), new FakeTrack('audio', 'slot 1')];
const real = (tracks: readonly FakeTrack[]) => tracks.map((track) => track.real);

beforeEach(() => {
  vi.useFakeTimers();
  FakeAudio.all = [];
  FakeAudio.refuse = undefined;
  vi.stubGlobal('Audio', FakeAudio);
  vi.stubGlobal('MediaStream', FakeStream);
  states = [];
  playback = new Playback((state) => states.push(state));
});
afterEach(() => {
  vi.useRealTimers();
});

function element(): FakeAudio {
  const [only, ...others] = FakeAudio.all;
  if (!only || others.length > 0) throw new Error(`${FakeAudio.all.length} audio elements`);
  return only;
}

test('nothing is made before the tap', () => {
  playback.carry(real(slots));
  expect(FakeAudio.all).toEqual([]);
});

test('the tap plays silence, and admission needs no other element', async () => {
  await playback.start(silence.real);
  expect(playback.state).toBe('playing');
  expect(element().srcObject?.getTracks()).toEqual([silence]);
  playback.carry(real(slots));
  expect(element().srcObject?.getTracks()).toEqual(slots);
  expect(playback.state).toBe('playing');
});

test('the sound of a new peer takes the place of the old one’s', async () => {
  await playback.start(silence.real);
  playback.carry(real(slots));
  const next = [new FakeTrack('audio', 'next')];
  playback.carry(real(next));
  expect(element().srcObject?.getTracks()).toEqual(next);
  playback.carry([]);
  expect(element().srcObject?.getTracks()).toEqual([silence]);
});

test('everybody in a visit of several is heard, also over a new peer', async () => {
  vi.stubGlobal('MediaStream', ChromiumStream);
  await playback.start(silence.real);
  playback.carry(real(slots));
  const stream = element().srcObject as ChromiumStream;
  expect(stream.heard).toEqual(slots);
  const next = [new FakeTrack('audio', 'next 0'), new FakeTrack('audio', 'next 1')];
  playback.carry(real(next));
  expect(stream.heard).toEqual(next);
  playback.carry([]);
  expect(stream.heard).toEqual([silence]);
});

test('a speaker that is chosen before the tap is used after it', async () => {
  await playback.selectOutput('headset');
  await playback.start(silence.real);
  expect(element().sink).toBe('headset');
});

test('a browser that wants a tap says so, and the next tap plays', async () => {
  FakeAudio.refuse = refusal('NotAllowedError');
  await playback.start(silence.real);
  expect(playback.state).toBe('blocked');
  FakeAudio.refuse = undefined;
  await playback.start(undefined);
  expect(states).toEqual(['blocked', 'playing']);
  expect(element().plays).toBe(2);
});

test('paused by the system, it tries again with growing gaps, and stops after ten', async () => {
  await playback.start(silence.real);
  FakeAudio.refuse = refusal('AbortError');
  element().pause();
  expect(playback.state).toBe('interrupted');
  const before = element().plays;
  await vi.advanceTimersByTimeAsync(200);
  expect(element().plays).toBe(before + 1);
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(element().plays).toBe(before + 10);
});

test('an interruption that ends by itself is over without a tap', async () => {
  await playback.start(silence.real);
  element().pause();
  await vi.advanceTimersByTimeAsync(200);
  expect(states).toEqual(['playing', 'interrupted', 'playing']);
});

test('closing lets go of the element and is no interruption', async () => {
  await playback.start(silence.real);
  const only = element();
  playback.close();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(only).toMatchObject({ paused: true, srcObject: null, plays: 1 });
  expect(states).toEqual(['playing', 'idle']);
});
