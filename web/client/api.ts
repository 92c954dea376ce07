/**
 * What a page sees of the library: types only. A page never touches a socket, a peer connection
 * or getUserMedia.
 */
import type {
  Chat,
  Device,
  Disposition,
  Invited,
  Joined,
  Link,
  Media,
  Message,
  Role,
  Row,
  SeatState,
  View,
} from './wire.gen';
import type { VisitError } from './errors';

/** Where to find the server and who this page is. Nothing happens before open or connect. */
export interface VisitOptions {
  /** origin of the server; default: the page's own */
  url?: string;
  /** from an earlier open(), kept in the page's address; the cookie of that handle does the rest */
  handle?: string;
  /** a join token, or where to get one */
  token?: string | (() => Promise<string>);
  /** staff: the waiting room to work in; default: the first one that Joined names */
  room?: string;
  /** default: by pointer and viewport */
  device?: Device;
  /** remembers the tab over a refresh; default: sessionStorage */
  store?: Pick<Storage, 'getItem' | 'setItem'>;
}

/** The line to the server. `closed` is for good until connect is called again. */
export type VisitState = 'idle' | 'connecting' | 'connected' | 'reconnecting' | 'closed';

/** Why the server will not have this page back, or not without a person's word. */
export type ClosedCode =
  | 'seat_in_use' /* open on another device or tab: ask, then connect({takeover: true}) */
  | 'taken_over' /* opened elsewhere meanwhile: ask, then connect({takeover: true}) */
  | 'no_session' /* open the link again, or sign in */
  | 'removed'
  | 'over'
  | 'outdated'; /* this page is older than the server: reload it */

/** Signaling and media are two links with two states: stay calm while media flows. */
export interface LinkState {
  signaling: 'down' | 'up';
  media: 'none' | 'connecting' | 'up' | 'interrupted';
}

export type DeviceState =
  | 'off'
  | 'starting'
  | 'on'
  | 'interrupted' /* by the system, such as a telephone call */
  | 'blocked' /* permission denied, or an in-app browser that has no capture */
  | 'missing'
  | 'busy' /* used by another program, or it failed to start */
  | 'insecure'; /* the page was not loaded over https */

/** What microphone and camera have in common. The latest call wins. */
export interface Capture {
  readonly state: DeviceState;
  /** why it is blocked, missing, busy or insecure */
  readonly error: VisitError | undefined;
  readonly track: MediaStreamTrack | undefined;
  readonly deviceId: string | undefined;
  /** Asks for permission if needed. Rejects with a VisitError whose code is a DeviceCode. */
  enable(): Promise<void>;
  disable(): void;
  select(deviceId: string): Promise<void>;
}

export interface Microphone extends Capture {
  /** by the person; the device stays open, so that unmute is instant */
  readonly muted: boolean;
  mute(): void;
  unmute(): void;
  /** loudness now, 0 to 1; read it as often as you draw */
  readonly level: number;
}

export interface Camera extends Capture {
  readonly facing: 'user' | 'environment' | undefined;
  /** there is another camera to flip to */
  readonly canFlip: boolean;
  flip(): Promise<void>;
  /** Shows the own picture; returns what undoes it. Mirror it in CSS where facing is `user`. */
  attach(element: HTMLVideoElement): () => void;
}

export interface Devices {
  readonly microphones: readonly MediaDeviceInfo[];
  readonly cameras: readonly MediaDeviceInfo[];
  readonly speakers: readonly MediaDeviceInfo[];
  /** false on phones, where the system decides */
  readonly canSelectOutput: boolean;
}

export interface ParticipantVideo {
  /** Shows this person's picture; returns what undoes it. The element must be muted and playsinline. */
  attach(element: HTMLVideoElement): () => void;
  /** true until a picture of this person, and after this start, has come: hide the element */
  readonly covered: boolean;
}

/** Somebody in the visit, the person included. */
export interface Participant {
  readonly seat: string;
  readonly role: Role;
  readonly name: string;
  readonly state: SeatState;
  readonly link: Link;
  readonly media: Media;
  /** says that it sends, and nothing has come for 2 s */
  readonly stalled: boolean;
  readonly me: boolean;
  /** the slot pair that carries them; undefined: none does */
  readonly slot: number | undefined;
  readonly video: ParticipantVideo;
}

/** A message that the server has not acknowledged yet. */
export interface PendingMessage extends Chat {
  readonly id: number;
}

export interface ChatBox {
  readonly pending: readonly PendingMessage[];
  /** Resolves with the message's number when the server has it; survives reconnects. */
  send(text: string, to?: { visit?: string; thread?: string }): Promise<number>;
}

export interface GuestInvitation {
  visit: string;
  role: Role;
  name: string;
  language?: string;
}

/** What staff may ask for. All reject with a VisitError: `code`, `retry`, and `by` where somebody was faster. */
export interface StaffCommands {
  /** An identity card was opened or closed. */
  prepare(visit: string, seat: string, on: boolean): Promise<void>;
  admit(visit: string, seat: string): Promise<void>;
  join(visit: string): Promise<void>;
  /** Without a seat: everybody but staff. */
  hold(visit: string, seat?: string): Promise<void>;
  resume(visit: string, seat?: string): Promise<void>;
  /** Back to the waiting room. */
  return(visit: string, seat: string): Promise<void>;
  remove(visit: string, seat: string): Promise<void>;
  handOver(visit: string, to: string): Promise<void>;
  invite(guest: GuestInvitation): Promise<Invited>;
  lock(visit: string, on: boolean): Promise<void>;
  move(visit: string, before: string | undefined, reason: string): Promise<void>;
  end(visit: string, disposition: Disposition): Promise<void>;
  noShow(visit: string): Promise<void>;
  cancel(visit: string, reason?: string): Promise<void>;
}

export type AudioPlayback = 'idle' | 'playing' | 'blocked' | 'interrupted';

/** Starts and ends are paired; it ends only when the new track has sent bytes. */
export type Interruption = 'none' | 'interrupted' | 'needs_tap';

export interface VisitEvents {
  connectionStateChanged: VisitState;
  viewChanged: View;
  listChanged: ReadonlyMap<string, Row>;
  messageReceived: Message;
  /** the own seat was admitted */
  admitted: View;
  /** staff: somebody new waits */
  arrived: Row;
  devicesChanged: Devices;
  audioPlaybackChanged: AudioPlayback;
  interruptionChanged: Interruption;
}

export interface ConnectOptions {
  /** take the seat over from another device or tab */
  takeover?: boolean;
  signal?: AbortSignal;
}

/** One person's visit, or one staff member's waiting room. */
export interface Visit {
  readonly state: VisitState;
  readonly closed: { readonly code: ClosedCode } | undefined;
  readonly link: LinkState;
  readonly handle: string | undefined;
  readonly joined: Joined | undefined;
  readonly view: View | undefined;
  /** staff: rows by seat, in queue order */
  readonly list: ReadonlyMap<string, Row>;
  /** all known, by visit and number */
  readonly messages: readonly Message[];
  readonly participants: readonly Participant[];
  readonly microphone: Microphone;
  readonly camera: Camera;
  readonly devices: Devices;
  readonly audioPlayback: AudioPlayback;
  readonly interruption: Interruption;
  readonly chat: ChatBox;
  readonly staff: StaffCommands;

  /** The server's clock, ms since 1970. */
  now(): number;
  /** Exchanges the token, if one was given, for the cookie of its seat. Rejects with a JoinCode. */
  open(signal?: AbortSignal): Promise<Joined>;
  /** Resolves with the first view; from then on it comes back by itself. */
  connect(options?: ConnectOptions): Promise<void>;
  /** Drops the line and keeps the seat. */
  disconnect(): void;
  /** Gives the seat up. */
  leave(): Promise<void>;
  /** Lets go of everything: line, peer, devices, listeners. */
  close(): void;

  /** Into the waiting room; says what the devices do. */
  checkIn(media?: { audio: boolean; video: boolean }): Promise<void>;
  /** Opens both devices with one prompt; where one is refused or missing the other still opens. */
  preview(want: { audio: boolean; video: boolean }): Promise<void>;
  /** Call it in a tap: sound of others and chimes are allowed from then on. */
  startAudio(): Promise<void>;
  /** Call it in a tap after an interruption. */
  resumeMedia(): Promise<void>;
  selectOutput(deviceId: string): Promise<void>;
  chime(kind: 'admitted' | 'arrival'): void;
  /** Keeps the screen on while wanted. */
  keepAwake(on: boolean): void;

  /** Called with the visit after any change, batched. Returns the unsubscriber. */
  subscribe(fn: (visit: Visit) => void): () => void;
  on<E extends keyof VisitEvents>(event: E, fn: (detail: VisitEvents[E]) => void): () => void;
}
