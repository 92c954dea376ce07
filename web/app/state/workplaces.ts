/** The waiting rooms of a staff member, kept over a refresh and for a second tab: only the link names them. */
import type { Joined } from '../../client/index';

export type Workplaces = Joined['rooms'];

type Store = Pick<Storage, 'getItem' | 'setItem'>;
const key = (handle: string): string => `anteroom.rooms.${handle}`;

export function saveWorkplaces(store: Store, { handle, rooms }: Joined): void {
  store.setItem(key(handle), JSON.stringify(rooms));
}

/** Empty in a browser that never opened the link. */
export function loadWorkplaces(store: Store, handle: string): Workplaces {
  const saved = store.getItem(key(handle));
  return saved === null ? [] : (JSON.parse(saved) as Workplaces);
}
