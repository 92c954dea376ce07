/** What staff may ask for, as requests of the wire. */
import type { StaffCommands } from './api';
import type { Invited, Rooms, Type } from './wire.gen';

type Ask = (t: Type, d: object) => Promise<unknown>;

export function staffCommands(ask: Ask): StaffCommands {
  const tell = async (t: Type, d: object): Promise<void> => {
    await ask(t, d);
  };
  const target = (visit: string, seat?: string): object =>
    seat === undefined ? { visit } : { visit, seat };
  return {
    prepare: (visit, seat, on) => tell('prepare', { visit, seat, on }),
    admit: (visit, seat) => tell('admit', { visit, seat }),
    join: (visit) => tell('join', { visit }),
    hold: (visit, seat) => tell('hold', target(visit, seat)),
    resume: (visit, seat) => tell('resume', target(visit, seat)),
    return: (visit, seat) => tell('return', { visit, seat }),
    remove: (visit, seat) => tell('remove', { visit, seat }),
    handOver: (visit, to) => tell('hand_over', { visit, to }),
    invite: async (guest) => (await ask('invite', guest)) as Invited,
    lock: (visit, on) => tell('lock', { visit, on }),
    move: (visit, before, reason) =>
      tell('move', before === undefined ? { visit, reason } : { visit, before, reason }),
    rooms: async () => ((await ask('rooms', {})) as Rooms).rooms,
    transfer: (visit, room, reason) =>
      tell('transfer', reason === undefined ? { visit, room } : { visit, room, reason }),
    end: (visit, disposition) => tell('end', { visit, disposition }),
    noShow: (visit) => tell('no_show', { visit }),
    cancel: (visit, reason) => tell('cancel', reason === undefined ? { visit } : { visit, reason }),
  };
}
