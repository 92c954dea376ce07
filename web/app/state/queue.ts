/** Where a visit can be moved to in the queue. */
import type { Row } from '../../client/index';

export type Where = 'front' | 'up' | 'down' | 'end';

export interface Move {
  where: Where;
  /** the visit that it comes before; undefined: it goes to the end */
  before: string | undefined;
}

/** `ready` are those who wait, in queue order. Each answer leads to a place of its own. */
export function movesOf(ready: readonly Row[], { visit }: Pick<Row, 'visit'>): Move[] {
  // A visit has one place, however many of its people wait.
  const queue = [...new Set(ready.filter(waits).map((row) => row.visit))];
  const at = queue.indexOf(visit);
  const last = queue.length - 1;
  if (at < 0) return [];
  const moves: [Move, boolean][] = [
    [{ where: 'front', before: queue[0] }, at > 0],
    [{ where: 'up', before: queue[at - 1] }, at > 1],
    [{ where: 'down', before: queue[at + 2] }, at < last - 1],
    [{ where: 'end', before: undefined }, at < last],
  ];
  return moves.filter(([, possible]) => possible).map(([move]) => move);
}

const waits = ({ state }: Row): boolean => state === 'waiting';
