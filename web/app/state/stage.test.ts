import { expect, test } from 'vitest';
import type { Participant } from '../../client/index';
import { arrange, coverOf } from './stage';
import { participantOf } from './testing';

const patient = participantOf('maria', { role: 'patient' });
const clinician = participantOf('osei');
const interpreter = participantOf('ivo', { role: 'interpreter' });
const caregiver = participantOf('carl', { role: 'caregiver' });
const everybody = [interpreter, caregiver, clinician, patient];
const seats = (people: readonly Participant[]) => people.map(({ seat }) => seat);

test('the patient sees the clinician large, staff see the patient', () => {
  expect(arrange(everybody, 'patient', undefined).main).toBe(clinician);
  expect(arrange(everybody, 'clinician', undefined).main).toBe(patient);
});

test('an interpreter is first in the strip, whoever was chosen to be large', () => {
  expect(seats(arrange(everybody, 'clinician', undefined).strip)).toEqual(['ivo', 'osei', 'carl']);
  expect(seats(arrange(everybody, 'clinician', 'carl').strip)).toEqual(['ivo', 'maria', 'osei']);
});

test('the person themselves is on no tile, and a choice that has gone is forgotten', () => {
  const me = participantOf('me', { me: true });
  expect(arrange([me], 'patient', undefined)).toEqual({ main: undefined, strip: [] });
  expect(arrange([me, clinician], 'patient', 'gone').main).toBe(clinician);
});

test.each([
  ['a moving picture', {}, 'none'],
  ['on hold, whatever the camera says', { state: 'held' }, 'held'],
  ['no frame since the switch', { video: { covered: true } }, 'coming'],
  ['claims to send and does not', { stalled: true }, 'lost'],
  ['no sound comes from them: the picture goes on', { unheard: true }, 'none'],
  ['gone, and the picture with them', { link: 'reconnecting', stalled: true }, 'lost'],
  ['only signaling is gone: the picture goes on', { link: 'reconnecting' }, 'none'],
  ['camera off', { media: { audio: 'on', video: 'off' } }, 'off'],
  ['no camera', { media: { audio: 'on', video: 'missing' } }, 'missing'],
  ['our link is too slow for it', { paused: true, video: { covered: true } }, 'slow'],
  ['slow, and the last frame is still there', { paused: true }, 'slow'],
  [
    'slow, and only their signaling is gone',
    { paused: true, link: 'reconnecting', video: { covered: true } },
    'slow',
  ],
  ['slow, and nothing comes from them', { paused: true, stalled: true }, 'lost'],
  ['slow, and on hold', { paused: true, state: 'held' }, 'held'],
  ['a telephone call', { media: { audio: 'on', video: 'interrupted' } }, 'paused'],
] as [string, Partial<Participant>, string][])('%s', (_, change, cover) => {
  expect(coverOf(participantOf('osei', change))).toBe(cover);
});
