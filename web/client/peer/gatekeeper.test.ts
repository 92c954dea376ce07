import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FakeSender, FakeWorker } from '../testing/rtc';
import { Gatekeeper } from './gatekeeper';

class FakeTransform {
  readonly options: unknown;
  constructor(_: unknown, options: unknown) {
    this.options = options;
  }
}

let gatekeeper: Gatekeeper;

beforeEach(() => {
  vi.useFakeTimers();
  FakeWorker.all = [];
  vi.stubGlobal('Worker', FakeWorker);
  vi.stubGlobal('RTCRtpScriptTransform', FakeTransform);
  gatekeeper = new Gatekeeper();
});
afterEach(() => {
  vi.useRealTimers();
});

function guarded(): FakeSender {
  const sender = new FakeSender('video');
  gatekeeper.gate().guard(sender as unknown as RTCRtpSender, 'video');
  return sender;
}

test('one worker holds the gates of all peers', async () => {
  const ready = gatekeeper.ready();
  FakeWorker.last.says({ tell: 'ready' });
  expect(await ready).toBe(true);
  expect(await gatekeeper.ready()).toBe(true);
  const options = [guarded(), guarded()].map(
    ({ transform }) => (transform as FakeTransform).options,
  );
  expect(options).toEqual([
    { gate: 1, kind: 'video' },
    { gate: 2, kind: 'video' },
  ]);
  expect(FakeWorker.all).toHaveLength(1);
});

test('a gate is opened and closed by its number', async () => {
  const ready = gatekeeper.ready();
  FakeWorker.last.says({ tell: 'ready' });
  await ready;
  const gate = gatekeeper.gate();
  gate.set(true);
  gate.set(false);
  expect(FakeWorker.last.told).toEqual([
    { tell: 'gate', gate: 1, open: true },
    { tell: 'gate', gate: 1, open: false },
  ]);
});

describe('there is no gate', () => {
  test('where the browser has no encoded transforms', async () => {
    vi.stubGlobal('RTCRtpScriptTransform', undefined);
    const ready = gatekeeper.ready();
    FakeWorker.last.says({ tell: 'ready' });
    expect(await ready).toBe(false);
  });

  test('where the worker does not load', async () => {
    const ready = gatekeeper.ready();
    FakeWorker.last.onerror?.();
    expect(await ready).toBe(false);
    expect(FakeWorker.last.terminated).toBe(true);
  });

  test('where it does not answer within 2 s', async () => {
    const ready = gatekeeper.ready();
    await vi.advanceTimersByTimeAsync(2000);
    expect(await ready).toBe(false);
  });
});

test('ticks move from the page to the worker, and stop', async () => {
  let ticks = 0;
  const stop = gatekeeper.metronome.every(1000, () => (ticks += 1));
  await vi.advanceTimersByTimeAsync(1000);
  expect(ticks).toBe(1);
  FakeWorker.last.says({ tell: 'ready' });
  await vi.advanceTimersByTimeAsync(500);
  for (let beat = 0; beat < 5; beat += 1) {
    FakeWorker.last.says({ tell: 'ticked', metronome: 1 });
    await vi.advanceTimersByTimeAsync(1000);
  }
  expect(ticks).toBe(6);
  stop();
  FakeWorker.last.says({ tell: 'ticked', metronome: 1 });
  await vi.advanceTimersByTimeAsync(5000);
  expect(ticks).toBe(6);
  expect(FakeWorker.last.told.at(-1)).toEqual({ tell: 'still', metronome: 1 });
});

test('where the worker falls silent the page ticks on', async () => {
  let ticks = 0;
  const stop = gatekeeper.metronome.every(1000, () => (ticks += 1));
  FakeWorker.last.says({ tell: 'ready' });
  await vi.advanceTimersByTimeAsync(500);
  FakeWorker.last.says({ tell: 'ticked', metronome: 1 });
  await vi.advanceTimersByTimeAsync(6000);
  // One of the worker's, one not waited for long enough, and from 3 s on each of the page's.
  expect(ticks).toBe(5);
  stop();
});

test.each([
  ['ahead', 3_600_000],
  ['back', -3_600_000],
])(
  'the clock is set an hour %s: the page takes over for a silent worker, and for no other',
  async (_, change) => {
    let ticks = 0;
    const stop = gatekeeper.metronome.every(1000, () => (ticks += 1));
    FakeWorker.last.says({ tell: 'ready' });
    await vi.advanceTimersByTimeAsync(500);
    FakeWorker.last.says({ tell: 'ticked', metronome: 1 });
    vi.setSystemTime(Date.now() + change);
    await vi.advanceTimersByTimeAsync(1000);
    expect(ticks).toBe(1);
    await vi.advanceTimersByTimeAsync(5000);
    // One of the worker's, and from 2 s on each of the page's.
    expect(ticks).toBe(5);
    stop();
  },
);

test('closed while it was starting, the worker does not stay behind', async () => {
  const ready = gatekeeper.ready();
  gatekeeper.close();
  FakeWorker.last.says({ tell: 'ready' });
  expect(await ready).toBe(false);
  expect(FakeWorker.last.terminated).toBe(true);
});
