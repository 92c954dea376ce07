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
  RoomInfo,
  Row,
  SeatState,
  View,
} from './wire.gen';
import type { VisitError } from './errors';

/** Where to find the server and who this page is. Nothing happens before open or connect. */
export interface VisitOptions {
  /**
   * where the server is, such as `https://visits.example.org`; default: where the page is. Another
   * origin has to share the page's registrable domain, for the cookie, and to name it in `--origins`
   */
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

/**
 * The line to the server. `connecting` until the first welcome, `reconnecting` after it, without a last
 * try; `closed` is for good until connect is called again.
 */
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
  /** down: what others do is not known; commands wait and are sent when it is up again */
  signaling: 'down' | 'up';
  /**
   * none: not wanted now; interrupted: it was up and is being brought back; full: the server has no
   * room for a new visit now, and is asked again
   */
  media: 'none' | 'connecting' | 'up' | 'interrupted' | 'full';
}

/** What a microphone or camera does. Every state but `starting` lasts until a call or the system changes it. */
export type DeviceState =
  | 'off'
  | 'starting'
  | 'on'
  | 'interrupted' /* by the system, such as a telephone call */
  | 'blocked' /* permission denied, or an in-app browser that has no capture */
  | 'missing'
  | 'busy' /* used by another program, or it failed to start */
  | 'insecure'; /* the page was not loaded over https */

/** What microphone and camera have in common. The latest call wins: the ones before it resolve quietly. */
export interface Capture {
  readonly state: DeviceState;
  /** why it is blocked, missing, busy or insecure */
  readonly error: VisitError | undefined;
  /** the one that is sent; do not stop it */
  readonly track: MediaStreamTrack | undefined;
  /** of the device in use, which need not be the one that was selected */
  readonly deviceId: string | undefined;
  /** Asks for permission if needed. Rejects with a VisitError whose code is a DeviceCode, or `closed`. */
  enable(): Promise<void>;
  /** Lets the device go. */
  disable(): void;
  /** Enables this one, or another where it is gone. Rejects as enable does. */
  select(deviceId: string): Promise<void>;
}

/** The person's microphone, with echo cancellation, noise suppression and automatic gain. */
export interface Microphone extends Capture {
  /** by the person; the device stays open, so that unmute is instant */
  readonly muted: boolean;
  mute(): void;
  unmute(): void;
  /** loudness now, 0 (silence, or not known before the first tap) to 1; read it as often as you draw */
  readonly level: number;
}

/** The person's camera, asked for 1024x576 at 30 frames a second. */
export interface Camera extends Capture {
  /** undefined: the browser does not say, as on most desktops */
  readonly facing: 'user' | 'environment' | undefined;
  /** there is another camera to flip to */
  readonly canFlip: boolean;
  /** To the other side, or the next camera where there are no sides. Rejects as enable does. */
  flip(): Promise<void>;
  /** Shows the own picture; returns what undoes it. Mirror it in CSS where facing is `user`. */
  attach(element: HTMLVideoElement): () => void;
}

/** What this machine has. Listing never prompts; names and ids are empty before the first permission. */
export interface Devices {
  readonly microphones: readonly MediaDeviceInfo[];
  readonly cameras: readonly MediaDeviceInfo[];
  readonly speakers: readonly MediaDeviceInfo[];
  /** false on phones, where the system decides */
  readonly canSelectOutput: boolean;
}

/** One person's picture; the same object for as long as they are there. */
export interface ParticipantVideo {
  /** Shows this person's picture, muted and inline; returns what undoes it. Sound is never attached. */
  attach(element: HTMLVideoElement): () => void;
  /** true until a picture of this person, and after this start, has come: hide the element */
  readonly covered: boolean;
}

/** Somebody in the visit, the person included; a snapshot, made anew with each view. */
export interface Participant {
  readonly seat: string;
  readonly role: Role;
  readonly name: string;
  readonly state: SeatState;
  /** their line to the server, not ours */
  readonly link: Link;
  /** what they say their devices do */
  readonly media: Media;
  /** says that it sends a picture, or sound alone, and none has come for 2 s */
  readonly stalled: boolean;
  /** says that its microphone is on, and no sound has come for 2 s */
  readonly unheard: boolean;
  readonly me: boolean;
  /** their camera is on, but our own link is too slow for their picture: it comes back by itself, sound goes on */
  readonly paused: boolean;
  /** the slot pair that carries them; undefined: none does */
  readonly slot: number | undefined;
  readonly video: ParticipantVideo;
}

/** A message that the server has not acknowledged yet. */
export interface PendingMessage extends Chat {
  /** of this page only, to tell two apart */
  readonly id: number;
}

/** What the person writes. What was written is in Visit.messages. */
export interface ChatBox {
  readonly pending: readonly PendingMessage[];
  /**
   * Sends 1 to MaxChatRunes characters. Resolves with the message's number when the server has it;
   * survives reconnects. Seats leave `to` out. Rejects with `bad_value`, `full`, `visit_over` and others.
   */
  send(text: string, to?: { visit?: string; thread?: string }): Promise<number>;
}

/** Whom to invite into a visit. */
export interface GuestInvitation {
  visit: string;
  /** a guest's: specialist, presenter, interpreter, caregiver or observer */
  role: Role;
  /** 1 to MaxNameRunes characters */
  name: string;
  /** BCP 47 */
  language?: string;
}

/**
 * What staff may ask for; from a seat it is `forbidden`. Visits and seats are those of Visit.list. Each
 * resolves when it is saved and waits for the line while that is down. All reject with a VisitError:
 * `code`, `retry`, and `by` where somebody was faster.
 */
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
  /** The clinic's other waiting rooms. Does not wait for the line. */
  rooms(): Promise<readonly RoomInfo[]>;
  /** Brings a visit in which nobody is admitted, with everybody in it, to another waiting room. */
  transfer(visit: string, room: string, reason?: string): Promise<void>;
  end(visit: string, disposition: Disposition): Promise<void>;
  noShow(visit: string): Promise<void>;
  cancel(visit: string, reason?: string): Promise<void>;
}

/** The sound of others: `idle` before startAudio, `blocked` until a tap, `interrupted` by the system. */
export type AudioPlayback = 'idle' | 'playing' | 'blocked' | 'interrupted';

/**
 * The system took the devices, as for a telephone call. Starts and ends are paired; it ends only with
 * proof that media flows. `needs_tap`: call resumeMedia in one.
 */
export type Interruption = 'none' | 'interrupted' | 'needs_tap';

/** Events by name, with what a listener is given. */
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

/** How to connect. */
export interface ConnectOptions {
  /** take the seat over from another device or tab */
  takeover?: boolean;
  /** gives up the wait for the first welcome, and drops the line; connect rejects with `aborted` */
  signal?: AbortSignal;
}

/** One person's visit, or one staff member's waiting room. */
export interface Visit {
  readonly state: VisitState;
  /** why, while state is `closed` */
  readonly closed: { readonly code: ClosedCode } | undefined;
  readonly link: LinkState;
  /** names the cookie of this seat; no secret: keep it in the address, and a refresh needs no token */
  readonly handle: string | undefined;
  /** what open answered */
  readonly joined: Joined | undefined;
  /** the server's newest word on this person's place; undefined before the first welcome */
  readonly view: View | undefined;
  /** staff: rows by seat, in queue order */
  readonly list: ReadonlyMap<string, Row>;
  /** all known, by visit and number */
  readonly messages: readonly Message[];
  /** those in the visit; empty before admission */
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
  /**
   * Exchanges the token for the cookie of its seat; connect does it where no handle is known. Rejects with
   * a JoinCode, `no_session` (no token was given), `aborted`, `offline` or `internal`.
   */
  open(signal?: AbortSignal): Promise<Joined>;
  /**
   * Resolves with the first view; from then on the line comes back by itself. Rejects as open does, and
   * with why it was closed.
   */
  connect(options?: ConnectOptions): Promise<void>;
  /** Drops the line and keeps the seat. */
  disconnect(): void;
  /** Gives the seat up; nothing leaves the device from the call on. Rejects with a wire code. */
  leave(): Promise<void>;
  /** Lets go of everything: line, peer, devices, listeners. For good: every later call rejects with `closed`. */
  close(): void;

  /** Into the waiting room. A device that is `false` in `media` is let go before. */
  checkIn(media?: { audio: boolean; video: boolean }): Promise<void>;
  /**
   * Opens both devices with one prompt; where one is refused or missing the other still opens. Rejects
   * where none did.
   */
  preview(want: { audio: boolean; video: boolean }): Promise<void>;
  /** Call it in a tap: sound of others and chimes are allowed from then on. */
  startAudio(): Promise<void>;
  /** Call it in a tap after an interruption. */
  resumeMedia(): Promise<void>;
  /** Where others are heard; only where devices.canSelectOutput. Rejects as setSinkId does. */
  selectOutput(deviceId: string): Promise<void>;
  /** Silent before the first startAudio or preview in a tap. */
  chime(kind: 'admitted' | 'arrival'): void;
  /** Keeps the screen on while wanted. */
  keepAwake(on: boolean): void;

  /** Called with the visit after any change, batched. Returns the unsubscriber. */
  subscribe(fn: (visit: Visit) => void): () => void;
  /** Listens to one event. Returns the unsubscriber. */
  on<E extends keyof VisitEvents>(event: E, fn: (detail: VisitEvents[E]) => void): () => void;
}
