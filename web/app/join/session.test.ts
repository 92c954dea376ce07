import { beforeEach, describe, expect, test } from 'vitest';
import type { Joined, Visit } from '../../client/index';
import { VisitError } from '../../client/index';
import { settled } from '../../client/testing/socket';
import { viewOf } from '../../client/testing/wire';
import type { Choices } from '../state/choices';
import { createSession, type Session } from './session';

type Device = 'off' | 'on' | 'blocked';

/** As much of a visit as this page uses; devices open as `allow` says. */
class FakeVisit {
  state = 'idle';
  closed: Visit['closed'];
  link = { signaling: 'up', media: 'none' } as const;
  handle: string | undefined;
  view: Visit['view'];
  messages = [];
  participants = [];
  chat = { pending: [] };
  audioPlayback = 'idle';
  interruption = 'none';
  allow: Device = 'on';
  /** the view that comes with the welcome */
  arrives: Visit['view'];
  opens = (): Promise<Joined> => Promise.resolve({ handle: 'h', kind: 'seat', rooms: [] });
  readonly log: string[] = [];
  readonly microphone = this.#device('microphone');
  readonly camera = { ...this.#device('camera'), canFlip: false, facing: 'user' };
  readonly #subscribers = new Set<() => void>();
  readonly #admitted = new Set<() => void>();

  #device(name: string) {
    const device = {
      state: 'off' as Device,
      muted: false,
      error: undefined as VisitError | undefined,
      disable: () => {
        device.state = 'off';
        this.log.push(`${name} off`);
        this.changes();
      },
    };
    return device;
  }

  now = () => 0;
  keepAwake = (on: boolean) => this.log.push(on ? 'awake' : 'asleep');
  chime = (kind: string) => this.log.push(`chime ${kind}`);

  subscribe(fn: () => void) {
    this.#subscribers.add(fn);
    return () => this.#subscribers.delete(fn);
  }

  on(_: 'admitted', fn: () => void) {
    this.#admitted.add(fn);
  }

  changes(change: Partial<FakeVisit> = {}) {
    Object.assign(this, change);
    for (const fn of this.#subscribers) fn();
  }

  admits() {
    this.changes({ view: viewOf('admitted') });
    for (const fn of this.#admitted) fn();
  }

  async open() {
    const joined = await this.opens();
    this.handle = joined.handle;
    return joined;
  }

  connect({ takeover }: { takeover: boolean }) {
    this.log.push(takeover ? 'connect by takeover' : 'connect');
    this.changes({ ...(takeover && { closed: undefined }), view: this.arrives ?? this.view });
    return Promise.resolve();
  }

  preview(want: Choices) {
    this.log.push(
      `open ${Object.entries(want)
        .filter(([, on]) => on)
        .map(([kind]) => kind)
        .join(' ')}`,
    );
    if (want.audio) this.microphone.state = this.allow;
    if (want.video) this.camera.state = this.allow;
    if (this.allow === 'blocked') this.microphone.error = new VisitError('denied', '');
    this.changes();
    return Promise.resolve();
  }

  startAudio() {
    this.log.push('sound');
    return Promise.resolve();
  }

  checkIn() {
    this.log.push('check in');
    this.changes({ view: viewOf('waiting') });
    return Promise.resolve();
  }

  leave() {
    this.log.push('leave');
    return Promise.resolve();
  }
}

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

test('admission chimes, shakes the phone and changes the screen', () => {
  visit.admits();
  expect(session.screen.value).toBe('visit');
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
