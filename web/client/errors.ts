/** One error class for all that the library refuses or fails at. Texts for people are the page's. */
import type { Code } from './wire.gen';

/** Of the exchange of a link for a cookie. */
export type JoinCode = 'link_unknown' | 'link_revoked' | 'link_expired' | 'visit_over' | 'too_many';

/** Of microphone and camera: `in_app`, the browser has no capture; `insecure`, the page is not on https. */
export type DeviceCode = 'denied' | 'missing' | 'busy' | 'insecure' | 'in_app' | 'unknown';

/** Of this end: the request never reached the server, or the call was given up. */
export type LocalCode = 'offline' | 'aborted' | 'closed';

/** Everything that VisitError.code can be. */
export type ErrorCode = Code | JoinCode | DeviceCode | LocalCode;

interface Details {
  /** the same call may work in a moment */
  retry?: boolean | undefined;
  /** who won, where somebody did */
  by?: string | undefined;
  /** `full`: the server has no room now, a new call may work after so many seconds */
  after?: number | undefined;
  /** `denied`: by the person's answer or by the system's settings, where that is known */
  who?: 'user' | 'system' | undefined;
  cause?: unknown;
}

/** What every promise of the library rejects with. Its message is for developers. */
export class VisitError extends Error {
  override readonly name = 'VisitError';
  readonly code: ErrorCode;
  readonly retry: boolean;
  readonly by: string | undefined;
  readonly after: number | undefined;
  readonly who: 'user' | 'system' | undefined;

  constructor(code: ErrorCode, message: string, details: Details = {}) {
    super(`${code}: ${message}`, { cause: details.cause });
    this.code = code;
    this.retry = details.retry ?? false;
    this.by = details.by;
    this.after = details.after;
    this.who = details.who;
  }
}
