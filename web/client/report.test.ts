import { expect, test } from 'vitest';
import { mediaOf, Reporter, type Facts } from './report';
import { settled } from './testing/socket';
import type { Media } from './wire.gen';

const fine: Facts = { microphone: 'on', muted: false, camera: 'on', hidden: false, phone: true };

test.each<[string, Partial<Facts>, Media]>([
  ['all well', {}, { audio: 'on', video: 'on' }],
  ['muted', { muted: true }, { audio: 'off', video: 'on' }],
  ['a phone in the background', { hidden: true }, { audio: 'on', video: 'hidden' }],
  ['a desktop in the background', { hidden: true, phone: false }, { audio: 'on', video: 'on' }],
  ['a telephone call', { microphone: 'interrupted' }, { audio: 'interrupted', video: 'on' }],
  [
    'a telephone call that hides the page',
    { microphone: 'interrupted', camera: 'interrupted', hidden: true },
    { audio: 'interrupted', video: 'hidden' },
  ],
  ['denied', { camera: 'blocked' }, { audio: 'on', video: 'blocked' }],
  ['no camera', { camera: 'missing' }, { audio: 'on', video: 'missing' }],
  ['camera in use', { camera: 'busy' }, { audio: 'on', video: 'missing' }],
  ['a camera that starts', { camera: 'starting' }, { audio: 'on', video: 'off' }],
])('%s', (_, change, media) => {
  expect(mediaOf({ ...fine, ...change })).toEqual(media);
});

test('each state is told once, and again after a welcome or when it did not arrive', async () => {
  const told: Media[] = [];
  let offline = false;
  const reporter = new Reporter((media) => {
    told.push(media);
    return offline ? Promise.reject(new Error('offline')) : Promise.resolve();
  });
  const on = mediaOf(fine);
  reporter.report(on);
  reporter.report(on);
  expect(told).toHaveLength(1);
  reporter.forget();
  reporter.report(on);
  expect(told).toHaveLength(2);
  offline = true;
  reporter.report(mediaOf({ ...fine, muted: true }));
  await settled();
  reporter.report(mediaOf({ ...fine, muted: true }));
  expect(told).toHaveLength(4);
});
