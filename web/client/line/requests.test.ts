import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Request } from '../wire.gen';
import { Requests } from './requests';

let requests: Requests;
let sent: Request[];
const send = (request: Request) => sent.push(request);

beforeEach(() => {
  vi.useFakeTimers();
  requests = new Requests();
  sent = [];
});
afterEach(() => {
  vi.useRealTimers();
});

test('an answer settles its own request', async () => {
  requests.up(send);
  const first = requests.ask('check_in', {});
  const second = requests.ask('chat', { text: 'hello' });
  requests.answered({ re: 2, d: { n: 7 } });
  await expect(second).resolves.toEqual({ n: 7 });
  requests.answered({ re: 1, err: { code: 'removed', msg: '' } });
  await expect(first).rejects.toMatchObject({ code: 'removed' });
});

test('commands without an answer go out again in order, with the ids they had', () => {
  requests.up(send);
  void requests.ask('chat', { text: 'one' });
  void requests.ask('chat', { text: 'two' });
  requests.down();
  void requests.ask('leave', {});
  sent = [];
  requests.up(send);
  expect(sent.map(({ t, id }) => [t, id])).toEqual([
    ['chat', 1],
    ['chat', 2],
    ['leave', 3],
  ]);
});

test('what is no command ends with its connection', async () => {
  requests.up(send);
  const offer = requests.ask('offer', { sdp: '' });
  requests.down();
  await expect(offer).rejects.toMatchObject({ code: 'offline', retry: true });
  await expect(requests.ask('media', {})).rejects.toMatchObject({ code: 'offline' });
  sent = [];
  requests.up(send);
  expect(sent).toEqual([]);
});

test('not saved yet: the same request with the same id, a second later', async () => {
  requests.up(send);
  const admitted = requests.ask('admit', { visit: 'v', seat: 's' });
  requests.answered({ re: 1, err: { code: 'retry', msg: '', retry: true } });
  expect(sent).toHaveLength(1);
  vi.advanceTimersByTime(1000);
  expect(sent).toEqual([sent[0], sent[0]]);
  requests.answered({ re: 1, d: {} });
  await expect(admitted).resolves.toEqual({});
});

test('a second answer to the same request is nobody’s', async () => {
  requests.up(send);
  const said = requests.ask('chat', { text: '' });
  requests.answered({ re: 1, d: { n: 1 } });
  requests.answered({ re: 1, err: { code: 'internal', msg: '' } });
  await expect(said).resolves.toEqual({ n: 1 });
});

test('no more are under way than the server takes', async () => {
  requests.up(send);
  for (let i = 0; i < 32; i += 1) void requests.ask('chat', { text: '' });
  await expect(requests.ask('chat', { text: '' })).rejects.toMatchObject({ code: 'too_many' });
  expect(sent).toHaveLength(32);
});

test('when the line is closed for good, everybody is told', async () => {
  requests.up(send);
  const command = requests.ask('check_in', {});
  requests.giveUp();
  await expect(command).rejects.toMatchObject({ code: 'closed' });
});
