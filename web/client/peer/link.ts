/**
 * Keeps this page's peer as the view wants it: makes one, replaces one that broke, closes one that is
 * not wanted, and leaves a live one alone however often the line to the server breaks.
 */
import { VisitError } from '../errors';
import { Backoff } from '../line/backoff';
import type { Answer, Hello, ICEServer, Slot, View, Welcome } from '../wire.gen';
import { Former } from './former';
import type { Gatekeeper } from './gatekeeper';
import { Peer, type Kind } from './peer';

/** Disconnected for longer is not a hiccup of the network. */
const patienceMS = 5000;
/** From the answer to connected. */
const connectMS = 12_000;
/** The page has shown itself by then. */
const calmMS = 500;

export type MediaState = 'none' | 'connecting' | 'up' | 'interrupted' | 'full';

export interface PeerLinkHooks {
  /** asks the server; rejects when the line is down */
  offer(sdp: string): Promise<Answer>;
  /** a new peer took over, or its state changed */
  changed(): void;
}

export class PeerLink {
  readonly #gatekeeper: Gatekeeper;
  readonly #pairs: number;
  readonly #hooks: PeerLinkHooks;
  readonly #backoff = new Backoff();
  readonly #tracks: Record<Kind, MediaStreamTrack | null> = { audio: null, video: null };
  #iceServers: readonly ICEServer[] | undefined;
  #view: View | undefined;
  #lineUp = false;
  #peer: Peer | undefined;
  /** still in use, beside the next */
  #former: Former | undefined;
  /** built before it is wanted, because building one takes a phone longer than the network does */
  #spare: Peer | undefined;
  #calm: ReturnType<typeof setTimeout> | undefined;
  #generation = 0;
  #continued: number | undefined;
  #offering = false;
  #wasUp = false;
  #hushed = false;
  /** the server had no room when it was last asked */
  #full = false;
  #watch: ReturnType<typeof setTimeout> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(gatekeeper: Gatekeeper, pairs: number, hooks: PeerLinkHooks) {
    this.#gatekeeper = gatekeeper;
    this.#pairs = pairs;
    this.#hooks = hooks;
  }

  /** The one that is heard and seen. */
  get peer(): Peer | undefined {
    return this.#former?.peer ?? this.#peer;
  }

  /** Of that peer; it grows with each new one. */
  get generation(): number {
    return this.#former?.generation ?? this.#generation;
  }

  /** The peer before brought the same people until this one did. */
  get continued(): number | undefined {
    return this.#continued;
  }

  /** Who is in its slots, where that is not what the view says. */
  get slots(): readonly Slot[] | undefined {
    return this.#former?.slots;
  }

  get state(): MediaState {
    if (this.#former) return 'up';
    if (this.#full && this.#view?.connect) return 'full';
    const replacing = this.#wasUp ? 'interrupted' : 'connecting';
    if (!this.#peer) return this.#view?.connect ? replacing : 'none';
    switch (this.#peer.state) {
      case 'connected':
        return 'up';
      case 'new':
      case 'connecting':
        return replacing;
      case 'disconnected':
      case 'failed':
        return 'interrupted';
      case 'closed':
        return 'none';
    }
  }

  /** Media flows out: the server wants it and the way is there. */
  get sending(): boolean {
    return this.#maySend && this.peer?.state === 'connected';
  }

  /** What hello says of the peer: the live one, or the offer of a new one where one is surely wanted. */
  async greeting(): Promise<Pick<Hello, 'peer' | 'sdp'>> {
    if (this.#peer?.id && this.#alive(this.#peer)) return { peer: this.#peer.id };
    if (!this.#view?.connect || !this.#iceServers) return {};
    try {
      return { sdp: await (await this.#make()).offer() };
    } catch {
      return {}; // then the offer is made after welcome, and tried again there
    }
  }

  async welcomed(welcome: Welcome): Promise<void> {
    this.#iceServers = welcome.iceServers;
    this.#dropSpare(); // it has the credentials of before
    this.#lineUp = true;
    this.#take(welcome.view);
    if (welcome.answer !== undefined && this.#peer) {
      await this.#accept(this.#peer, { peer: welcome.peer, sdp: welcome.answer });
    } else if (this.#peer && this.#peer.id !== welcome.peer) {
      this.#drop();
    }
    this.#settle();
  }

  /** The room has gone to another server in good order: this peer goes on until there is one to that. */
  handedOver(): void {
    const peer = this.#peer;
    if (peer?.state !== 'connected' || !this.#view) return;
    this.#dropFormer();
    clearTimeout(this.#watch);
    this.#former = new Former(peer, this.#generation, this.#view, (whole) => {
      if (whole) this.#continued = this.#former?.generation;
      this.#dropFormer();
    });
    this.#peer = undefined;
  }

  viewed(view: View): void {
    this.#take(view);
    this.#settle();
  }

  lineLost(): void {
    this.#lineUp = false;
    clearTimeout(this.#retry);
    this.#retry = undefined;
  }

  /** The server could not read our offer: make another. */
  refused(): void {
    this.#drop();
  }

  setTrack(kind: Kind, track: MediaStreamTrack | undefined): void {
    this.#tracks[kind] = track ?? null;
    this.#feed();
  }

  /** The person goes: nothing leaves from now on, whenever the server hears of it. */
  hush(): void {
    this.#hushed = true;
    this.#feed();
  }

  /** They stay: the server did not let them go. */
  unhush(): void {
    this.#hushed = false;
    this.#feed();
  }

  close(): void {
    this.lineLost();
    this.#view = undefined;
    this.#dropSpare();
    this.#drop();
    this.#dropFormer();
  }

  /** A view that sends nothing knows of their going; one that sends may have been on its way before. */
  #take(view: View): void {
    this.#view = view;
    if (this.#full && (!view.connect || underWay(view))) this.#askAtOnce();
    if (!view.send) this.#hushed = false;
    if (this.#former?.suits(view) === false) this.#dropFormer();
  }

  get #maySend(): boolean {
    return this.#view?.send === true && !this.#hushed;
  }

  /** There is room for visits under way. */
  #askAtOnce(): void {
    this.#full = false;
    clearTimeout(this.#retry);
    this.#retry = undefined;
  }

  #settle(): void {
    if (!this.#view?.connect) {
      this.#wasUp = false;
      this.#drop();
      this.#dropFormer();
      this.#prepare();
    } else if (this.#lineUp && !this.#offering && !this.#retry && !this.#peer)
      void this.#negotiate();
    this.#feed();
  }

  /** Attaches tracks and moves the gate. Without a gate a track is attached only when it may leave. */
  #feed(): void {
    for (const peer of [this.#former?.peer, this.#peer]) {
      if (!peer) continue;
      const send = this.#maySend;
      const run = send || (this.#view?.arm === true && !this.#hushed && peer.gated);
      peer.open(send);
      void peer.send('audio', run ? this.#tracks.audio : null);
      void peer.send('video', run ? this.#tracks.video : null);
    }
  }

  async #negotiate(): Promise<void> {
    this.#offering = true;
    let peer: Peer | undefined;
    try {
      peer = await this.#make();
      const answer = await this.#hooks.offer(await peer.offer());
      this.#full = false;
      await this.#accept(peer, answer);
    } catch (error) {
      this.#offering = false;
      // Not one that a newer hello has made meanwhile.
      if (peer === this.#peer) this.#drop();
      this.#again(error);
      return;
    }
    this.#offering = false;
    this.#settle(); // the view may have moved on
  }

  /** Not yet: the next view says when. Offline: the next welcome does. Full: the server does. All else is tried again. */
  #again(error: unknown): void {
    const code = error instanceof VisitError ? error.code : 'unknown';
    if (code === 'not_yet' || code === 'offline' || code === 'closed') return;
    const after = error instanceof VisitError ? error.after : undefined;
    this.#full = code === 'full' && after !== undefined;
    this.#hooks.changed();
    this.#retryAfter(after === undefined ? this.#backoff.next('later') : after * 1000);
  }

  #retryAfter(ms: number): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#settle();
    }, ms);
  }

  async #make(): Promise<Peer> {
    const gated = await this.#gatekeeper.ready();
    if (!this.#view?.connect) throw new VisitError('not_yet', 'no longer wanted');
    this.#drop();
    const peer = this.#spare ?? this.#build(gated);
    this.#spare = undefined;
    this.#peer = peer;
    this.#generation += 1;
    this.#hooks.changed();
    return peer;
  }

  #build(gated: boolean): Peer {
    const peer: Peer = new Peer({
      iceServers: this.#iceServers ?? [],
      pairs: this.#pairs,
      gate: gated ? this.#gatekeeper.gate() : undefined,
      changed: () => {
        if (peer === this.#peer) this.#moved(peer);
        if (peer === this.#former?.peer && peer.state !== 'connected') this.#dropFormer();
      },
    });
    return peer;
  }

  /** Builds the spare peer, without an offer, of somebody who will want one. */
  #prepare(): void {
    if (!this.#willWant) this.#dropSpare();
    else if (!this.#spare) {
      this.#calm ??= setTimeout(() => {
        void this.#gatekeeper.ready().then((gated) => {
          if (this.#calm !== undefined && this.#willWant) this.#spare = this.#build(gated);
          this.#calm = undefined;
        });
      }, calmMS);
    }
  }

  get #willWant(): boolean {
    const state = this.#view?.me.state;
    return this.#view?.connect === false && (state === 'checking' || state === 'waiting');
  }

  #dropSpare(): void {
    clearTimeout(this.#calm);
    this.#calm = undefined;
    this.#spare?.close();
    this.#spare = undefined;
  }

  async #accept(peer: Peer, answer: Answer): Promise<void> {
    if (peer !== this.#peer) return;
    this.#giveUpAfter(peer, connectMS);
    try {
      await peer.accept(answer);
    } catch {
      this.#replace(peer);
    }
    this.#hooks.changed();
  }

  #moved(peer: Peer): void {
    if (this.#view) this.#former?.compare(peer, this.#view);
    clearTimeout(this.#watch);
    switch (peer.state) {
      case 'connected':
        this.#wasUp = true;
        this.#backoff.reset();
        break;
      case 'disconnected':
        this.#giveUpAfter(peer, patienceMS);
        break;
      case 'connecting':
        this.#giveUpAfter(peer, connectMS);
        break;
      case 'failed':
        this.#replace(peer);
        break;
      case 'new':
      case 'closed':
        break;
    }
    this.#hooks.changed();
  }

  #giveUpAfter(peer: Peer, ms: number): void {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => this.#replace(peer), ms);
  }

  #replace(peer: Peer): void {
    if (peer !== this.#peer) return;
    this.#drop();
    this.#retryAfter(this.#backoff.next('at_once'));
  }

  #alive(peer: Peer): boolean {
    return peer.state !== 'failed' && peer.state !== 'closed';
  }

  #dropFormer(): void {
    if (!this.#former) return;
    this.#former.close();
    this.#former = undefined;
    this.#hooks.changed();
  }

  #drop(): void {
    clearTimeout(this.#watch);
    if (!this.#peer) return;
    this.#peer.close();
    this.#peer = undefined;
    this.#hooks.changed();
  }
}

/** A visit that goes on already has room for its own people. */
function underWay(view: View): boolean {
  return view.visit?.phase === 'active' || view.visit?.phase === 'held';
}
