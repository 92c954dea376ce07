/** How people and their roles are called. */
import type { Role } from '../../client/index';

export const roleName: Record<Role, string> = {
  patient: 'Patient',
  clinician: 'Clinician',
  specialist: 'Specialist',
  presenter: 'Presenter',
  interpreter: 'Interpreter',
  caregiver: 'Caregiver',
  observer: 'Observer',
  staff: 'Front desk',
};

/** 'the interpreter', 'an observer' */
export const asRole: Record<Role, string> = {
  patient: 'the patient',
  clinician: 'a clinician',
  specialist: 'the specialist',
  presenter: 'the presenter',
  interpreter: 'the interpreter',
  caregiver: 'the caregiver',
  observer: 'an observer',
  staff: 'the front desk',
};

/** 'A', 'A and B', 'A, B and C' */
export function names(list: readonly string[]): string {
  if (list.length < 2) return list[0] ?? '';
  return `${list.slice(0, -1).join(', ')} and ${list[list.length - 1] ?? ''}`;
}

/** One or two letters for a person without a picture; titles do not count. */
export function initials(name: string): string {
  const words = name
    .split(/\s+/)
    .filter((word) => word !== '' && !/^(dr|prof|mr|mrs|ms|mx|rn|np)\.?$/i.test(word));
  const letters = [words[0], words.length > 1 ? words[words.length - 1] : undefined];
  return letters.map((word) => Array.from(word ?? '')[0]?.toUpperCase() ?? '').join('');
}
