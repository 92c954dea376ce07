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
    handedOver: () => undefined,
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

  test.each([1006, 1012, 4000, 4001, 4003, 4999])('%i comes back at once', async (code) => {
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

test.each([
  [true, 50],
  [false, 250],
])('comes back within its time (somebody talks: %s, %i ms)', async (hurried, withinMS) => {
  vi.spyOn(Math, 'random').mockReturnValue(1 - Number.EPSILON);
  const socket = await started();
  line.hurry(hurried);
  socket.ends();
  await vi.advanceTimersByTimeAsync(withinMS - 2);
  expect(FakeSocket.all).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(2);
  expect(FakeSocket.all).toHaveLength(2);
});

describe('a line that is open but dead', () => {
  test('is noticed 1.8 s after the ping that nobody answered, and replaced', async () => {
    await started();
    await vi.advanceTimersByTimeAsync(3799);
    expect(line.state).toBe('up');
    await vi.advanceTimersByTimeAsync(2);
    expect(FakeSocket.all).toHaveLength(2);
  });

  test.each(Array.from({ length: 20 }, (_, i) => i * 200))(
    'is noticed within 4.1 s, if it dies %i ms after the welcome',
    async (dies) => {
      const socket = await started();
      const from = Date.now();
      for (const asked = new Set<number>(); Date.now() - from < dies;) {
        await vi.advanceTimersByTimeAsync(100);
        const { t, id } = socket.sent.at(-1) ?? {};
        if (t !== 'ping' || id === undefined || asked.has(id)) continue;
        asked.add(id);
        socket.says({ re: id, d: { now: Date.now() } });
      }
      const died = Date.now();
      while (line.state === 'up') await vi.advanceTimersByTimeAsync(10);
      expect(Date.now() - died).toBeLessThanOrEqual(4100);
    },
  );

  test('pings that are answered keep it up', async () => {
    const socket = await started();
    for (let round = 0; round < 1000; round += 1) {
      await vi.advanceTimersByTimeAsync(2000);
      socket.answers('ping', { d: { now: Date.now() } });
    }
    expect(FakeSocket.all).toEqual([socket]);
    expect(line.state).toBe('up');
  });

  test('a ping goes out when the server wants it, and those after it at the usual pace', async () => {
    const socket = await started();
    const pings = () => socket.sent.filter(({ t }) => t === 'ping').length;
    await vi.advanceTimersByTimeAsync(2000);
    socket.answers('ping', { d: { now: 0, nextMs: 700 } });
    await vi.advanceTimersByTimeAsync(699);
    expect(pings()).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(pings()).toBe(2);
    for (let round = 3; round < 6; round += 1) {
      socket.answers('ping', { d: { now: 0 } });
      await vi.advanceTimersByTimeAsync(2000);
      expect(pings()).toBe(round);
    }
    await vi.advanceTimersByTimeAsync(2001);
    expect(FakeSocket.all).toHaveLength(2);
  });

  test('that the server wants one later than the usual pace is not heeded', async () => {
    const socket = await started();
    await vi.advanceTimersByTimeAsync(2000);
    socket.answers('ping', { d: { now: 0, nextMs: 60_000 } });
    await vi.advanceTimersByTimeAsync(2000);
    expect(socket.sent.filter(({ t }) => t === 'ping')).toHaveLength(2);
  });

  test('any sign of life will do', async () => {
    const socket = await started();
    for (let round = 0; round < 10; round += 1) {
      await vi.advanceTimersByTimeAsync(1700);
      socket.says({ t: 'view', seq: round + 1, d: {} });
    }
    expect(FakeSocket.all).toEqual([socket]);
  });

  test.each([-3_600_000, 3_600_000])(
    'is told from a clock that is set by %i ms',
    async (change) => {
      const socket = await started();
      await vi.advanceTimersByTimeAsync(2000);
      socket.answers('ping', { d: { now: 0 } });
      vi.setSystemTime(Date.now() + change);
      for (let round = 0; round < 5; round += 1) {
        await vi.advanceTimersByTimeAsync(2000);
        socket.answers('ping', { d: { now: 0 } });
      }
      expect(FakeSocket.all).toEqual([socket]);
      await vi.advanceTimersByTimeAsync(4001);
      expect(FakeSocket.all).toHaveLength(2);
    },
  );
});

describe('a page that rests', () => {
  const pings = (socket: FakeSocket) => socket.sent.filter(({ t }) => t === 'ping');

  test('says so at once, and asks seldom', async () => {
    const socket = await started();
    line.rest(true);
    expect(socket.asked('ping').d).toEqual({ nextMs: 15_000 });
    for (let round = 0; round < 4; round += 1) {
      socket.answers('ping', { d: { now: 0 } });
      await vi.advanceTimersByTimeAsync(15_000);
    }
    expect(pings(socket).map(({ d }) => d)).toEqual(Array(5).fill({ nextMs: 15_000 }));
  });

  test('says so again on a new line', async () => {
    const first = await started();
    line.rest(true);
    first.ends();
    await vi.advanceTimersByTimeAsync(0);
    const second = await up();
    expect(pings(second).map(({ d }) => d)).toEqual([{ nextMs: 15_000 }]);
  });

  test('asks at the usual pace once somebody looks', async () => {
    const socket = await started();
    line.rest(true);
    socket.answers('ping', { d: { now: 0 } });
    line.rest(false);
    expect(pings(socket).map(({ d }) => d)).toEqual([{ nextMs: 15_000 }, {}]);
    socket.answers('ping', { d: { now: 0 } });
    await vi.advanceTimersByTimeAsync(2000);
    expect(pings(socket)).toHaveLength(3);
  });

  test('notices a dead line when it asks', async () => {
    const socket = await started();
    line.rest(true);
    socket.answers('ping', { d: { now: 0 } });
    await vi.advanceTimersByTimeAsync(17_001);
    expect(FakeSocket.all).toHaveLength(2);
  });
});

test('a dead line is noticed by the next tick where timers do not run in time', async () => {
  let tick = (): void => undefined;
  const sluggish = new Line(
    'wss://clinic.test/v1/signal',
    { every: (_, run) => ((tick = run), () => undefined) },
    {
      hello: () => Promise.resolve(hello),
      welcomed: () => undefined,
      event: () => undefined,
      pong: () => undefined,
      offerRefused: () => undefined,
      handedOver: () => undefined,
      changed: () => undefined,
    },
  );
  sluggish.start();
  await up();
  vi.setSystemTime(Date.now());
  tick();
  vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 2000);
  tick();
  expect(sluggish.state).toBe('waiting');
  sluggish.close();
});

describe('the person comes back to the page', () => {
  test('a line that answers in time stays', async () => {
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
