import { expect, test } from 'vitest';
import { frameFilter, type FrameType } from './frames';

test('nothing passes a closed gate', () => {
  const passes = frameFilter('video', () => false);
  expect(passes('key')).toBe(false);
  expect(frameFilter('audio', () => false)(undefined)).toBe(false);
});

test('a picture starts with a key frame, again after each opening', () => {
  let open = true;
  const passes = frameFilter('video', () => open);
  const through = (...types: FrameType[]) => types.map(passes);
  expect(through('delta', 'key', 'delta')).toEqual([false, true, true]);
  open = false;
  expect(through('key', 'delta')).toEqual([false, false]);
  open = true;
  expect(through('delta', 'delta', 'key', 'delta')).toEqual([false, false, true, true]);
});

test('sound starts at once', () => {
  expect(frameFilter('audio', () => true)(undefined)).toBe(true);
});
