import { beforeEach, describe, expect, test } from 'vitest';
import type { Visit } from '../../client/index';
import { VisitError } from '../../client/index';
import { settled } from '../../client/testing/socket';
import { viewOf } from '../../client/testing/wire';
import type { Choices } from '../state/choices';
import { createSession, type Session } from './session';
import { FakeVisit } from './testing';

let visit: FakeVisit;
let session: Session;
let prompts: boolean;
let saved: Choices | undefined;
let vibrated: number;

beforeEach(() => {
  visit = new FakeVisit();
  visit.view = viewOf('checking');
  prompts = true;
  saved = undefined;
  vibrated = 0;
  session = createSession(visit as unknown as Visit, {
    place: 'ios',
    link: 'https://clinic.test/join#token',
    wouldPrompt: () => Promise.resolve(prompts),
    opened: () => visit.log.push('opened'),
    loadChoices: () => saved,
    saveChoices: (choices) => (saved = choices),
    vibrate: () => (vibrated += 1),
    reload: () => visit.log.push('reload'),
  });
  visit.log.length = 0;
});

const done = (step: string) => visit.log.includes(step);

describe('the link is opened', () => {
  test('no prompt comes before a tap', async () => {
    await session.start();
    expect(session.screen.value).toBe('welcome');
    expect(visit.log.slice(0, 2)).toEqual(['opened', 'connect']);
    expect(visit.log.some((step) => step.startsWith('open '))).toBe(false);
    session.check();
    expect(session.screen.value).toBe('preview');
    expect(done('open audio video')).toBe(true);
  });

  test('where nothing has to be asked the preview is there at once', async () => {
    prompts = false;
    await session.start();
    expect(session.screen.value).toBe('preview');
    expect(done('open audio video')).toBe(true);
  });

  test('a link that is refused says why', async () => {
    visit.opens = () => Promise.reject(new VisitError('link_revoked', ''));
    await session.start();
    expect(session.screen.value).toBe('link');
    expect(session.problem.value).toBe('link_revoked');
    expect(done('connect')).toBe(false);
  });
});

describe('joining', () => {
  test('one tap makes the sound and takes the seat', async () => {
    prompts = false;
    await session.start();
    session.join();
    expect(visit.log.slice(-2)).toEqual(['sound', 'awake']);
    await settled();
    expect(session.screen.value).toBe('waiting');
  });

  test('without camera: only the microphone is asked for', async () => {
    await session.start();
    session.joinSound();
    await settled();
    expect(done('open audio')).toBe(true);
    expect(session.screen.value).toBe('waiting');
  });

  test('a microphone that is blocked shows how to mend it before the seat is taken', async () => {
    await session.start();
    visit.allow = 'blocked';
    session.joinSound();
    await settled();
    expect(session.screen.value).toBe('preview');
    expect(session.controls.unseen.value?.code).toBe('denied');
    expect(done('check in')).toBe(false);
  });

  test('and the way on is by messages', async () => {
    await session.start();
    visit.allow = 'blocked';
    session.check();
    expect(session.how.value).toBe('chat');
    session.join();
    await settled();
    expect(session.screen.value).toBe('waiting');
    expect(session.controls.unseen.value).toBeUndefined();
  });

  test('by messages only nothing is asked for', async () => {
    await session.start();
    session.joinChat();
    await settled();
    expect(visit.log.filter((step) => step.startsWith('open '))).toEqual(['open ']);
    expect(session.screen.value).toBe('waiting');
  });

  test('two taps are one', async () => {
    prompts = false;
    await session.start();
    session.join();
    session.join();
    await settled();
    expect(visit.log.filter((step) => step === 'check in')).toHaveLength(1);
  });
});

test('admission chimes, shakes the phone and changes screen and title', () => {
  visit.changes({ view: viewOf('waiting') });
  expect(session.title.value).toBe('Waiting room · Hill Clinic');
  visit.admits();
  expect(session.screen.value).toBe('visit');
  expect(session.title.value).toBe('Your visit is on · Hill Clinic');
  expect(done('chime admitted')).toBe(true);
  expect(vibrated).toBe(1);
});

describe('a refresh', () => {
  beforeEach(() => {
    visit.handle = 'h';
    visit.arrives = viewOf('admitted');
    prompts = false;
  });

  test('needs no token, and what was on comes on again', async () => {
    saved = { audio: true, video: false };
    await session.start();
    expect(done('opened')).toBe(false);
    expect(done('open audio')).toBe(true);
    expect(done('sound')).toBe(true);
    expect(session.screen.value).toBe('visit');
  });

  test('opens nothing where it would ask', async () => {
    prompts = true;
    saved = { audio: true, video: true };
    await session.start();
    expect(visit.log.some((step) => step.startsWith('open '))).toBe(false);
  });
});

test('leaving stops the devices at once and shows the way back', async () => {
  await session.start();
  visit.changes({ view: viewOf('admitted') });
  session.leave();
  for (const step of ['camera off', 'microphone off', 'leave', 'asleep']) {
    expect(visit.log).toContain(step);
  }
  expect(session.screen.value).toBe('left');
  session.comeBack();
  expect(done('reload')).toBe(true);
});

test('taken over, the person can take it back with devices and sound', async () => {
  visit.changes({ view: viewOf('waiting'), closed: { code: 'taken_over' } });
  expect(session.screen.value).toBe('closed');
  session.takeOver();
  expect(visit.log.filter((step) => !step.startsWith('a'))).toEqual([
    'sound',
    'connect by takeover',
  ]);
  await settled();
  expect(session.screen.value).toBe('waiting');
  expect(visit.log.some((step) => step.startsWith('open '))).toBe(true);
});
