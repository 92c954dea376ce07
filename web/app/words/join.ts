/** Words of the patient's and guest's page. */
import type { ClosedCode, Phase, Role } from '../../client/index';
import { asRole, names } from './people';
import type { Screen } from '../state/patient';
import type { FullPage } from './problems';
import { dayAndTime } from './time';

export interface Whom {
  role: Role;
  clinic: string;
  with: readonly string[];
}

const whom = ({ with: staff, clinic }: Whom): string => (staff.length > 0 ? names(staff) : clinic);

export const joinWords = {
  opening: 'Opening your visit',
  visit: (who: Whom) =>
    who.role === 'patient' ? `Your video visit with ${whom(who)}` : `Video visit with ${whom(who)}`,
  youJoinAs: (role: Role) => `You join as ${asRole[role]}`,
  when: (at: number, now: number) => {
    const text = dayAndTime(at, now);
    return text.charAt(0).toUpperCase() + text.slice(1);
  },
  noApp: 'No app and no account needed.',
  check: 'Check camera and sound',
  joinSound: 'Join without camera',
  joinChat: 'Join with messages only',
  trouble: 'Trouble? Ring',
  back: 'Back',
  checkTitle: 'Check how you look and sound',
  joinHow: {
    both: 'Join the waiting room',
    sound: 'Join with sound only',
    picture: 'Join without sound',
    chat: 'Join with messages only',
  },
  soundOnly: 'Join with sound only',

  checkedIn: 'You are checked in',
  stations: { here: 'Here', waiting: 'Waiting', visit: 'Visit' },
  next: 'You are next. The clinician will let you in soon.',
  ahead: (n: number) => (n === 1 ? '1 person is ahead of you.' : `${n} people are ahead of you.`),
  usual: (min: number, max: number) =>
    min === max
      ? `The wait is usually about ${max} minutes.`
      : `The wait is usually ${min} to ${max} minutes.`,
  guestWaits: 'The clinician knows that you are here and will let you in.',
  keepOpen: 'Keep this page open. We will play a sound when it is your turn.',
  busyTitle: 'It takes a little longer just now',
  busyText:
    'Many visits are under way. Your place is safe. Keep this page open: we try again by ourselves.',
  nobody: 'Nobody can see or hear you yet.',
  tell: 'Message the clinic',
  tellHint: 'Only the clinic team can read this.',
  leaveRoom: 'Leave the waiting room',

  ready: (who: readonly string[]) =>
    who.length > 0
      ? `${names(who)} ${who.length > 1 ? 'are' : 'is'} with you now`
      : 'Your visit starts now',
  heldTitle: (by: string) => `${by} has put you on hold for a moment`,
  heldBy: 'The clinic',
  heldText: 'Nobody can see or hear you. Please stay here. The visit goes on by itself.',
  onHoldFor: 'On hold for',

  leftTitle: 'You have left the visit',
  leftText: 'You can come back while the visit is open. You will be in the waiting room again.',
  comeBack: 'Come back to the visit',
  endedTitle: 'Your visit has ended',
  endedText: (who: string) => `Thank you. ${who} has closed the visit.`,
  endedNext: 'What happens next',
  endedSteps: [
    'You can close this page now.',
    'The clinic will contact you about any prescription or follow-up that you agreed on.',
  ],
  endedWorse: 'If you feel worse, ring',
  emergency: 'In an emergency, ring your emergency number at once.',
  reopen: 'Open the visit again',
  again: 'Try again',
  reload: 'Load the page again',
  useThis: 'Use this one instead',
};

/** How the visit ended, where it did not simply end. */
export const overWords: Partial<Record<Phase, FullPage>> = {
  cancelled: {
    title: 'This visit was cancelled',
    text: 'The clinic has called this visit off. Ring the clinic to make a new one.',
  },
  noshow: {
    title: 'This visit is closed',
    text: 'The clinic could not meet you in time. Ring the clinic to make a new visit.',
  },
};

/** Why the page is out of the visit, and what to do. */
export const closedWords: Record<ClosedCode, FullPage> = {
  seat_in_use: {
    title: 'This visit is open on another device',
    text: 'You can be in the visit with one device at a time. Do you want to use this one instead?',
  },
  taken_over: {
    title: 'You moved to another device',
    text: 'This visit is now open somewhere else. Do you want to use this one instead?',
  },
  no_session: {
    title: 'Please open your link again',
    text: 'Open the link in the message from the clinic once more. Your place is safe.',
  },
  removed: {
    title: 'You are no longer in this visit',
    text: 'The clinic has taken you out of this visit. If you think this is wrong, ring the clinic.',
  },
  over: { title: 'Your visit has ended', text: 'The clinic has closed this visit.' },
  outdated: {
    title: 'This page is out of date',
    text: 'The clinic has a newer page. Load it again to carry on. Your place is safe.',
  },
};

const titles: Record<Screen, string> = {
  opening: 'Opening your visit',
  link: 'This link does not work',
  welcome: 'Your video visit',
  preview: 'Check camera and sound',
  waiting: 'Waiting room',
  visit: 'Your visit is on',
  held: 'On hold',
  left: 'You have left the visit',
  over: 'Your visit has ended',
  closed: 'Your video visit',
};

/** What the tab says. */
export function pageTitle(screen: Screen, clinic: string | undefined, ahead: number | undefined) {
  const place =
    screen === 'waiting' && ahead !== undefined && ahead > 0
      ? `${ahead} ahead of you`
      : titles[screen];
  return clinic === undefined ? place : `${place} · ${clinic}`;
}
