/** What the end of a connection, or a refused hello, means for coming back. */
import type { ClosedCode } from '../api';
import type { CloseCode, Code } from '../wire.gen';
import {
  CloseBadMessage,
  CloseBusy,
  CloseHandedOver,
  CloseMoved,
  CloseNoSession,
  CloseOver,
  CloseRemoved,
  CloseRestart,
  CloseSilent,
  CloseSlow,
  CloseTakenOver,
} from '../wire.gen';
import type { Urgency } from './backoff';

export type Ending = { comeBack: Urgency; mediaGoesOn?: boolean } | { closed: ClosedCode };

const endings: Readonly<Record<CloseCode, Ending>> = {
  [CloseRestart]: { comeBack: 'at_once' },
  [CloseSlow]: { comeBack: 'at_once' },
  [CloseSilent]: { comeBack: 'at_once' },
  [CloseMoved]: { comeBack: 'at_once' },
  [CloseHandedOver]: { comeBack: 'at_once', mediaGoesOn: true },
  [CloseBusy]: { comeBack: 'later' },
  [CloseTakenOver]: { closed: 'taken_over' },
  [CloseNoSession]: { closed: 'no_session' },
  [CloseRemoved]: { closed: 'removed' },
  [CloseOver]: { closed: 'over' },
  [CloseBadMessage]: { closed: 'outdated' },
};

/** By WebSocket close code; one we do not know is a lost connection. */
export function endingOf(code: number): Ending {
  return isCloseCode(code) ? endings[code] : { comeBack: 'at_once' };
}

function isCloseCode(code: number): code is CloseCode {
  return code in endings;
}

const refusals: Readonly<Record<Code, Ending>> = {
  seat_in_use: { closed: 'seat_in_use' },
  no_session: { closed: 'no_session' },
  forbidden: { closed: 'no_session' },
  removed: { closed: 'removed' },
  no_visit: { closed: 'over' },
  visit_over: { closed: 'over' },
  bad_message: { closed: 'outdated' },
  unknown_type: { closed: 'outdated' },
  hello_first: { closed: 'outdated' },
  bad_value: { closed: 'outdated' },
  bad_offer: { comeBack: 'at_once' },
  no_seat: { comeBack: 'later' },
  no_staff: { comeBack: 'later' },
  not_waiting: { comeBack: 'later' },
  already_admitted: { comeBack: 'later' },
  in_other_visit: { comeBack: 'later' },
  not_admitted: { comeBack: 'later' },
  not_held: { comeBack: 'later' },
  locked: { comeBack: 'later' },
  full: { comeBack: 'later' },
  stale_command: { comeBack: 'later' },
  not_yet: { comeBack: 'later' },
  too_many: { comeBack: 'later' },
  retry: { comeBack: 'later' },
  internal: { comeBack: 'later' },
};

/** By the code that hello was refused with; a newer server may have codes that we do not know. */
export function refusalOf(code: string): Ending {
  return isCode(code) ? refusals[code] : { comeBack: 'later' };
}

function isCode(code: string): code is Code {
  return code in refusals;
}
