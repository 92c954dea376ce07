import { expect, test } from 'vitest';
import { lineOf } from './line';

const up = { signaling: 'up', media: 'up' } as const;

test.each([
  ['all well', 'connected', up, true, 'good'],
  ['not asked for yet', 'idle', { signaling: 'down', media: 'none' }, false, 'good'],
  [
    'the server is away, the picture goes on',
    'reconnecting',
    { ...up, signaling: 'down' },
    true,
    'weak',
  ],
  ['away while waiting', 'reconnecting', { signaling: 'down', media: 'up' }, false, 'lost'],
  ['both are gone', 'reconnecting', { signaling: 'down', media: 'interrupted' }, true, 'lost'],
  ['only media is gone', 'connected', { signaling: 'up', media: 'interrupted' }, true, 'lost'],
  [
    'media is gone while it carries nothing',
    'connected',
    { signaling: 'up', media: 'interrupted' },
    false,
    'good',
  ],
] as const)('%s', (_, state, link, inVisit, line) => {
  expect(lineOf(state, link, inVisit)).toBe(line);
});
