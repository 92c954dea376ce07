/** Who is shown where, and what covers a picture that must not or cannot be seen. */
import type { Participant, Role } from '../../client/index';

export interface Arrangement {
  main: Participant | undefined;
  strip: readonly Participant[];
}

const forPatient: readonly Role[] = [
  'clinician',
  'specialist',
  'staff',
  'presenter',
  'caregiver',
  'interpreter',
  'observer',
  'patient',
];
const forOthers: readonly Role[] = [
  'patient',
  'clinician',
  'specialist',
  'staff',
  'presenter',
  'caregiver',
  'interpreter',
  'observer',
];

/** The chosen person is large, else the one who matters most; an interpreter is first in the strip. */
export function arrange(
  everybody: readonly Participant[],
  mine: Role,
  chosen: string | undefined,
): Arrangement {
  const order = mine === 'patient' ? forPatient : forOthers;
  const others = everybody
    .filter((person) => !person.me)
    .sort((a, b) => order.indexOf(a.role) - order.indexOf(b.role) || (a.seat < b.seat ? -1 : 1));
  const main = others.find((person) => person.seat === chosen) ?? others[0];
  const strip = others
    .filter((person) => person !== main)
    .sort((a, b) => Number(b.role === 'interpreter') - Number(a.role === 'interpreter'));
  return { main, strip };
}

export type Cover = 'none' | 'held' | 'lost' | 'off' | 'missing' | 'paused' | 'slow' | 'coming';

/** What hides the picture of a person; `none` shows it. */
export function coverOf(person: Participant): Cover {
  if (person.state === 'held') return 'held';
  const gone = person.stalled || (person.video.covered && !person.paused);
  if (person.link === 'reconnecting' && gone) return 'lost';
  switch (person.media.video) {
    case 'off':
      return 'off';
    case 'blocked':
    case 'missing':
      return 'missing';
    case 'hidden':
    case 'interrupted':
      return 'paused';
    case 'on':
      if (person.paused && !person.stalled) return 'slow';
      if (person.video.covered) return 'coming';
      return person.stalled ? 'lost' : 'none';
  }
}

/** True where nobody can hear this person. */
export function isSilent(person: Participant): boolean {
  return person.media.audio !== 'on';
}
