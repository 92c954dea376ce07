import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { VisitError } from '../errors';
import { FakeTrack } from '../testing/media';
import { FakePeerConnection, FakeWorker, ReadyWorker } from '../testing/rtc';
import { settled } from '../testing/socket';
import { viewOf, welcomeOf } from '../testing/wire';
import type { Answer, View } from '../wire.gen';
import { Gatekeeper } from './gatekeeper';
import { PeerLink } from './link';

const camera = new FakeTrack('video').real;
const microphone = new FakeTrack('audio').real;

let link: PeerLink;
let offers: string[];
let answer: (sdp: string) => Promise<Answer>;

function surroundings(): void {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(0);
  FakePeerConnection.all = [];
  FakeWorker.all = [];
  vi.stubGlobal('Worker', ReadyWorker);
  vi.stubGlobal('RTCRtpScriptTransform', Object);
  vi.stubGlobal('RTCPeerConnection', FakePeerConnection);
  vi.stubGlobal('RTCRtpReceiver', { getCapabilities: () => null });
  offers = [];
  answer = (sdp) => Promise.resolve({ peer: `peer of ${sdp}`, sdp: 'answer' });
  link = new PeerLink(new Gatekeeper(), 4, {
    offer: (sdp) => {
      offers.push(sdp);
      return answer(sdp);
    },
    changed: () => undefined,
  });
}

beforeEach(surroundings);
afterEach(() => {
  link.close();
  vi.useRealTimers();
});

const waits = (more: Partial<View> = {}) => viewOf('waiting', { connect: true, ...more });

async function welcomed(view: View, peer = ''): Promise<void> {
  await link.welcomed(welcomeOf(view, { peer }));
  await settled();
}

async function connected(): Promise<FakePeerConnection> {
  await welcomed(waits());
  FakePeerConnection.last.becomes('connected');
  return FakePeerConnection.last;
}

const attached = () => FakePeerConnection.last.senders.map(({ track }) => track);
const gate = () => FakeWorker.last.told.findLast(({ tell }) => tell === 'gate');

test('no peer before the view wants one', async () => {
  await welcomed(viewOf('checking'));
  expect(offers).toEqual([]);
  expect(link.state).toBe('none');
  link.viewed(waits());
  await settled();
  expect(offers).toEqual(['offer 0']);
  expect(link.state).toBe('connecting');
});

describe('a peer is built before it is wanted', () => {
  beforeEach(async () => {
    await welcomed(viewOf('checking'));
    await vi.advanceTimersByTimeAsync(500);
  });

  test('and offered when it is', async () => {
    expect(FakePeerConnection.all).toHaveLength(1);
    expect(offers).toEqual([]);
    link.viewed(waits());
    await settled();
    expect(offers).toEqual(['offer 0']);
    expect(FakePeerConnection.all).toHaveLength(1);
    expect(link.state).toBe('connecting');
  });

  test('and closed with the page, or when the person goes', async () => {
    link.viewed(viewOf('left'));
    expect(FakePeerConnection.last.connectionState).toBe('closed');
    link.viewed(viewOf('checking'));
    await vi.advanceTimersByTimeAsync(500);
    expect(FakePeerConnection.all).toHaveLength(2);
    link.close();
    expect(FakePeerConnection.last.connectionState).toBe('closed');
  });

  test('but not by a page that closed meanwhile', async () => {
    await welcomed(viewOf('checking'));
    link.close();
    await vi.advanceTimersByTimeAsync(1000);
    expect(FakePeerConnection.all).toHaveLength(1);
  });
});

test('the offer has own sound and picture first, then four pairs, and its gates already', async () => {
  const pc = await connected();
  const pairs = Array.from({ length: 4 }, () => ['audio recvonly', 'video recvonly']).flat();
  expect(pc.directions).toEqual(['audio sendonly', 'video sendonly', ...pairs]);
  expect(pc.gatedAtOffer).toBe(true);
  expect(link.state).toBe('up');
});

describe('what may leave the device', () => {
  beforeEach(async () => {
    await connected();
    link.setTrack('audio', microphone);
    link.setTrack('video', camera);
    await settled();
  });

  test('while waiting nothing is attached', () => {
    expect(attached()).toEqual([null, null]);
    expect(gate()).toMatchObject({ open: false });
  });

  test('armed, the encoders run behind the closed gate; admitted, it opens', async () => {
    link.viewed(waits({ arm: true }));
    await settled();
    expect(attached()).toEqual([microphone, camera]);
    expect(gate()).toMatchObject({ open: false });
    link.viewed(viewOf('admitted', { connect: true, send: true }));
    expect(gate()).toMatchObject({ open: true });
  });

  test('on hold the gate closes at once', async () => {
    link.viewed(viewOf('admitted', { connect: true, send: true }));
    await settled();
    link.viewed(viewOf('held', { connect: true }));
    expect(gate()).toMatchObject({ open: false });
    await settled();
    expect(attached()).toEqual([null, null]);
  });

  describe('who leaves is hushed before the server knows', () => {
    const admitted = viewOf('admitted', { connect: true, send: true });
    beforeEach(() => {
      link.viewed(admitted);
      link.hush();
    });

    test('whatever the server said before it heard', async () => {
      expect(gate()).toMatchObject({ open: false });
      link.viewed(admitted);
      link.lineLost();
      await welcomed(admitted, 'peer of offer 0');
      expect(gate()).toMatchObject({ open: false });
      expect(attached()).toEqual([null, null]);
      expect(link.sending).toBe(false);
    });

    test('until it does not let them go', () => {
      link.unhush();
      expect(gate()).toMatchObject({ open: true });
    });

    test('and heard again in the next visit', () => {
      link.viewed(viewOf('expected', { connect: true }));
      link.viewed(admitted);
      expect(gate()).toMatchObject({ open: true });
    });
  });
});

test('without encoded transforms a track is attached only when it may leave', async () => {
  vi.stubGlobal('RTCRtpScriptTransform', undefined);
  await connected();
  link.setTrack('video', camera);
  link.viewed(waits({ arm: true }));
  await settled();
  expect(attached()).toEqual([null, null]);
  link.viewed(viewOf('admitted', { connect: true, send: true }));
  await settled();
  expect(attached()).toEqual([null, camera]);
});

describe('the line to the server breaks', () => {
  test('a living peer goes on and is named in the next hello', async () => {
    const pc = await connected();
    link.lineLost();
    expect(await link.greeting()).toEqual({ peer: 'peer of offer 0' });
    await welcomed(waits(), 'peer of offer 0');
    expect(pc.connectionState).toBe('connected');
    expect(FakePeerConnection.all).toHaveLength(1);
  });

  test('a server that has lost it gets a new one', async () => {
    const pc = await connected();
    link.lineLost();
    await welcomed(waits(), '');
    expect(pc.connectionState).toBe('closed');
    expect(offers).toEqual(['offer 0', 'offer 1']);
  });

  test('a dead one is replaced within the hello itself', async () => {
    const pc = await connected();
    link.lineLost();
    pc.becomes('failed');
    expect(await link.greeting()).toEqual({ sdp: 'offer 1' });
    await link.welcomed(welcomeOf(waits(), { peer: 'new', answer: 'answer in welcome' }));
    expect(FakePeerConnection.last.answer).toBe('answer in welcome');
    expect(link.peer?.id).toBe('new');
    expect(offers).toEqual(['offer 0']);
  });
});

describe('the way of the media breaks', () => {
  test('a failed peer is replaced at once', async () => {
    (await connected()).becomes('failed');
    await vi.advanceTimersByTimeAsync(1);
    expect(offers).toHaveLength(2);
    expect(link.state).toBe('interrupted');
  });

  test('a hiccup is waited for', async () => {
    const pc = await connected();
    pc.becomes('disconnected');
    await vi.advanceTimersByTimeAsync(4000);
    pc.becomes('connected');
    await vi.advanceTimersByTimeAsync(20_000);
    expect(FakePeerConnection.all).toHaveLength(1);
  });

  test('more than 5 s is no hiccup', async () => {
    (await connected()).becomes('disconnected');
    await vi.advanceTimersByTimeAsync(5001);
    expect(FakePeerConnection.all).toHaveLength(2);
  });

  test('one that never connects is given up after 12 s', async () => {
    await welcomed(waits());
    await vi.advanceTimersByTimeAsync(12_001);
    expect(FakePeerConnection.all).toHaveLength(2);
  });
});

describe('a refused offer', () => {
  const refuse = (code: 'not_yet' | 'bad_offer') => {
    answer = () => Promise.reject(new VisitError(code, ''));
  };

  test('not yet: the next view says when', async () => {
    refuse('not_yet');
    await welcomed(waits());
    await vi.advanceTimersByTimeAsync(60_000);
    expect(offers).toHaveLength(1);
    link.viewed(waits());
    await settled();
    expect(offers).toHaveLength(2);
  });

  test('full: when the server says, and the page can tell', async () => {
    answer = () => Promise.reject(new VisitError('full', '', { after: 12 }));
    await welcomed(waits());
    expect(link.state).toBe('full');
    await vi.advanceTimersByTimeAsync(11_999);
    expect(offers).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(offers).toHaveLength(2);
    expect(link.state).toBe('full');
    answer = (sdp) => Promise.resolve({ peer: `peer of ${sdp}`, sdp: 'answer' });
    await vi.advanceTimersByTimeAsync(12_000);
    expect(offers).toHaveLength(3);
    expect(link.state).toBe('connecting');
  });

  test('full: whoever is let in after all asks at once', async () => {
    answer = () => Promise.reject(new VisitError('full', '', { after: 12 }));
    await welcomed(waits());
    answer = (sdp) => Promise.resolve({ peer: `peer of ${sdp}`, sdp: 'answer' });
    const visit: View['visit'] = {
      id: 'v',
      phase: 'active',
      scheduledAt: 0,
      startedAt: 1,
      with: [],
      locked: false,
    };
    link.viewed(viewOf('admitted', { connect: true, send: true, visit }));
    await settled();
    expect(offers).toHaveLength(2);
    expect(link.state).toBe('connecting');
  });

  test('anything else is tried again, ever more slowly', async () => {
    refuse('bad_offer');
    await welcomed(waits());
    await vi.advanceTimersByTimeAsync(60_000);
    expect(offers.length).toBeGreaterThan(3);
    expect(offers.length).toBeLessThan(12);
  });
});

test('an offer that failed does not take a newer peer with it', async () => {
  let fail: (error: Error) => void = () => undefined;
  answer = () => new Promise((_, reject) => (fail = reject));
  await welcomed(waits());
  link.lineLost();
  await link.greeting();
  fail(new VisitError('offline', ''));
  await settled();
  expect(FakePeerConnection.all.map(({ connectionState }) => connectionState)).toEqual([
    'closed',
    'new',
  ]);
});

test('when the visit is over there is no peer', async () => {
  const pc = await connected();
  link.viewed(viewOf('admitted'));
  expect(pc.connectionState).toBe('closed');
  expect(link.state).toBe('none');
});
