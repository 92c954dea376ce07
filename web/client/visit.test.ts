import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Visit } from './api';
import { FakeDevices, FakeStream } from './testing/media';
import { FakePeerConnection, ReadyWorker } from './testing/rtc';
import { FakeSocket, settled } from './testing/socket';
import { viewOf, welcomeOf } from './testing/wire';
import { createVisit } from './visit';

/** Counts who listens, whichever way they go: removed, aborted, or with `once`. */
class Listeners {
  readonly #open: { target: EventTarget; type: string; fn: unknown; signal?: AbortSignal }[] = [];

  constructor() {
    const open = this.#open;
    const add = original('addEventListener');
    const remove = original('removeEventListener');
    vi.spyOn(EventTarget.prototype, 'addEventListener').mockImplementation(function (
      this: EventTarget,
      type,
      fn,
      options,
    ) {
      const signal = typeof options === 'object' ? options.signal : undefined;
      if (!(this instanceof AbortSignal))
        open.push({ target: this, type, fn, ...(signal && { signal }) });
      add.call(this, type, fn, options);
    });
    vi.spyOn(EventTarget.prototype, 'removeEventListener').mockImplementation(function (
      this: EventTarget,
      type,
      fn,
      options,
    ) {
      const at = open.findIndex((one) => one.target === this && one.type === type && one.fn === fn);
      if (at >= 0) open.splice(at, 1);
      remove.call(this, type, fn, options);
    });
  }

  on(target: EventTarget): number {
    return this.#open.filter((one) => one.target === target && one.signal?.aborted !== true).length;
  }
}

/** The method before it was spied on. */
function original<M extends 'addEventListener' | 'removeEventListener'>(name: M): EventTarget[M] {
  return Reflect.get(EventTarget.prototype, name);
}

class FakeDocument extends EventTarget {
  visibilityState = 'visible';
}

let page: EventTarget;
let doc: FakeDocument;
let devices: FakeDevices;
let listeners: Listeners;
let visit: Visit;

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.all = [];
  FakePeerConnection.all = [];
  page = new EventTarget();
  doc = new FakeDocument();
  devices = new FakeDevices();
  listeners = new Listeners();
  const globals = {
    WebSocket: FakeSocket,
    Worker: ReadyWorker,
    RTCPeerConnection: FakePeerConnection,
    RTCRtpReceiver: { getCapabilities: () => null },
    RTCRtpScriptTransform: Object,
    MediaStream: FakeStream,
    document: doc,
    navigator: { mediaDevices: devices, vendor: '' },
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

async function connected(view = viewOf('waiting')): Promise<FakeSocket> {
  const done = visit.connect();
  await settled();
  const socket = FakeSocket.last;
  socket.opens();
  await settled();
  socket.answers('hello', { d: welcomeOf(view) });
  await done;
  return socket;
}

test('making a visit does nothing at all', () => {
  expect(FakeSocket.all).toEqual([]);
  expect(devices.prompts).toEqual([]);
  expect(listeners.on(page) + listeners.on(doc) + listeners.on(devices)).toBe(0);
});

test('hello says who and where this page is', async () => {
  const socket = await connected();
  expect(socket.url).toBe('wss://clinic.test/v1/signal');
  expect(socket.hello).toMatchObject({
    handle: 'handle',
    tab: 'tab-of-this-browser',
    device: 'phone',
  });
  expect(visit.state).toBe('connected');
  expect(visit.view?.me.state).toBe('waiting');
});

test('close removes every listener, timer, track and connection', async () => {
  const socket = await connected(viewOf('waiting', { connect: true }));
  await visit.preview({ audio: true, video: true });
  await settled();
  const [pc] = FakePeerConnection.all;
  if (!pc) throw new Error('no peer');
  const places = [page, doc, devices, socket, pc, ...devices.opened];
  expect(places.filter((place) => listeners.on(place) === 0)).toEqual([]);
  let calls = 0;
  visit.subscribe(() => (calls += 1));
  visit.on('viewChanged', () => (calls += 1));

  visit.close();

  expect(places.filter((place) => listeners.on(place) > 0)).toEqual([]);
  expect(pc.connectionState).toBe('closed');
  expect(socket.readyState).toBe(3);
  expect(devices.opened.every(({ readyState }) => readyState === 'ended')).toBe(true);
  socket.says({ t: 'view', seq: 1, d: viewOf('admitted') });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(calls).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});

test('two visits on one page know nothing of each other', async () => {
  const socket = await connected();
  const other = createVisit({ url: 'https://other.test', handle: 'other', device: 'phone' });
  other.close();
  expect(visit.state).toBe('connected');
  expect(socket.readyState).toBe(FakeSocket.OPEN);
});

describe('page events never leave', () => {
  test.each(['freeze', 'pagehide', 'beforeunload', 'visibilitychange', 'blur'])(
    '%s',
    async (type) => {
      const socket = await connected();
      await visit.preview({ audio: true, video: true });
      doc.visibilityState = 'hidden';
      page.dispatchEvent(new Event(type));
      doc.dispatchEvent(new Event(type));
      await settled();
      expect(socket.sent.some(({ t }) => t === 'leave')).toBe(false);
      expect(socket.readyState).toBe(FakeSocket.OPEN);
      expect(devices.opened.every(({ readyState }) => readyState === 'live')).toBe(true);
    },
  );

  test('but the server is told that the camera rests', async () => {
    const socket = await connected();
    await visit.preview({ audio: true, video: true });
    await settled();
    doc.visibilityState = 'hidden';
    doc.dispatchEvent(new Event('visibilitychange'));
    expect(socket.asked('media').d).toEqual({ audio: 'on', video: 'hidden' });
  });
});

describe('the pace of a hidden page', () => {
  const hide = (state: 'hidden' | 'visible'): void => {
    doc.visibilityState = state;
    doc.dispatchEvent(new Event('visibilitychange'));
  };

  test('is slow without a media connection, until somebody looks', async () => {
    const socket = await connected();
    hide('hidden');
    expect(socket.asked('ping').d).toEqual({ nextMs: 15_000 });
    hide('visible');
    expect(socket.asked('ping').d).toEqual({});
  });

  test('is the usual one as soon as there is media', async () => {
    const socket = await connected();
    hide('hidden');
    socket.answers('ping', { d: { now: 0 } });
    socket.says({ t: 'view', seq: 1, d: viewOf('waiting', { connect: true }) });
    expect(socket.asked('ping').d).toEqual({});
  });
});

test('disconnect keeps the seat, leave gives it up', async () => {
  const socket = await connected();
  const left = visit.leave();
  socket.answers('leave', { d: {} });
  await left;
  visit.disconnect();
  expect(socket.sent.filter(({ t }) => t === 'leave')).toHaveLength(1);
  expect(visit.state).toBe('idle');
});

test('taken over elsewhere: the devices are for the other one, and only a person comes back', async () => {
  const socket = await connected();
  await visit.preview({ audio: true, video: true });
  socket.ends(4010);
  expect(visit.closed).toEqual({ code: 'taken_over' });
  expect(devices.opened.every(({ readyState }) => readyState === 'ended')).toBe(true);
  void visit.connect({ takeover: true }).catch(() => undefined);
  await settled();
  FakeSocket.last.opens();
  await settled();
  expect(FakeSocket.last.hello.takeover).toBe(true);
});

test('connect rejects with why there is no way in', async () => {
  const done = visit.connect();
  await settled();
  FakeSocket.last.opens();
  await settled();
  FakeSocket.last.answers('hello', { err: { code: 'seat_in_use', msg: '' } });
  await expect(done).rejects.toMatchObject({ code: 'seat_in_use' });
});

test('connect can be given up', async () => {
  const giveUp = new AbortController();
  const done = visit.connect({ signal: giveUp.signal });
  await settled();
  giveUp.abort();
  await expect(done).rejects.toMatchObject({ code: 'aborted' });
  expect(visit.state).toBe('idle');
});

test('who gave up before connects nothing', async () => {
  const done = visit.connect({ signal: AbortSignal.abort() });
  await expect(done).rejects.toMatchObject({ code: 'aborted' });
  expect(FakeSocket.all).toEqual([]);
});

test('closed while the token is exchanged, it opens no line', async () => {
  const joined = { handle: 'h', kind: 'seat', rooms: [] };
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(JSON.stringify(joined))));
  const other = createVisit({ url: 'https://clinic.test', token: 'token', device: 'phone' });
  const done = other.connect();
  other.close();
  await expect(done).rejects.toMatchObject({ code: 'closed' });
  expect(FakeSocket.all).toEqual([]);
});

test('after close nothing is opened any more', async () => {
  await connected();
  visit.close();
  const closed = { code: 'closed' };
  await expect(visit.connect()).rejects.toMatchObject(closed);
  await expect(visit.preview({ audio: true, video: true })).rejects.toMatchObject(closed);
  await expect(visit.camera.enable()).rejects.toMatchObject(closed);
  await expect(visit.startAudio()).rejects.toMatchObject(closed);
  await expect(visit.chat.send('anybody there?')).rejects.toMatchObject(closed);
  expect(devices.prompts).toEqual([]);
});

test('each welcome is told what the devices do, whether that changed or not', async () => {
  const socket = await connected();
  await visit.preview({ audio: true, video: true });
  await settled();
  expect(socket.asked('media').d).toEqual({ audio: 'on', video: 'on' });
  socket.ends();
  await vi.advanceTimersByTimeAsync(1000);
  const again = FakeSocket.last;
  again.opens();
  await settled();
  again.answers('hello', { d: welcomeOf(viewOf('waiting')) });
  await settled();
  expect(again.asked('media').d).toEqual({ audio: 'on', video: 'on' });
});

test('many changes of one turn are one call', async () => {
  const socket = await connected();
  await settled();
  let calls = 0;
  visit.subscribe(() => (calls += 1));
  socket.says({ t: 'view', seq: 1, d: viewOf('waiting') });
  socket.says({ t: 'view', seq: 2, d: viewOf('admitted') });
  await settled();
  expect(calls).toBe(1);
});
