import type { Participant } from '../../client/index';
import { personOf } from '../../client/testing/wire';

/** Somebody in the visit, whose picture comes. */
export function participantOf(seat: string, more: Partial<Participant> = {}): Participant {
  return {
    ...personOf(seat),
    name: seat,
    paused: false,
    me: false,
    slot: 0,
    video: { covered: false, attach: () => () => undefined },
    ...more,
  };
}
