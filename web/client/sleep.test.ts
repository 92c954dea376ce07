/** What a visit does when the device slept, or when somebody set its clock. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Visit } from './api';
import { FakeDevices, FakeStream } from './testing/media';
import { FakePeerConnection, ReadyWorker } from './testing/rtc';
import { FakeSocket, settled } from './testing/socket';
import { viewOf, welcomeOf } from './testing/wire';
import type { View } from './wire.gen';
import { createVisit } from './visit';

const tenMinutesMS = 600_000;
const hourMS = 3_600_000;

let page: EventTarget;
let visit: Visit;

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(0);
  FakeSocket.all = [];
  FakePeerConnection.all = [];
  page = new EventTarget();
  const globals = {
    WebSocket: FakeSocket,
    Worker: ReadyWorker,
    RTCPeerConnection: FakePeerConnection,
    RTCRtpReceiver: { getCapabilities: () => null },
    RTCRtpScriptTransform: Object,
    MediaStream: FakeStream,
    document: Object.assign(new EventTarget(), { visibilityState: 'visible' }),
    navigator: { mediaDevices: new FakeDevices(), vendor: '' },
    isSecureContext: true,
    addEventListener: page.addEventListener.bind(page),
  };
  for (const [name, value] of Object.entries(globals)) vi.stubGlobal(name, value);
  visit = createVisit({
    url: 'https://clinic.test/',
    handle: 'handle',
    device: 'phone',
    store: { getItem: () => 'tab-of-this-browser', setItem: () => undefined },
  });
});
afterEach(() => {
  visit.close();
  vi.useRealTimers();
});

/** Opens the newest socket and welcomes the page. */
async function welcomed(view: View, peer = ''): Promise<FakeSocket> {
  const socket = FakeSocket.last;
  socket.opens();
  await settled();
  socket.answers('hello', { d: welcomeOf(view, { peer }) });
  await settled();
  return socket;
}

async function connected(view = viewOf('waiting')): Promise<FakeSocket> {
  const done = visit.connect();
  await settled();
  const socket = await welcomed(view);
  await done;
  return socket;
}

/** Asleep, timers and their clock stand still; the time of day goes on. */
function sleeps(): void {
  vi.setSystemTime(Date.now() + tenMinutesMS);
}

/** Frozen by the browser, or on a machine whose timers' clock goes on: they are ten minutes late. */
function isFrozen(): void {
  const awake = performance.now.bind(performance);
  vi.spyOn(performance, 'now').mockImplementation(() => awake() + tenMinutesMS);
  sleeps();
}

/** Answers each ping of a socket for a while. */
async function lives(socket: FakeSocket, ms: number): Promise<void> {
  const answered = new Set<number>();
  for (let passed = 0; passed < ms; passed += 100) {
    for (const { t, id } of socket.sent) {
      if (t !== 'ping' || answered.has(id)) continue;
      answered.add(id);
      socket.says({ re: id, d: { now: Date.now() } });
    }
    await vi.advanceTimersByTimeAsync(100);
  }
}

describe.each([
  ['asleep for ten minutes', sleeps],
  ['frozen for ten minutes', isFrozen],
])('%s', (_, away) => {
  test('a line that died meanwhile is noticed within 4 s, and the same page comes back for its seat', async () => {
    const first = await connected();
    await lives(first, 3000);
    away();
    await vi.advanceTimersByTimeAsync(4001);
    expect(FakeSocket.all).toHaveLength(2);
    const again = await welcomed(viewOf('waiting'));
    expect(again.hello).toEqual(first.hello);
    expect(visit.state).toBe('connected');
    await lives(again, 60_000);
    expect(FakeSocket.all).toHaveLength(2);
  });

  test('a line that did not is kept', async () => {
    const socket = await connected();
    await lives(socket, 3000);
    away();
    await lives(socket, 10_000);
    expect(FakeSocket.all).toHaveLength(1);
    expect(visit.state).toBe('connected');
  });

  test('a line that was waiting for its next try goes on at once when the person is there', async () => {
    (await connected()).ends(4002);
    away();
    page.dispatchEvent(new Event('online'));
    expect(FakeSocket.all).toHaveLength(2);
  });

  test('media that the server has given up is made anew, in the same seat', async () => {
    const admitted = viewOf('admitted', { connect: true, send: true });
    const first = await connected(admitted);
    first.answers('offer', { d: { peer: 'first', sdp: 'answer' } });
    await settled();
    FakePeerConnection.last.becomes('connected');
    away();
    await vi.advanceTimersByTimeAsync(4001);
    const again = await welcomed(admitted);
    expect(again.hello.peer).toBe('first');
    await settled();
    expect(FakePeerConnection.all.map(({ connectionState }) => connectionState)).toEqual([
      'closed',
      'new',
    ]);
    again.answers('offer', { d: { peer: 'second', sdp: 'answer' } });
    await settled();
    FakePeerConnection.last.becomes('connected');
    expect(visit.link).toEqual({ signaling: 'up', media: 'up' });
  });
});

describe.each([
  ['ahead', hourMS],
  ['back', -hourMS],
])('the clock is set an hour %s', (_, change) => {
  const set = () => vi.setSystemTime(Date.now() + change);

  test('a line that is up stays, and the time shown too', async () => {
    const socket = await connected();
    const before = visit.now();
    set();
    expect(visit.now()).toBe(before);
    for (let round = 0; round < 10; round += 1) {
      await vi.advanceTimersByTimeAsync(2000);
      socket.answers('ping', { d: { now: before + (round + 1) * 2000 } });
    }
    expect(FakeSocket.all).toHaveLength(1);
    expect(visit.now()).toBe(before + 20_000);
  });

  test('a busy server is asked again when it was to be', async () => {
    (await connected()).ends(4002);
    set();
    await vi.advanceTimersByTimeAsync(999);
    expect(FakeSocket.all).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(FakeSocket.all).toHaveLength(2);
  });

  test('a server without room is asked again when it said', async () => {
    const socket = await connected(viewOf('waiting', { connect: true }));
    const offers = () => socket.sent.filter(({ t }) => t === 'offer').length;
    socket.answers('offer', { err: { code: 'full', msg: '', after: 12 } });
    await settled();
    set();
    await lives(socket, 11_900);
    expect(offers()).toBe(1);
    await lives(socket, 200);
    expect(offers()).toBe(2);
  });

  test('a command that could not be saved is sent again after a second', async () => {
    const socket = await connected();
    const sent = () => socket.sent.filter(({ t }) => t === 'leave').length;
    visit.leave().catch(() => undefined); // closed before it is answered
    socket.answers('leave', { err: { code: 'retry', msg: '', retry: true } });
    set();
    await vi.advanceTimersByTimeAsync(999);
    expect(sent()).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(sent()).toBe(2);
  });
});
