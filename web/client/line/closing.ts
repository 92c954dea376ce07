/** What the end of a connection, or a refused hello, means for coming back. */
import type { ClosedCode } from '../api';
import type { CloseCode, Code } from '../wire.gen';
import {
  CloseBadMessage,
  CloseBusy,
  CloseNoSession,
  CloseOver,
  CloseRemoved,
  CloseRestart,
  CloseSilent,
  CloseSlow,
  CloseTakenOver,
} from '../wire.gen';
import type { Urgency } from './backoff';

export type Ending = { comeBack: Urgency } | { closed: ClosedCode };

const endings: Readonly<Record<CloseCode, Ending>> = {
  [CloseRestart]: { comeBack: 'at_once' },
  [CloseSlow]: { comeBack: 'at_once' },
  [CloseSilent]: { comeBack: 'at_once' },
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

/** By the code that hello was refused with. */
export function refusalOf(code: Code): Ending {
  switch (code) {
    case 'seat_in_use':
      return { closed: 'seat_in_use' };
    case 'no_session':
    case 'forbidden':
      return { closed: 'no_session' };
    case 'removed':
      return { closed: 'removed' };
    case 'no_visit':
    case 'visit_over':
      return { closed: 'over' };
    case 'bad_message':
    case 'unknown_type':
    case 'hello_first':
    case 'bad_value':
      return { closed: 'outdated' };
    case 'bad_offer':
      return { comeBack: 'at_once' };
    case 'no_seat':
    case 'no_staff':
    case 'not_waiting':
    case 'already_admitted':
    case 'in_other_visit':
    case 'not_admitted':
    case 'not_held':
    case 'locked':
    case 'full':
    case 'stale_command':
    case 'not_yet':
    case 'too_many':
    case 'retry':
    case 'internal':
      return { comeBack: 'later' };
  }
}
