/** Words of the clinician's page. */
import type { ClosedCode, Disposition, ErrorCode, Role } from '../../client/index';
import type { Where } from '../state/queue';
import { names } from './people';
import { clockTime, span } from './time';

export const staffWords = {
  waitingRoom: 'Waiting room',
  openList: 'Waiting room',
  closeList: 'Close the waiting room',
  changeRoom: (now: string) => `${now}: go to another waiting room`,
  ready: 'Ready',
  yours: 'With you',
  expected: 'Expected',
  colleagues: 'With colleagues',
  done: 'Done',
  count: (n: number, longest: number) =>
    n === 0 ? 'Nobody is waiting' : `${n} waiting · longest ${span(longest)}`,
  nobody: 'Nobody is waiting.',
  nobodyHint: 'People appear here when they join from their link. A sound tells you.',
  waits: (minutes: number) => (minutes < 1 ? 'just now' : span(minutes)),
  arrived: (at: number) => `here since ${clockTime(at)}`,
  scheduled: (at: number) => `planned ${clockTime(at)}`,
  forPatient: (name: string) => `for ${name}`,
  here: 'Has the page open',
  notHere: 'Not here yet',
  withThem: (who: readonly string[]) => `with ${names(who)}`,
  admit: 'Admit',
  join: 'Join',
  goBack: 'Go back',
  noShow: 'Did not come',
  cancelVisit: 'Cancel visit',
  cancelTitle: (name: string) => `Cancel the visit of ${name}?`,
  keepVisit: 'Keep the visit',
  moves: {
    front: 'Move to the front',
    up: 'Move up',
    down: 'Move down',
    end: 'Move to the end',
  } satisfies Record<Where, string>,
  moveTitle: {
    front: (name) => `Move ${name} to the front`,
    up: (name) => `Move ${name} up one place`,
    down: (name) => `Move ${name} down one place`,
    end: (name) => `Move ${name} to the end`,
  } satisfies Record<Where, (name: string) => string>,
  move: 'Move',
  transfer: 'To another waiting room',
  transferTitle: (name: string) => `Bring ${name} to another waiting room`,
  transferHint: 'They keep their waiting time and their link.',
  transferTo: 'Bring here',
  transferLong: (name: string, room: string) => `Bring here: ${name} goes to ${room}`,
  moving: 'On the way to another waiting room',
  why: {
    move: 'Why? Your colleagues can read this.',
    transfer: 'Why? Your colleagues there can read this. You can leave this empty.',
    cancel: 'Why? You can leave this empty.',
  },
  write: (name: string) => `Write to ${name}`,
  unread: (n: number) => `${n} new`,
  more: (name: string) => `More about ${name}`,
  badges: {
    noCamera: 'No camera',
    noMicrophone: 'No microphone',
    reconnecting: 'Connecting again',
    away: 'Page in background',
    interpreter: 'Interpreter needed',
    language: (language: string) => language,
    gone: 'Not connected',
    // The reason follows.
    moved: 'Moved:',
  },

  identity: 'Is this the right person?',
  born: 'Born',
  age: (years: number) => `(${years} years)`,
  noBirthDate: 'No date of birth on file',
  reason: 'Reason',
  planned: 'Planned',
  alsoWaiting: 'Also waits for this visit',
  ask: 'Ask for name and date of birth before you talk about health.',
  confirm: 'Confirm and admit',
  holdAndAdmit: (held: string, admitted: string) => `Hold ${held} and admit ${admitted}`,
  holdsFirst: (held: string) => `You are in a visit with ${held}. They go on hold first.`,
  notThis: 'Not this person',
  admitting: 'Admitting',

  setUp: 'Your camera and microphone',
  setUpText: 'Check them before the first patient. Nobody can see or hear you now.',
  setUpBetween: 'Nobody can see or hear you now.',
  setUpStart: 'Turn on camera and sound',
  setUpDone: 'You are ready.',
  nextUp: 'Next',
  openCard: 'See and admit',
  noneNext: 'Nobody is waiting. New arrivals appear on the left and play a sound.',
  visitOver: 'The visit has ended.',
  leftVisit: 'You have left the visit.',

  visit: (who: readonly string[]) => (who.length > 0 ? `Visit with ${names(who)}` : 'Visit'),
  people: 'People',
  hold: 'Hold',
  resume: 'Resume',
  return: 'To waiting',
  // Begins with what the button shows: people who speak to their computer say that.
  returnLong: (name: string) => `To waiting: ${name} goes back to the waiting room`,
  remove: 'Remove',
  removeLong: (name: string) => `Remove ${name}. Their link stops working.`,
  invite: 'Invite',
  inviteTitle: 'Invite somebody to this visit',
  inviteName: 'Name',
  inviteRole: 'Role',
  inviteMake: 'Make a link',
  inviteReady: (name: string) => `Send this link to ${name} and nobody else.`,
  copy: 'Copy link',
  copied: 'Copied',
  doneButton: 'Done',
  cancel: 'Cancel',
  lock: 'Lock',
  unlock: 'Unlock',
  locked: 'Locked: no new guests',
  holdAll: 'Hold all',
  resumeAll: 'Resume all',
  handOver: 'Hand over',
  handOverTitle: 'Hand this visit to a colleague',
  handOverHint: 'The patient is on hold until your colleague joins.',
  noColleagues: 'No colleague works in this waiting room.',
  colleagueHere: 'here now',
  colleagueAway: 'not here',
  end: 'End visit',
  endTitle: 'End the visit for everybody?',
  endAsk: 'What came of it?',
  confirmEnd: 'End the visit',
  stay: 'Stay in the visit',
  leave: 'Leave',
  seatStates: { held: 'On hold', admitted: 'In the visit' },
  heldBanner: 'The patient is on hold and cannot see or hear anyone.',

  chimeTitle: 'Sound when somebody arrives',
  chime: { repeat: 'Repeat while somebody waits', once: 'Once for each arrival', off: 'Off' },
  chimeState: {
    repeat: 'Arrival sound: repeats',
    once: 'Arrival sound: once',
    off: 'Arrival sound: off',
  },
  soundNeedsTap: 'Click anywhere to let this page play sounds.',
  arrivedNow: (name: string) => `${name} is waiting.`,

  keysTitle: 'Keys',
  keysOn: 'Use single keys',
  keys: [
    ['n', 'Open the next person'],
    ['Enter', 'Confirm and admit'],
    ['Esc', 'Close what is open'],
    ['m', 'Mute or unmute'],
    ['v', 'Camera on or off'],
    ['h', 'Hold or resume the patient'],
    ['c', 'Write a message'],
    ['?', 'Show these keys'],
  ] as readonly (readonly [string, string])[],

  room: 'Waiting room',
  title: (waiting: number, clinic: string) => `${waiting > 0 ? `(${waiting}) ` : ''}${clinic}`,
  lost: 'The connection was lost. We are connecting you again.',
  opening: 'Opening the waiting room',
  useThis: 'Use this one instead',
  reload: 'Load the page again',
  again: 'Try again',
  dismiss: 'Close',
  removedToast: (name: string) => `${name} was removed. Their link no longer works.`,
};

export const dispositions: readonly (readonly [Disposition, string])[] = [
  ['done', 'Done'],
  ['follow_up', 'Needs a follow-up visit'],
  ['in_person', 'Needs to be seen in person'],
  ['noshow', 'Did not come'],
  ['wrong_person', 'Wrong person'],
];

/** Who can be invited. */
export const guestRoles: readonly Role[] = [
  'specialist',
  'interpreter',
  'caregiver',
  'presenter',
  'observer',
];

export const dispositionName: Record<Disposition, string> = {
  done: 'Done',
  follow_up: 'Follow-up',
  in_person: 'In person',
  noshow: 'Did not come',
  wrong_person: 'Wrong person',
};

export const staffClosed: Record<ClosedCode, { title: string; text: string }> = {
  seat_in_use: {
    title: 'Your waiting room is open somewhere else',
    text: 'You can work with one page at a time. Do you want to use this one instead?',
  },
  taken_over: {
    title: 'You moved to another page',
    text: 'Your waiting room is now open somewhere else. Do you want to use this one instead?',
  },
  no_session: {
    title: 'Please sign in again',
    text: 'Open your staff link once more. Visits under way go on.',
  },
  removed: {
    title: 'You no longer work in this waiting room',
    text: 'Ask whoever looks after the accounts of your clinic.',
  },
  over: { title: 'This is over', text: 'Open your staff link once more.' },
  outdated: { title: 'This page is out of date', text: 'Load it again to carry on.' },
};

/** Of the whole server, and not of one visit. */
const fullNow = (seconds: number) =>
  `There is no room for another visit just now. Please try again in ${seconds} seconds.`;

type Say = (by: string) => string;

/** What a refused request means to the one who made it. Codes that are nobody's fault share a sentence. */
const refused: Partial<Record<ErrorCode, Say>> = {
  already_admitted: (by) => `${by} has this visit.`,
  in_other_visit: () => 'You are in another visit. Put it on hold or end it first.',
  not_waiting: () => 'This person is no longer waiting.',
  not_admitted: () => 'This person is no longer in the visit.',
  not_held: () => 'Nobody is on hold.',
  no_visit: () => 'This visit is gone.',
  no_seat: () => 'This person is gone.',
  no_staff: () => 'This colleague no longer works here.',
  locked: () => 'The visit is locked. Unlock it first.',
  full: () => 'The visit is full.',
  visit_over: () => 'This visit is over.',
  removed: () => 'This person was removed.',
  forbidden: () => 'Your role may not do that.',
  bad_value: () => 'Please check what you typed.',
  too_many: () => 'That was a lot at once. Please wait a moment.',
  retry: () => 'It could not be saved yet. Please try again in a moment.',
  offline: () => 'There is no connection. Please try again in a moment.',
};

export function refusal(code: ErrorCode, by: string | undefined, after?: number): string {
  if (code === 'full' && after !== undefined) return fullNow(after);
  return (refused[code] ?? (() => 'That did not work. Please try again.'))(by ?? 'A colleague');
}
