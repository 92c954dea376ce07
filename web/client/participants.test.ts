import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Participants, type Receiving } from './participants';
import type { Peer } from './peer/peer';
import { FakeStream, FakeTrack, FakeVideo } from './testing/media';
import { inVisit, personOf } from './testing/wire';

const tracks = [new FakeTrack('video', 'slot 0'), new FakeTrack('video', 'slot 1')];
const receiving: Receiving = {
  generation: 1,
  peer: {
    slot: (i: number) => (tracks[i] ? { audio: tracks[i], video: tracks[i] } : undefined),
  } as unknown as Peer,
};

let people: Participants;
let changes: number;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('MediaStream', FakeStream);
  changes = 0;
  people = new Participants(() => (changes += 1));
});
afterEach(() => {
  vi.useRealTimers();
});

const osei = personOf('osei');
const lin = personOf('lin', { name: 'Dr Lin' });

function shown(seat: string) {
  const person = people.all.find((one) => one.seat === seat);
  if (!person) throw new Error(`${seat} is not here`);
  return person;
}

function attached(seat: string): FakeVideo {
  const element = new FakeVideo();
  shown(seat).video.attach(element.real);
  return element;
}

function uncovered(seat: string): FakeVideo {
  const element = attached(seat);
  vi.advanceTimersByTime(10);
  element.frame(performance.now());
  return element;
}

test('a person is in the slot that the view says', () => {
  people.update(
    inVisit(
      [osei, lin],
      [
        { seat: 'lin', gen: 1 },
        { seat: 'osei', gen: 1 },
      ],
    ),
    receiving,
  );
  expect(shown('osei').slot).toBe(1);
  expect(attached('osei').srcObject?.getTracks()).toEqual([tracks[1]]);
});

test('a picture is covered until a frame has come', () => {
  people.update(inVisit([osei], [{ seat: 'osei', gen: 1 }]), receiving);
  const element = attached('osei');
  expect(shown('osei').video.covered).toBe(true);
  vi.advanceTimersByTime(10);
  element.frame(performance.now());
  expect(shown('osei').video.covered).toBe(false);
  expect(changes).toBe(1);
});

test('a new start covers at once, and a frame from before it does not uncover', () => {
  people.update(inVisit([osei], [{ seat: 'osei', gen: 1 }]), receiving);
  const element = uncovered('osei');
  const before = performance.now();
  vi.advanceTimersByTime(10);
  people.update(inVisit([osei], [{ seat: 'osei', gen: 2 }]), receiving);
  expect(shown('osei').video.covered).toBe(true);
  element.frame(before);
  expect(shown('osei').video.covered).toBe(true);
  element.frame(performance.now() + 1);
  expect(shown('osei').video.covered).toBe(false);
});

test('a browser whose frames know another clock does not stay covered', () => {
  people.update(inVisit([osei], [{ seat: 'osei', gen: 1 }]), receiving);
  const element = attached('osei');
  element.frame(-1);
  expect(shown('osei').video.covered).toBe(true);
  vi.advanceTimersByTime(2001);
  element.frame(-1);
  expect(shown('osei').video.covered).toBe(false);
});

test('the next person in the same slot does not inherit the picture', () => {
  people.update(inVisit([osei], [{ seat: 'osei', gen: 1 }]), receiving);
  const of = uncovered('osei');
  people.update(inVisit([lin], [{ seat: 'lin', gen: 2 }]), receiving);
  expect(of.srcObject).toBeNull();
  expect(shown('lin').video.covered).toBe(true);
});

test.each([
  ['on hold', { state: 'held' as const }],
  ['with the camera off', { media: { audio: 'on' as const, video: 'off' as const } }],
])('%s there is no picture, not even the last one', (_, change) => {
  people.update(inVisit([osei], [{ seat: 'osei', gen: 1 }]), receiving);
  const element = uncovered('osei');
  people.update(inVisit([personOf('osei', change)], [{ seat: 'osei', gen: 1 }]), receiving);
  expect(shown('osei').video.covered).toBe(true);
  expect(element.srcObject).toBeNull();
});

test('a picture that is paused is covered again at the end, until a frame has come', () => {
  const view = inVisit([osei], [{ seat: 'osei', gen: 1 }]);
  people.update(view, receiving);
  const element = uncovered('osei');
  people.update({ ...view, paused: true }, receiving);
  expect(shown('osei').paused).toBe(true);
  element.frame(performance.now() + 1); // it was on its way
  vi.advanceTimersByTime(10);
  people.update(view, receiving);
  expect(shown('osei').paused).toBe(false);
  expect(shown('osei').video.covered).toBe(true);
  element.frame(performance.now() + 1);
  expect(shown('osei').video.covered).toBe(false);
  expect(element.srcObject?.getTracks()).toEqual([tracks[0]]);
});

test.each([
  ['the camera is off', personOf('osei', { media: { audio: 'on', video: 'off' } })],
  ['they are on hold', personOf('osei', { state: 'held' })],
])('no picture is paused where %s', (_, person) => {
  const view = inVisit([person], [{ seat: 'osei', gen: 1 }]);
  people.update({ ...view, paused: true }, receiving);
  expect(shown('osei').paused).toBe(false);
});

test('the own picture is not paused, nor one that no slot carries', () => {
  const view = inVisit([personOf('me'), osei], []);
  people.update({ ...view, paused: true }, receiving);
  expect(people.all.map(({ paused }) => paused)).toEqual([false, false]);
});

test('a new peer is a new start', () => {
  const view = inVisit([osei], [{ seat: 'osei', gen: 1 }]);
  people.update(view, receiving);
  uncovered('osei');
  people.update(view, { ...receiving, generation: 2 });
  expect(shown('osei').video.covered).toBe(true);
});

test('without a change a picture stays as it is', () => {
  const view = inVisit([osei], [{ seat: 'osei', gen: 1 }]);
  people.update(view, receiving);
  uncovered('osei');
  const { video } = shown('osei');
  people.update(view, receiving);
  expect(shown('osei').video).toBe(video);
  expect(video.covered).toBe(false);
});

test('a detached element lets its picture go', () => {
  people.update(inVisit([osei], [{ seat: 'osei', gen: 1 }]), receiving);
  const element = new FakeVideo();
  const detach = shown('osei').video.attach(element.real);
  expect(element).toMatchObject({ muted: true, playsInline: true });
  detach();
  expect(element.srcObject).toBeNull();
});

test('the person knows which one they are', () => {
  people.update(inVisit([personOf('me', { role: 'patient' }), osei], []), receiving);
  expect(people.all.map(({ seat, me, slot }) => [seat, me, slot])).toEqual([
    ['me', true, undefined],
    ['osei', false, undefined],
  ]);
});

test('while a former peer brings people they stay as they were, until it ends', () => {
  const slots = [{ seat: 'osei', gen: 1 }];
  people.update(inVisit([osei], slots), receiving);
  const element = uncovered('osei');
  const unknown = personOf('osei', { link: 'reconnecting', media: { audio: 'off', video: 'off' } });
  people.update(inVisit([unknown], []), { ...receiving, slots });
  expect(shown('osei')).toMatchObject({ link: 'connected', media: { video: 'on' } });
  expect(element.srcObject).not.toBeNull();
  people.update(inVisit([unknown], []), receiving);
  expect(shown('osei')).toMatchObject({ link: 'reconnecting', media: { video: 'off' } });
});

test('a next peer that brings the same people goes on without a cover', () => {
  const slots = [{ seat: 'osei', gen: 1 }];
  people.update(inVisit([osei], slots), receiving);
  const element = uncovered('osei');
  const { srcObject } = element;
  const next = new FakeTrack('video', 'slot 0 of the next');
  const peer = { slot: () => ({ audio: next, video: next }) } as unknown as Peer;
  people.update(inVisit([osei], slots), { peer, generation: 2, continued: 1 });
  expect(element.srcObject).toBe(srcObject);
  expect(element.srcObject?.getTracks()).toEqual([next]);
  expect(shown('osei').video.covered).toBe(false);
  people.update(inVisit([osei], slots), { ...receiving, generation: 3 });
  expect(shown('osei').video.covered).toBe(true);
});

test('slots of a former peer go by its own order, and only for who is still here', () => {
  const former = {
    ...receiving,
    slots: [
      { seat: 'osei', gen: 4 },
      { seat: 'lin', gen: 5 },
    ],
  };
  people.update(inVisit([osei, personOf('lin', { state: 'held' })], []), former);
  expect(attached('osei').srcObject).not.toBeNull();
  expect(attached('lin').srcObject).toBeNull();
});
