import { describe, expect, test, vi } from 'vitest';
import { refusal } from '../testing/media';
import { failure, stateOf, unavailable } from './failure';

test.each([
  ['NotAllowedError', 'Permission denied', 'denied', 'blocked', 'user'],
  ['NotAllowedError', 'Permission denied by system', 'denied', 'blocked', 'system'],
  ['SecurityError', '', 'denied', 'blocked', 'system'],
  ['NotFoundError', '', 'missing', 'missing', undefined],
  ['OverconstrainedError', '', 'missing', 'missing', undefined],
  ['NotReadableError', 'Could not start video source', 'busy', 'busy', undefined],
  ['AbortError', '', 'busy', 'busy', undefined],
  ['TypeError', '', 'unknown', 'busy', undefined],
])('%s (%s) is %s', (name, message, code, state, who) => {
  const error = failure(refusal(name, message));
  expect(error).toMatchObject({ code, who });
  expect(stateOf(code as Parameters<typeof stateOf>[0])).toBe(state);
});

test('only what may pass by itself is worth another try', () => {
  const retries = ['NotReadableError', 'NotAllowedError', 'NotFoundError'].map(
    (name) => failure(refusal(name)).retry,
  );
  expect(retries).toEqual([true, false, false]);
});

test('something that is no error at all is still an answer', () => {
  expect(failure('?')).toMatchObject({ code: 'unknown' });
});

describe('no capture to ask', () => {
  const surroundings = (mediaDevices: unknown, secure: boolean) => {
    vi.stubGlobal('navigator', { mediaDevices });
    vi.stubGlobal('isSecureContext', secure);
  };

  test('a page that was not loaded over https', () => {
    surroundings(undefined, false);
    expect(unavailable()).toMatchObject({ code: 'insecure' });
  });

  test('a browser inside another app', () => {
    surroundings({}, true);
    expect(unavailable()).toMatchObject({ code: 'in_app' });
  });

  test('a usual browser', () => {
    surroundings({ getUserMedia: () => undefined }, true);
    expect(unavailable()).toBeUndefined();
  });
});
