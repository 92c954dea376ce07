import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FakeSocket, settled } from '../testing/socket';
import { viewOf, welcomeOf } from '../testing/wire';
import type { Hello } from '../wire.gen';
import { Line, type LineState } from './line';
import { pageMetronome } from './metronome';

const hello: Hello = { handle: 'h', client: 'c', tab: 't', device: 'phone' };

let line: Line;
let states: LineState[];
let events: unknown[];

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(0);
  FakeSocket.all = [];
  vi.stubGlobal('WebSocket', FakeSocket);
  states = [];
  events = [];
  line = new Line('wss://clinic.test/v1/signal', pageMetronome, {
    hello: () => Promise.resolve(hello),
    welcomed: () => undefined,
    event: (event) => events.push(event),
    pong: () => undefined,
    offerRefused: () => undefined,
    changed: (state) => states.push(state),
  });
});
afterEach(() => {
  line.close();
  vi.useRealTimers();
});

async function greeted(): Promise<FakeSocket> {
  const socket = FakeSocket.last;
  socket.opens();
  await settled();
  return socket;
}

async function up(): Promise<FakeSocket> {
  const socket = await greeted();
  socket.answers('hello', { d: welcomeOf(viewOf('waiting')) });
  return socket;
}

async function started(): Promise<FakeSocket> {
  line.start();
  return up();
}

test('it opens, says hello first, and is up with the welcome', async () => {
  line.start();
  const socket = await greeted();
  expect(socket.url).toBe('wss://clinic.test/v1/signal');
  expect(socket.protocol).toBe('anteroom.v1');
  expect(socket.sent).toEqual([{ t: 'hello', id: 1, d: hello }]);
  socket.answers('hello', { d: welcomeOf(viewOf('waiting')) });
  expect(states).toEqual(['opening', 'greeting', 'up']);
});

test('a connection that just ends comes back, again and again', async () => {
  await started();
  for (let round = 0; round < 20; round += 1) {
    FakeSocket.last.ends();
    expect(line.state).toBe('waiting');
    await vi.advanceTimersToNextTimerAsync();
    expect(line.state).toBe('opening');
  }
  await up();
  expect(line.state).toBe('up');
});

test('commands asked while it was away are sent after the next welcome, not before', async () => {
  const first = await started();
  first.ends();
  const said = line.ask('chat', { text: 'still here' });
  await vi.advanceTimersByTimeAsync(0);
  const second = await greeted();
  expect(second.sent.map(({ t }) => t)).toEqual(['hello']);
  second.answers('hello', { d: welcomeOf(viewOf('waiting')) });
  expect(second.sent.map(({ t }) => t)).toEqual(['hello', 'chat']);
  second.answers('chat', { d: { n: 1 } });
  await expect(said).resolves.toEqual({ n: 1 });
});

describe('close codes', () => {
  test.each([
    [4010, 'taken_over'],
    [4011, 'no_session'],
    [4012, 'removed'],
    [4013, 'over'],
    [4014, 'outdated'],
  ])('%i ends it: %s', async (code, closed) => {
    const socket = await started();
    socket.ends(code);
    expect(line.closed).toBe(closed);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(FakeSocket.all).toHaveLength(1);
    await expect(line.ask('leave', {})).rejects.toMatchObject({ code: 'closed' });
  });

  test.each([1006, 1012, 4000, 4001, 4999])('%i comes back at once', async (code) => {
    const socket = await started();
    socket.ends(code);
    await vi.advanceTimersByTimeAsync(0);
    expect(FakeSocket.all).toHaveLength(2);
  });

  test('4002, busy, comes back later', async () => {
    const socket = await started();
    socket.ends(4002);
    await vi.advanceTimersByTimeAsync(999);
    expect(FakeSocket.all).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(FakeSocket.all).toHaveLength(2);
  });
});

test('a seat in use is the person’s to decide; the next hello is on a new connection', async () => {
  line.start();
  const socket = await greeted();
  socket.answers('hello', { err: { code: 'seat_in_use', msg: '' } });
  expect(line.closed).toBe('seat_in_use');
  line.start();
  expect(FakeSocket.all).toHaveLength(2);
  await up();
  expect(line.closed).toBeUndefined();
});

test('a hello that is refused for a reason of the future is tried again later', async () => {
  line.start();
  const socket = await greeted();
  socket.says({ re: 1, err: { code: 'moon_is_full', msg: '' } });
  expect(line.state).toBe('waiting');
});

test('silence of more than 5 s is a dead line', async () => {
  await started();
  await vi.advanceTimersByTimeAsync(5000);
  expect(line.state).toBe('up');
  await vi.advanceTimersByTimeAsync(2501);
  expect(FakeSocket.all).toHaveLength(2);
});

test('pings that are answered keep it up', async () => {
  const socket = await started();
  for (let round = 0; round < 10; round += 1) {
    await vi.advanceTimersByTimeAsync(2500);
    socket.answers('ping', { d: { now: Date.now() } });
  }
  expect(FakeSocket.all).toEqual([socket]);
  expect(line.state).toBe('up');
});

describe('the person comes back to the page', () => {
  test('a line that answers within 2 s stays', async () => {
    const socket = await started();
    line.woke();
    expect(line.state).toBe('probing');
    socket.answers('ping', { d: { now: 0 } });
    expect(line.state).toBe('up');
    await vi.advanceTimersByTimeAsync(2000);
    expect(FakeSocket.all).toHaveLength(1);
  });

  test('one that does not is replaced', async () => {
    await started();
    line.woke();
    await vi.advanceTimersByTimeAsync(2001);
    expect(FakeSocket.all).toHaveLength(2);
  });

  test('a wait is cut short, with no debt from the tries before', async () => {
    const socket = await started();
    socket.ends(4002);
    line.woke();
    expect(FakeSocket.all).toHaveLength(2);
  });

  test('out of the back-forward cache it opens anew', async () => {
    await started();
    line.reopen();
    expect(FakeSocket.all).toHaveLength(2);
  });
});

test('a server that does not welcome within 5 s is tried again', async () => {
  line.start();
  await greeted();
  await vi.advanceTimersByTimeAsync(5001);
  expect(FakeSocket.all).toHaveLength(2);
});

test('nothing is heard of a connection that was replaced', async () => {
  const old = await started();
  old.ends();
  await vi.advanceTimersByTimeAsync(0);
  await up();
  old.says({ t: 'view', seq: 9, d: {} });
  old.ends(4013);
  expect(events).toEqual([]);
  expect(line.state).toBe('up');
});

test('who asks for it while it waits is not kept waiting', async () => {
  const socket = await started();
  socket.ends(4002);
  line.start();
  expect(FakeSocket.all).toHaveLength(2);
});

test('after the end for good nobody waits for an answer', async () => {
  await started();
  line.close();
  await expect(line.ask('leave', {})).rejects.toMatchObject({ code: 'closed' });
});

test('disconnect keeps the commands for the next start', async () => {
  await started();
  const said = line.ask('chat', { text: 'later' });
  line.stop();
  expect(line.state).toBe('idle');
  const socket = await started();
  expect(socket.sent.map(({ t }) => t)).toEqual(['hello', 'chat']);
  line.close();
  await expect(said).rejects.toMatchObject({ code: 'closed' });
});
