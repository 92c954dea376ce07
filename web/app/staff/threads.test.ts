import { expect, test } from 'vitest';
import type { Message } from '../../client/index';
import { live } from '../state/live';
import { FakeVisit, someone } from './testing';
import { createThreads } from './threads';

function message(n: number, more: Partial<Message> = {}): Message {
  return {
    visit: 'visit-1',
    n,
    from: 'maria',
    mine: false,
    name: 'Maria Lopez',
    role: 'patient',
    at: 1,
    text: `message ${n}`,
    thread: 'maria',
    ...more,
  };
}

function setUp() {
  const fake = new FakeVisit();
  const threads = createThreads(live(fake.visit));
  return { fake, threads };
}

test('counts what a waiting person wrote until their conversation is opened', () => {
  const { fake, threads } = setUp();
  fake.set({ messages: [message(1), message(2, { mine: true }), message(3)] });
  expect(threads.unread(someone)).toBe(2);
  threads.toggle(someone);
  expect(threads.unread(someone)).toBe(0);
  fake.set({ messages: [message(1), message(3), message(4)] });
  expect(threads.unread(someone)).toBe(0);
  threads.toggle(someone);
  fake.set({ messages: [message(4), message(5)] });
  expect(threads.unread(someone)).toBe(1);
});

test('messages of the visit and of others do not count', () => {
  const { fake, threads } = setUp();
  fake.set({ messages: [message(1, { thread: '' }), message(2, { thread: 'john' })] });
  expect(threads.unread(someone)).toBe(0);
});

test('a conversation is the same one each time, with that person only', () => {
  const { fake, threads } = setUp();
  fake.set({ messages: [message(1), message(2, { thread: 'john' }), message(3, { thread: '' })] });
  const talk = threads.of(someone);
  expect(threads.of(someone)).toBe(talk);
  expect(talk.lines.value.map(({ text }) => text)).toEqual(['message 1']);
});
