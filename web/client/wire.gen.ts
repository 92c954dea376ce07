// Generated from package signaling/wire by internal/tsgen. Do not edit: run 'make generate'.


/** the server restarts: come back at once, with jitter */
export const CloseRestart = 1012;
/** the client did not read: come back at once */
export const CloseSlow = 4000;
/** nothing was heard for PingTimeoutMS: come back at once */
export const CloseSilent = 4001;
/** too much for now: come back later, with jitter */
export const CloseBusy = 4002;
/** the waiting room is at another instance now: come back at once */
export const CloseMoved = 4003;
/** the same in good order: come back at once, and keep the media connection until there is another */
export const CloseHandedOver = 4004;
/** the seat was opened elsewhere; a person may take it back */
export const CloseTakenOver = 4010;
/** sign in or open the link again */
export const CloseNoSession = 4011;
/** removed from the visit */
export const CloseRemoved = 4012;
/** the visit is over, nothing more will come */
export const CloseOver = 4013;
/** this client speaks another language: reload the page */
export const CloseBadMessage = 4014;


/** one message from a client, the SDP offer included */
export const MaxMessageBytes = 64 << 10;
/** one chat message */
export const MaxChatRunes = 2000;
/** requests a client may have under way */
export const MaxUnanswered = 32;
/** a guest's name */
export const MaxNameRunes = 120;
/** from the upgrade to hello */
export const HelloTimeoutMS = 5000;
/** a client pings at least this often */
export const PingEveryMS = 2600;
/** silence after a ping, after which a client gives the connection up */
export const PongTimeoutMS = 1800;
/** silence after which the server does: a ping that did not come, and as long again */
export const PingTimeoutMS = 4400;
/** the slowest pace that a client may announce */
export const MaxPingMS = 20_000;
/** the shortest time between two list events */
export const ListEveryMS = 250;
export const MaxSeatsPerVisit = 16;












/** Code is a machine-readable reason. Codes of the waiting room's rules are those of package rooms. */
export type Code =
  | "bad_message" /* not JSON, an unknown field, a missing or wrong value */
  | "unknown_type" /* no such request */
  | "hello_first" /* anything before hello, or hello twice */
  | "bad_value" /* a value the rules do not allow */
  | "bad_offer" /* SDP that cannot be answered */
  | "forbidden" /* this role may not do that */
  | "no_visit" /* no such visit here */
  | "no_seat" /* no such seat in the visit */
  | "no_staff" /* no such colleague in this waiting room */
  | "not_waiting" /* admit: the person does not wait */
  | "already_admitted" /* admit: a colleague was faster; By names them */
  | "in_other_visit" /* hold or end the other visit first */
  | "not_admitted" /* hold, return: the person is not in the visit */
  | "not_held" /* resume: nobody is on hold */
  | "locked" /* the visit takes no new guests */
  | "full" /* as many as it takes already; with After the server is, for now */
  | "visit_over" /* ended, cancelled or no-show */
  | "removed" /* the seat was removed */
  | "stale_command" /* older than what is remembered */
  | "seat_in_use" /* hello: open on another device or tab; ask, then takeover */
  | "no_session" /* hello: the cookie is missing, expired or revoked */
  | "not_yet" /* offer: not asked for (View.Connect is false) */
  | "too_many" /* too many requests under way or in a short time */
  | "retry" /* not saved yet; the same request again, soon */
  | "internal" /* our fault */;

/** CloseCode is a WebSocket close code (RFC 6455 section 7.4) that says what the client should do. */
export type CloseCode =
  | 1012 /* the server restarts: come back at once, with jitter */
  | 4000 /* the client did not read: come back at once */
  | 4001 /* nothing was heard for PingTimeoutMS: come back at once */
  | 4002 /* too much for now: come back later, with jitter */
  | 4003 /* the waiting room is at another instance now: come back at once */
  | 4004 /* the same in good order: come back at once, and keep the media connection until there is another */
  | 4010 /* the seat was opened elsewhere; a person may take it back */
  | 4011 /* sign in or open the link again */
  | 4012 /* removed from the visit */
  | 4013 /* the visit is over, nothing more will come */
  | 4014 /* this client speaks another language: reload the page */;

/** Type names a message. Requests go from client to server, events the other way. */
export type Type =
  | "hello" /* first message of a connection */
  | "ping" /* keeps the line and measures it */
  | "offer" /* SDP offer for a new peer */
  | "media" /* what the person's microphone and camera do */
  | "check_in" /* into the waiting room */
  | "leave" /* gives the seat up */
  | "chat" /* says something */
  | "prepare" /* an identity card is open: arm both sides */
  | "admit" /* lets a waiting person in */
  | "join" /* takes a seat beside a colleague */
  | "hold" /* nobody sees or hears them until resume */
  | "resume" /* ends a hold */
  | "return" /* back to the waiting room */
  | "remove" /* out, and their link is dead */
  | "hand_over" /* the visit goes to a colleague */
  | "invite" /* a new guest; answered with a link */
  | "lock" /* no new guests */
  | "move" /* changes the order of the queue */
  | "rooms" /* what other waiting rooms the clinic has */
  | "transfer" /* the visit goes on in another waiting room */
  | "end" /* ends the visit for everybody */
  | "no_show" /* the patient never came */
  | "cancel" /* the visit will not be */
  | "view" /* the person's own view, whole */
  | "list" /* rows of the waiting room that changed; staff only */
  | "messages" /* new chat messages */;

/**
 * Request is the envelope of everything a client sends. ID grows by one with each request of a page
 * (it starts at 1 and is never used again, reconnects included); together with Hello.Client it
 * identifies a command for ever, so that a repeated one is answered and not applied again.
 */
export interface Request {
  t: Type;
  id: number;
  d?: unknown;
}

/** Reply answers the request with the same id, with D or with Err. */
export interface Reply {
  re: number;
  d?: unknown;
  err?: Error;
}

/** Event is something the client did not ask for. Seq grows with each event of a connection. */
export interface Event {
  t: Type;
  seq: number;
  d: unknown;
}

/** Error says why a request was refused. Msg is for developers; pages have their own words for a code. */
export interface Error {
  code: Code;
  msg: string;
  /** who won, where somebody did */
  by?: string;
  /** the same request with the same id may work in a moment */
  retry?: boolean;
  /** full: a new request may work after so many seconds */
  after?: number;
}

/** Empty is the data of requests and replies that carry none. */
export type Empty = Record<string, never>;

/**
 * Hello opens a session on a connection. The cookie of the seat or of the staff member came with the
 * upgrade; Handle says which one.
 */
export interface Hello {
  /** from POST /v1/join */
  handle: string;
  /** random id of this page load, 16 to 64 characters; with Request.ID it identifies a command */
  client: string;
  /** random id of this tab, kept over a refresh, 16 to 64 characters */
  tab: string;
  device: Device;
  /** staff: the waiting room to work in */
  room?: string;
  /** use this device instead of the other */
  takeover?: boolean;
  /** the live peer of this page, if any */
  peer?: string;
  /** an offer, if the page knows that it wants a new peer */
  sdp?: string;
  /** visit id to the number of the last chat message seen */
  messages?: Record<string, number>;
  /** staff: version of the newest list event seen */
  list?: number;
  /** of the newest view, if that had a visit with a version */
  seen?: Seen | null;
}

/** Seen cites a view, so that what it showed is not undone by an owner who has not heard of it. */
export interface Seen {
  /** View.Epoch */
  epoch: number;
  /** View.Visit.ID */
  visit: string;
  /** View.Visit.Version */
  version: number;
}

/** Device is the kind of screen. */
export type Device =
  | "phone"
  | "desktop";

/** Welcome answers hello. */
export interface Welcome {
  /** id of this session, for support */
  session: string;
  /** the server's clock, ms since 1970 */
  now: number;
  /** ping at least this often, unless a ping announced another pace */
  pingMs: number;
  /** for the RTCPeerConnection */
  iceServers: ICEServer[];
  /** the peer that is alive here, empty if none: then offer when View.Connect is true */
  peer: string;
  /** the SDP answer, if hello carried an offer that was taken */
  answer?: string;
  view: View;
  /** staff */
  list?: List | null;
  /** those newer than Hello.Messages */
  messages: Message[];
}

/** ICEServer is an RTCIceServer. */
export interface ICEServer {
  urls: string[];
  username?: string;
  credential?: string;
}

/**
 * Ping keeps the line. A page that nobody looks at, and that has no media connection, says how slowly it will ping from
 * now on, so that it need not wake a phone's radio.
 */
export interface Ping {
  /** the next ping comes within this; left out: within Welcome.PingMS */
  nextMs?: number;
}

/**
 * Pong answers ping. A server has its pages ping at one time, because it sleeps in between: many pings at once cost it a
 * fraction of as many that come one by one.
 */
export interface Pong {
  /** the server's clock, ms since 1970 */
  now: number;
  /** the next ping is wanted in this time, up to Welcome.PingMS, and those after it at the pace as before; left out: go on */
  nextMs?: number;
}

/**
 * Offer asks for a new peer; an older one of the same session is closed. The m-lines are, in order:
 * audio sendonly, video sendonly, then for each slot audio recvonly and video recvonly.
 */
export interface Offer {
  sdp: string;
}

/** Answer answers offer. */
export interface Answer {
  peer: string;
  sdp: string;
}

/** Media tells what the person's own devices do. */
export interface Media {
  audio: MediaState;
  video: MediaState;
}

/** MediaState is what a microphone or camera does. */
export type MediaState =
  | "on"
  | "off" /* switched off by the person */
  | "interrupted" /* by the system: a telephone call */
  | "hidden" /* the page is in the background */
  | "blocked" /* permission denied */
  | "missing" /* no such device */;

/**
 * Chat says something. A seat leaves Visit and Thread empty: the server knows whether it is in the
 * visit or waits. Staff name the visit, and with Thread the waiting seat they answer.
 */
export interface Chat {
  visit?: string;
  thread?: string;
  /** 1 to MaxChatRunes characters */
  text: string;
}

/** Said answers chat. */
export interface Said {
  /** the message's number in its visit */
  n: number;
}

/**
 * Target names a visit and, where the request is about one person, a seat of it. Hold and resume
 * without a seat mean everybody but staff.
 */
export interface Target {
  visit: string;
  seat?: string;
}

/** Prepare says that an identity card was opened (On) or closed. */
export interface Prepare {
  visit: string;
  seat: string;
  on: boolean;
}

/** HandOver gives the visit to a colleague of the same waiting room. */
export interface HandOver {
  visit: string;
  /** a staff id, from View.Colleagues */
  to: string;
}

/** Invite makes a seat for a guest. */
export interface Invite {
  visit: string;
  /** specialist, presenter, interpreter, caregiver or observer */
  role: Role;
  /** 1 to MaxNameRunes characters */
  name: string;
  language?: string;
}

/** Invited answers invite. */
export interface Invited {
  seat: string;
  /** give it to nobody but the guest */
  link: string;
}

/** Lock closes or opens the visit for new guests. */
export interface Lock {
  visit: string;
  on: boolean;
}

/** Move puts a waiting visit before another one. */
export interface Move {
  visit: string;
  /** a visit id; empty: to the end */
  before?: string;
  /** why, kept with the visit */
  reason: string;
}

/** Rooms answers rooms: the clinic's waiting rooms without this one. */
export interface Rooms {
  rooms: RoomInfo[];
}

/**
 * Transfer brings a visit in which nobody is admitted to another waiting room of the clinic, with everybody in it. Their links
 * lead there.
 */
export interface Transfer {
  visit: string;
  room: string;
  /** for the staff there: their Row.MovedReason */
  reason?: string;
}

/** End ends the visit for everybody. */
export interface End {
  visit: string;
  disposition: Disposition;
}

/** Disposition is what came of a visit. */
export type Disposition =
  | "done"
  | "follow_up"
  | "in_person"
  | "noshow"
  | "wrong_person";

/** Cancel calls a visit off before it began. */
export interface Cancel {
  visit: string;
  reason?: string;
}

/** Messages are new chat messages, oldest first. */
export interface Messages {
  messages: Message[];
}

/** Message is one chat message. */
export interface Message {
  visit: string;
  /** grows by one within a visit, but a person need not be shown every one */
  n: number;
  /** a seat id, or a staff id where the sender has no seat in the visit */
  from: string;
  /** sent by the person who reads it */
  mine: boolean;
  name: string;
  role: Role;
  /** ms since 1970 */
  at: number;
  text: string;
  /** empty: everybody in the visit; else between this seat and the staff */
  thread: string;
}

/** Role is what a person is in a visit. */
export type Role =
  | "patient"
  | "clinician"
  | "specialist"
  | "presenter"
  | "interpreter"
  | "caregiver"
  | "observer"
  | "staff";

/** SeatState is where a person is. */
export type SeatState =
  | "expected" /* has not opened the link */
  | "checking" /* has the page open, has not joined yet */
  | "waiting"
  | "admitted"
  | "held"
  | "left"
  | "removed";

/** Phase is where a visit is. */
export type Phase =
  | "scheduled"
  | "waiting"
  | "active"
  | "held"
  | "ended"
  | "cancelled"
  | "noshow";

/** View is everything a person's page needs to be true, sent whole. The newest replaces all before. */
export interface View {
  /** of the owner */
  epoch: number;
  /** of the waiting room at this owner; cite it in support */
  version: number;
  clinic: Clinic;
  room: RoomInfo;
  me: Me;
  /** the seat's visit; for staff the one they are in, or null */
  visit: Visit | null;
  /** while waiting */
  queue?: Queue | null;
  /** those in the visit (admitted or held), the person included; empty before admission */
  people: Person[];
  /** what each slot pair of this device's peer carries */
  slots: Slot[];
  /** this device's link is too slow for pictures: those of others wait, their sound goes on */
  paused: boolean;
  /** have a peer now: send an offer if there is none */
  connect: boolean;
  /** run the encoders behind the closed gate */
  arm: boolean;
  /** open the gate: media may leave the device */
  send: boolean;
  /** staff: who else works in this waiting room */
  colleagues: Staff[];
}

/** Clinic is whom the visit is with. */
export interface Clinic {
  name: string;
  /** may be empty */
  phone: string;
}

/** RoomInfo is the waiting room. */
export interface RoomInfo {
  id: string;
  name: string;
}

/** Me is the person who reads the view. */
export interface Me {
  /** empty for staff who are in no visit */
  seat: string;
  /** empty for patients and guests */
  staff: string;
  role: Role;
  name: string;
  /** staff without a seat: "expected" */
  state: SeatState;
  /** since when on hold, ms since 1970, 0 if not */
  held: number;
}

/** Visit is what a participant may know of the visit. */
export interface Visit {
  id: string;
  phase: Phase;
  /** ms since 1970, 0: none */
  scheduledAt: number;
  /** ms since 1970, 0: not yet */
  startedAt: number;
  /** names of the expected staff, or of those who are in it */
  with: string[];
  locked: boolean;
  /** staff, after the end */
  disposition?: Disposition;
  /** for Hello.Seen */
  version?: number;
}

/** Queue is the truth about the wait. */
export interface Queue {
  /** visits before this one */
  ahead: number;
  /** when the wait began, ms since 1970 */
  since: number;
  /** usual wait in minutes, a range; 0 and 0: not known */
  waitMin: number;
  waitMax: number;
}

/** Person is somebody in the visit. */
export interface Person {
  seat: string;
  role: Role;
  name: string;
  state: SeatState;
  link: Link;
  media: Media;
  /** claims to send a picture, or sound alone, and no packets of it have come for 2 s */
  stalled: boolean;
  /** claims to send sound and no packets of it have come for 2 s */
  unheard: boolean;
}

/** Link is how a person's page is connected. */
export type Link =
  | "none" /* has never been here */
  | "connected" /* signaling is up */
  | "reconnecting" /* signaling was lost; the seat is kept */;

/**
 * Slot says whose sound and picture a slot pair carries. A new Gen means another person or a new
 * start: cover the picture until a frame of it has come.
 */
export interface Slot {
  /** empty: nobody */
  seat: string;
  gen: number;
}

/** Staff is a colleague. */
export interface Staff {
  id: string;
  name: string;
  role: Role;
  /** has the waiting room open */
  here: boolean;
}

/**
 * List is the waiting room as rows by key. A row is always whole. Whole means that the client drops
 * what it has first.
 */
export interface List {
  /** cite it in hello to get only what is newer */
  version: number;
  whole: boolean;
  rows: Row[];
  /** keys of rows that are gone */
  removed: string[];
}

/**
 * Row is one patient or guest of the waiting room. Its key is the seat. Order rows by Rank, then
 * WaitingSince, then Seat.
 */
export interface Row {
  seat: string;
  visit: string;
  role: Role;
  name: string;
  /** YYYY-MM-DD, patients */
  birthDate?: string;
  state: SeatState;
  phase: Phase;
  /** position among those who wait; 0 if not waiting */
  rank: number;
  /** ms since 1970, 0: not yet */
  arrivedAt: number;
  /** ms since 1970, 0: not waiting */
  waitingSince: number;
  /** ms since 1970, 0: none */
  scheduledAt: number;
  /** ms since 1970, 0: not over */
  endedAt: number;
  /** planned length, minutes, 0: none */
  lengthMin: number;
  /** why the patient comes */
  reason?: string;
  /** guests: whose visit it is */
  patientName?: string;
  language?: string;
  /** needs one */
  interpreter: boolean;
  link: Link;
  /** the media connection is up */
  ready: boolean;
  media: Media;
  /** names of staff who are in the visit */
  with: string[];
  locked: boolean;
  movedReason?: string;
  /** on the way to another waiting room: nothing can be done here any more */
  moving?: boolean;
  disposition?: Disposition;
}

/** Joined answers POST /v1/join. */
export interface Joined {
  /** names the cookie; no secret; keep it in the address */
  handle: string;
  kind: JoinedKind;
  /** staff: the waiting rooms they work in */
  rooms: RoomInfo[];
}

/** JoinedKind says which page fits. */
export type JoinedKind =
  | "seat"
  | "staff";
