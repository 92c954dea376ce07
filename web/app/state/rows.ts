/** The waiting room's rows as the clinician reads them: grouped, ordered, with badges. */
import type { Row, View } from '../../client/index';

export interface Groups {
  /** they wait: patients and guests, in queue order */
  ready: Row[];
  yours: Row[];
  expected: Row[];
  colleagues: Row[];
  done: Row[];
}

export interface Mine {
  name: string;
  /** the visit that the clinician is in */
  visit: string | undefined;
}

export function groupRows(rows: Iterable<Row>, mine: Mine): Groups {
  const groups: Groups = {
    ready: [],
    yours: [],
    expected: [],
    colleagues: [],
    done: [],
  };
  for (const row of rows) {
    const group = groupOf(row, mine);
    if (group !== undefined) groups[group].push(row);
  }
  groups.expected.sort(
    (a, b) => (a.scheduledAt || Infinity) - (b.scheduledAt || Infinity) || byName(a, b),
  );
  groups.done.sort((a, b) => b.endedAt - a.endedAt);
  return groups;
}

function groupOf(row: Row, mine: Mine): keyof Groups | undefined {
  const patient = row.role === 'patient';
  if (row.phase === 'ended' || row.phase === 'cancelled' || row.phase === 'noshow') {
    return patient ? 'done' : undefined;
  }
  switch (row.state) {
    case 'waiting':
      return 'ready';
    case 'expected':
      return patient ? 'expected' : undefined;
    case 'checking':
    case 'left':
      return patient || row.state === 'checking' ? 'expected' : undefined;
    case 'admitted':
    case 'held':
      if (!patient) return undefined;
      return row.visit === mine.visit || row.with.includes(mine.name) ? 'yours' : 'colleagues';
    case 'removed':
      return undefined;
  }
}

/** The row as the own view has it: that comes at once, the list up to a quarter of a second later. */
export function freshest(row: Row, view: View | undefined): Row {
  const person = view?.people.find(({ seat }) => seat === row.seat);
  if (person === undefined) return row;
  const { state, link, media } = person;
  return { ...row, state, link, media };
}

const byName = (a: Row, b: Row): number => a.name.localeCompare(b.name);

/** Where each seat was in the list when it was last shown. */
export type Places = ReadonlyMap<string, number>;

/** Known rows stay where they were, new ones come last. */
export function steady(places: Places, rows: readonly Row[]): Row[] {
  const placeOf = ({ seat }: Row) => places.get(seat) ?? Infinity;
  return [...rows].sort((a, b) => {
    const [one, two] = [placeOf(a), placeOf(b)];
    return one === two ? 0 : one - two;
  });
}

export interface Waiting {
  count: number;
  /** ms since 1970 of the longest wait, undefined if nobody waits */
  since: number | undefined;
}

export function waitingOf(ready: readonly Row[]): Waiting {
  const starts = ready.map((row) => row.waitingSince).filter((at) => at > 0);
  return {
    count: ready.length,
    since: starts.length > 0 ? Math.min(...starts) : undefined,
  };
}

export type Badge =
  'interpreter' | 'noCamera' | 'noMicrophone' | 'reconnecting' | 'gone' | 'away' | 'moved';

export function badgesOf(row: Row): Badge[] {
  const present = row.link !== 'none';
  const badges: [Badge, boolean][] = [
    ['interpreter', row.interpreter],
    ['reconnecting', row.link === 'reconnecting'],
    ['gone', row.state === 'waiting' && !present],
    ['noCamera', present && hasNo(row.media.video)],
    ['noMicrophone', present && hasNo(row.media.audio)],
    ['away', row.link === 'connected' && row.media.video === 'hidden'],
    ['moved', row.movedReason !== undefined && row.movedReason !== ''],
  ];
  return badges.filter(([, on]) => on).map(([badge]) => badge);
}

const hasNo = (state: Row['media']['video']): boolean =>
  state === 'off' || state === 'blocked' || state === 'missing';
