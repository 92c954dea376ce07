/** A visit without a server, for the tests of the patient's page. */
import { VisitError, type Joined, type Visit } from '../../client/index';
import { viewOf } from '../../client/testing/wire';
import type { Choices } from '../state/choices';
import type { Surroundings } from './session';

/** A page's surroundings that do nothing. */
export function quiet(change: Partial<Surroundings> = {}): Surroundings {
  return {
    place: 'ios',
    link: undefined,
    wouldPrompt: () => Promise.resolve(false),
    opened: () => undefined,
    loadChoices: () => undefined,
    saveChoices: () => undefined,
    vibrate: () => undefined,
    reload: () => undefined,
    ...change,
  };
}

type Device = 'off' | 'on' | 'blocked';

/** As much of a visit as this page uses; devices open as `allow` says. */
export class FakeVisit {
  state = 'idle';
  closed: Visit['closed'];
  link: Visit['link'] = { signaling: 'up', media: 'none' };
  handle: string | undefined;
  view: Visit['view'];
  messages = [];
  participants = [];
  devices = { microphones: [], cameras: [], speakers: [], canSelectOutput: false };
  chat = {
    pending: [],
    send: (text: string) => {
      this.log.push(`said ${text}`);
      return Promise.resolve(1);
    },
  };
  audioPlayback = 'idle';
  interruption = 'none';
  allow: Device = 'on';
  /** the view that comes with the welcome */
  arrives: Visit['view'];
  opens = (): Promise<Joined> => Promise.resolve({ handle: 'h', kind: 'seat', rooms: [] });
  readonly log: string[] = [];
  readonly microphone = this.#device('microphone');
  readonly camera = {
    ...this.#device('camera'),
    canFlip: false,
    facing: 'user',
    attach: () => () => undefined,
  };
  readonly #subscribers = new Set<() => void>();
  readonly #admitted = new Set<() => void>();

  #device(name: string) {
    const device = {
      state: 'off' as Device,
      muted: false,
      level: 0,
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
