/** A visit: puts line, peer, people and devices together behind the API that pages see. */
import type {
  AudioPlayback,
  ClosedCode,
  ConnectOptions,
  Devices,
  Interruption,
  LinkState,
  Participant,
  StaffCommands,
  Visit,
  VisitEvents,
  VisitOptions,
  VisitState,
} from './api';
import { ChatSender } from './chat';
import { Batch, Emitter } from './emitter';
import { VisitError } from './errors';
import { join } from './join';
import { Line, type LineState } from './line/line';
import { welcomed } from './line/welcomed';
import { LocalMedia } from './media';
import { defaultDevice, randomId, signalURL, tabId, watchReturns } from './page';
import { Participants } from './participants';
import { Gatekeeper } from './peer/gatekeeper';
import { PeerLink } from './peer/link';
import { Reporter } from './report';
import { staffCommands } from './staff';
import { Store } from './store';
import { WakeLock } from './wakelock';
import type { Answer, Device, Event, Hello, Joined, Message, Row, View, Welcome } from './wire.gen';

const pairs: Readonly<Record<Device, number>> = { phone: 4, desktop: 6 };

/** Makes a visit. Pure: no network, no listener and no prompt before the first call on it. */
export function createVisit(options: VisitOptions = {}): Visit {
  return new LiveVisit(options);
}

class LiveVisit implements Visit {
  readonly #options: VisitOptions;
  readonly #origin: string;
  readonly #device: Device;
  readonly #client = randomId();
  readonly #life = new AbortController();
  readonly #events = new Emitter<VisitEvents>();
  readonly #batch = new Batch();
  readonly #wakeLock = new WakeLock();
  readonly #gatekeeper = new Gatekeeper();
  readonly #store: Store;
  readonly #line: Line;
  readonly #link: PeerLink;
  readonly #people: Participants;
  readonly #media: LocalMedia;
  readonly #reporter: Reporter;
  readonly chat: ChatSender;
  readonly staff: StaffCommands;
  #handle: string | undefined;
  #joined: Joined | undefined;
  #takeover = false;
  #listening = false;
  #state: VisitState = 'idle';

  constructor(options: VisitOptions) {
    this.#options = options;
    this.#origin = options.url === undefined ? location.origin : new URL(options.url).origin;
    this.#device = options.device ?? defaultDevice();
    this.#handle = options.handle;
    const changed = (): void => this.#changed();
    this.#store = new Store({
      emit: (event, detail) => this.#emit(event, detail),
      over: () => this.#media.stop(),
    });
    this.#line = new Line(signalURL(this.#origin), this.#gatekeeper.metronome, {
      hello: () => this.#hello(),
      welcomed: (welcome, asked) => this.#welcomed(welcome, asked),
      event: (event) => this.#heard(event),
      pong: ({ now }, asked) => this.#store.clock.heard(now, asked),
      offerRefused: () => this.#link.refused(),
      handedOver: () => this.#link.handedOver(),
      changed: (state) => this.#lineChanged(state),
    });
    this.#link = new PeerLink(this.#gatekeeper, pairs[this.#device], {
      offer: async (sdp) => (await this.#line.ask('offer', { sdp })) as Answer,
      changed: () => this.#linkChanged(),
    });
    this.#people = new Participants(changed);
    this.#media = new LocalMedia(this.#device, {
      changed,
      track: (kind, track) => this.#link.setTrack(kind, track),
      sendingPeer: () => (this.#link.sending ? this.#link.peer : undefined),
      rearm: async (kinds) => {
        for (const kind of kinds) await this.#link.peer?.rearm(kind);
      },
      devicesChanged: (devices) => this.#emit('devicesChanged', devices),
      playbackChanged: (state) => this.#emit('audioPlaybackChanged', state),
      interruptionChanged: (state) => this.#emit('interruptionChanged', state),
    });
    this.#reporter = new Reporter((media) => this.#line.ask('media', media));
    this.chat = new ChatSender((t, d) => this.#line.ask(t, d), changed);
    this.staff = staffCommands((t, d) => this.#line.ask(t, d));
  }

  get state(): VisitState {
    return this.#state;
  }

  get closed(): { readonly code: ClosedCode } | undefined {
    const code = this.#line.closed;
    return code && { code };
  }

  get link(): LinkState {
    return { signaling: this.#state === 'connected' ? 'up' : 'down', media: this.#link.state };
  }

  get handle(): string | undefined {
    return this.#handle;
  }

  get joined(): Joined | undefined {
    return this.#joined;
  }

  get view(): View | undefined {
    return this.#store.view;
  }

  get list(): ReadonlyMap<string, Row> {
    return this.#store.rows;
  }

  get messages(): readonly Message[] {
    return this.#store.messages;
  }

  get participants(): readonly Participant[] {
    return this.#people.all;
  }

  get microphone(): LocalMedia['microphone'] {
    return this.#media.microphone;
  }

  get camera(): LocalMedia['camera'] {
    return this.#media.camera;
  }

  get devices(): Devices {
    return this.#media.devices;
  }

  get audioPlayback(): AudioPlayback {
    return this.#media.playback.state;
  }

  get interruption(): Interruption {
    return this.#media.interruption;
  }

  now(): number {
    return this.#store.clock.now();
  }

  async open(signal?: AbortSignal): Promise<Joined> {
    this.#assertAlive();
    const { token } = this.#options;
    const value = typeof token === 'function' ? await token() : token;
    if (value === undefined) throw new VisitError('no_session', 'no token was given');
    this.#joined = await join(this.#origin, value, signal);
    this.#handle = this.#joined.handle;
    this.#changed();
    return this.#joined;
  }

  async connect({ takeover = false, signal }: ConnectOptions = {}): Promise<void> {
    this.#assertAlive();
    this.#listen();
    void this.#gatekeeper.ready();
    if (this.#handle === undefined) await this.open(signal);
    if (this.#state === 'connected') return;
    this.#takeover = takeover;
    const signals = signal ? [this.#life.signal, signal] : [this.#life.signal];
    await welcomed(this, () => this.#line.start(), signals);
  }

  disconnect(): void {
    this.#line.stop();
    this.#link.close();
  }

  async leave(): Promise<void> {
    this.#link.hush();
    if (this.#store.view?.me.staff === '') this.#media.stop();
    try {
      await this.#line.ask('leave', {});
    } catch (error) {
      this.#link.unhush();
      throw error;
    }
  }

  close(): void {
    this.#life.abort(new VisitError('closed', 'the visit was closed'));
    this.#line.close();
    this.#link.close();
    this.#media.close();
    this.#wakeLock.set(false);
    this.#gatekeeper.close();
    this.#people.update(undefined, this.#link);
    this.#events.clear();
    this.#batch.clear();
  }

  async checkIn(media?: { audio: boolean; video: boolean }): Promise<void> {
    if (media?.audio === false) this.microphone.disable();
    if (media?.video === false) this.camera.disable();
    await this.#line.ask('check_in', {});
  }

  async preview(want: { audio: boolean; video: boolean }): Promise<void> {
    this.#assertAlive();
    this.#listen();
    await this.#media.preview(want);
  }

  async startAudio(): Promise<void> {
    this.#assertAlive();
    this.#listen();
    this.#people.replay();
    await this.#media.startAudio();
  }

  resumeMedia(): Promise<void> {
    this.#people.replay();
    this.#media.resume();
    return this.#media.playback.revive();
  }

  selectOutput(deviceId: string): Promise<void> {
    return this.#media.playback.selectOutput(deviceId);
  }

  chime(kind: 'admitted' | 'arrival'): void {
    this.#media.chime(kind);
  }

  keepAwake(on: boolean): void {
    this.#listen();
    this.#wakeLock.set(on && !this.#life.signal.aborted);
  }

  subscribe(fn: (visit: Visit) => void): () => void {
    return this.#batch.subscribe(() => fn(this));
  }

  on<E extends keyof VisitEvents>(event: E, fn: (detail: VisitEvents[E]) => void): () => void {
    return this.#events.on(event, fn);
  }

  /** After close nothing is opened any more: whoever still awaits something would leak it. */
  #assertAlive(): void {
    this.#life.signal.throwIfAborted();
  }

  /** All listeners of the page, for as long as the visit lives; none before something is asked of it. */
  #listen(): void {
    const { signal } = this.#life;
    if (this.#listening || signal.aborted) return;
    this.#listening = true;
    watchReturns(
      {
        returned: () => {
          this.#line.woke();
          this.#media.returned();
          void this.#wakeLock.ask();
        },
        restored: () => {
          this.#link.refused();
          this.#line.reopen();
          this.#media.restored();
        },
        visibility: () => this.#refresh(),
      },
      signal,
    );
    addEventListener(
      'click',
      () => {
        void this.#wakeLock.ask();
        this.#media.tapped();
      },
      { signal },
    );
    const source = navigator.mediaDevices as MediaDevices | undefined;
    source?.addEventListener('devicechange', () => this.#media.devicesMayHaveChanged(), { signal });
  }

  async #hello(): Promise<Hello> {
    const { room } = this.#options;
    return {
      handle: this.#handle ?? '',
      client: this.#client,
      tab: tabId(() => this.#options.store ?? sessionStorage),
      device: this.#device,
      ...(room !== undefined && { room }),
      ...(this.#takeover && { takeover: true }),
      ...(await this.#link.greeting()),
      ...this.#store.citation,
    };
  }

  #welcomed(welcome: Welcome, asked: number): void {
    this.#takeover = false;
    this.#store.welcomed(welcome, asked);
    void this.#link.welcomed(welcome);
    this.#reporter.forget();
  }

  #heard(event: Event): void {
    // First what may leave the device: whoever hears of the news takes time to draw it.
    if (event.t === 'view') this.#link.viewed(event.d as View);
    this.#store.heard(event);
    this.#refresh();
  }

  #lineChanged(line: LineState): void {
    if (line === 'waiting' || line === 'closed' || line === 'idle') this.#link.lineLost();
    if (line === 'closed') this.#barred();
    const state = this.#stateOf(line);
    if (state !== this.#state) {
      this.#state = state;
      this.#emit('connectionStateChanged', state);
    }
    this.#refresh();
  }

  /** Not welcome here any more: the devices are for whoever has the seat now, or for nobody. */
  #barred(): void {
    this.#link.close();
    const code = this.#line.closed;
    if (code !== 'seat_in_use' && code !== 'outdated') this.#media.stop();
  }

  #stateOf(line: LineState): VisitState {
    switch (line) {
      case 'idle':
      case 'closed':
        return line;
      case 'up':
      case 'probing':
        return 'connected';
      case 'opening':
      case 'greeting':
      case 'waiting':
        return this.#store.view ? 'reconnecting' : 'connecting';
    }
  }

  #linkChanged(): void {
    this.#media.playback.carry(this.#link.peer?.sounds ?? []);
    this.#refresh();
  }

  #refresh(): void {
    this.#people.update(this.#store.view, this.#link);
    // With media the network is awake anyway, and others want to know when it is gone.
    this.#line.rest(document.visibilityState === 'hidden' && this.#link.state === 'none');
    this.#line.hurry(this.#link.sending);
    this.#changed();
  }

  #changed(): void {
    if (this.#state === 'connected') this.#reporter.report(this.#media.state);
    this.#batch.touch();
  }

  #emit<E extends keyof VisitEvents>(event: E, detail: VisitEvents[E]): void {
    this.#events.emit(event, detail);
    this.#changed();
  }
}
