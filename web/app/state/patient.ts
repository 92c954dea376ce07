/** Which screen a patient or guest sees: one pure function of what is known. */
import type { ClosedCode, Phase, SeatState } from '../../client/index';
import type { LinkProblem } from '../words/problems';

export type Screen =
  | 'opening'
  | 'link'
  | 'welcome'
  | 'preview'
  | 'waiting'
  | 'visit'
  | 'held'
  | 'left'
  | 'over'
  | 'closed';

export interface Facts {
  /** why the link could not be opened */
  problem: LinkProblem | undefined;
  closed: ClosedCode | undefined;
  seat: SeatState | undefined;
  phase: Phase | undefined;
  /** the person asked for camera and microphone, or nothing had to be asked; undefined: not known yet */
  previewing: boolean | undefined;
  /** the person left with this page open */
  left: boolean;
}

const over: ReadonlySet<Phase> = new Set<Phase>(['ended', 'cancelled', 'noshow']);

export function screenOf(facts: Facts): Screen {
  if (facts.problem !== undefined) return 'link';
  if (facts.seat === 'removed') return 'closed';
  if (facts.closed === 'over' || (facts.phase !== undefined && over.has(facts.phase)))
    return 'over';
  if (facts.left) return 'left';
  if (facts.closed !== undefined) return 'closed';
  switch (facts.seat) {
    case undefined:
      return 'opening';
    case 'expected':
    case 'checking':
    case 'left':
      if (facts.previewing === undefined) return 'opening';
      return facts.previewing ? 'preview' : 'welcome';
    case 'waiting':
      return 'waiting';
    case 'admitted':
      return 'visit';
    case 'held':
      return 'held';
  }
}

/** The way a person can join with the devices that work. */
export function joinHow(
  microphone: boolean,
  camera: boolean,
): 'both' | 'sound' | 'picture' | 'chat' {
  if (microphone) return camera ? 'both' : 'sound';
  return camera ? 'picture' : 'chat';
}
