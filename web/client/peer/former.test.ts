import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FakeTrack } from '../testing/media';
import { FakePeerConnection, FakeWorker, ReadyWorker } from '../testing/rtc';
import { settled } from '../testing/socket';
import { inVisit, personOf, viewOf, welcomeOf } from '../testing/wire';
import type { Slot, View } from '../wire.gen';
import { Gatekeeper } from './gatekeeper';
import { PeerLink } from './link';

const osei = personOf('osei');
const microphone = new FakeTrack('audio').real;
const slots = (at: number, gen = 1): Slot[] =>
  Array.from({ length: 4 }, (_, i) => (i === at ? { seat: 'osei', gen } : { seat: '', gen: 0 }));

let link: PeerLink;
let former: FakePeerConnection;

/** A visit under way at a server that then hands the room over; the next one has answered the new offer. */
beforeEach(async () => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(0);
  FakePeerConnection.all = [];
  FakeWorker.all = [];
  vi.stubGlobal('Worker', ReadyWorker);
  vi.stubGlobal('RTCRtpScriptTransform', Object);
  vi.stubGlobal('RTCPeerConnection', FakePeerConnection);
  vi.stubGlobal('RTCRtpReceiver', { getCapabilities: () => null });
  link = new PeerLink(new Gatekeeper(), 4, {
    offer: (sdp) => Promise.resolve({ peer: `peer of ${sdp}`, sdp: 'answer' }),
    changed: () => undefined,
  });
  link.setTrack('audio', microphone);
  await link.welcomed(welcomeOf(inVisit([osei], slots(1))));
  await settled();
  former = FakePeerConnection.last;
  former.becomes('connected');
  comes(former, 1);
  link.handedOver();
  link.lineLost();
  expect(await link.greeting()).toEqual({ sdp: 'offer 1' });
});
afterEach(() => {
  link.close();
  vi.useRealTimers();
});

/** Sound and picture come for a pair of slots. */
function comes(pc: FakePeerConnection, slot: number): void {
  for (const track of pc.incoming.slice(2 * slot, 2 * slot + 2)) track.system('unmute');
}

async function welcomed(view: View): Promise<FakePeerConnection> {
  await link.welcomed(welcomeOf(view, { peer: 'next', answer: 'answer' }));
  await settled();
  return FakePeerConnection.last;
}

const sound = (pc: FakePeerConnection) => pc.senders[0]?.track;

test('the former peer is heard and seen until the next one brings what it brought', async () => {
  const next = await welcomed(inVisit([osei], slots(0)));
  expect([link.state, link.peer?.id, link.generation]).toEqual(['up', 'peer of offer 0', 1]);
  expect(link.slots).toEqual(slots(1));
  next.becomes('connected');
  expect([sound(former), sound(next)]).toEqual([microphone, microphone]);
  await vi.advanceTimersByTimeAsync(1000);
  expect(former.connectionState).toBe('connected');
  comes(next, 0);
  await vi.advanceTimersByTimeAsync(300);
  expect(former.connectionState).toBe('closed');
  expect([link.state, link.peer?.id, link.generation]).toEqual(['up', 'next', 2]);
  expect(link.slots).toBeUndefined();
});

test('not for longer than its server keeps it', async () => {
  const next = await welcomed(inVisit([osei], slots(0)));
  next.becomes('connected');
  await vi.advanceTimersByTimeAsync(3000);
  expect(former.connectionState).toBe('closed');
  expect(link.peer?.id).toBe('next');
});

test('its server may end it before', async () => {
  await welcomed(inVisit([osei], slots(0)));
  former.becomes('failed');
  expect(link.peer?.id).toBe('next');
  expect(link.state).toBe('interrupted');
});

test.each([
  ['who hold us', viewOf('held', { connect: true })],
  ['who part us from somebody', inVisit([personOf('osei', { state: 'held' })], slots(-1))],
  ['who send somebody away', inVisit([], slots(-1))],
])('it ends at once with a word of those %s', async (_, view) => {
  await welcomed(view);
  expect(former.connectionState).toBe('closed');
});

test('a line that breaks otherwise has no former peer', async () => {
  const next = await welcomed(inVisit([osei], slots(0)));
  next.becomes('connected');
  await vi.advanceTimersByTimeAsync(3000);
  link.lineLost();
  expect(await link.greeting()).toEqual({ peer: 'next' });
  await link.welcomed(welcomeOf(inVisit([osei], slots(0))));
  await settled();
  expect(next.connectionState).toBe('closed');
});
