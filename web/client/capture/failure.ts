/** getUserMedia's failures, told apart by what a person can do about them. */
import type { DeviceState } from '../api';
import { VisitError, type DeviceCode } from '../errors';

/** Is there any capture at all? Asked before every prompt. */
export function unavailable(): VisitError | undefined {
  // The DOM types promise mediaDevices; old and in-app browsers, and insecure pages, break that.
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (typeof devices?.getUserMedia === 'function') return undefined;
  return isSecureContext
    ? new VisitError('in_app', 'this browser has no getUserMedia')
    : new VisitError('insecure', 'the page was not loaded over https');
}

/** By the names of the standard (Media Capture and Streams, section 10.1) and Chromium's message. */
export function failure(cause: unknown): VisitError {
  const { name, message } = cause instanceof Error ? cause : { name: '', message: '' };
  switch (name) {
    case 'NotAllowedError':
      return new VisitError('denied', 'capture was refused', {
        cause,
        who: /system/i.test(message) ? 'system' : 'user',
      });
    case 'NotFoundError':
    case 'OverconstrainedError':
      return new VisitError('missing', 'no such device', { cause });
    case 'NotReadableError':
    case 'AbortError':
      return new VisitError('busy', 'the device did not start', { cause, retry: true });
    case 'SecurityError':
      return new VisitError('denied', 'capture is forbidden on this page', {
        cause,
        who: 'system',
      });
    default:
      return new VisitError('unknown', 'capture failed', { cause, retry: true });
  }
}

export function stateOf(code: DeviceCode): DeviceState {
  switch (code) {
    case 'denied':
    case 'in_app':
      return 'blocked';
    case 'missing':
      return 'missing';
    case 'insecure':
      return 'insecure';
    case 'busy':
    case 'unknown':
      return 'busy';
  }
}
