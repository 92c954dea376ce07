/** The waiting room's rows, kept by one cursor: what is newer replaces, what is gone goes. */
import type { List, Row } from './wire.gen';

export class RowList {
  #rows: ReadonlyMap<string, Row> = new Map();
  #version: number | undefined;

  get rows(): ReadonlyMap<string, Row> {
    return this.#rows;
  }

  /** What hello cites; undefined before the first list. */
  get version(): number | undefined {
    return this.#version;
  }

  /** Takes a list in; returns the rows of people who began to wait with it. */
  merge(list: List): readonly Row[] {
    const first = this.#version === undefined;
    const before = this.#rows;
    const rows = new Map(list.whole ? [] : before);
    for (const row of list.rows) rows.set(row.seat, row);
    for (const seat of list.removed) rows.delete(seat);
    this.#rows = new Map([...rows].sort(([, a], [, b]) => inOrder(a, b)));
    this.#version = list.version;
    // Those who wait already when the page opens did not arrive just now.
    return first ? [] : list.rows.filter((row) => waits(row) && !waits(before.get(row.seat)));
  }
}

function waits(row: Row | undefined): boolean {
  return row?.state === 'waiting';
}

function inOrder(a: Row, b: Row): number {
  return a.rank - b.rank || a.waitingSince - b.waitingSince || (a.seat < b.seat ? -1 : 1);
}
