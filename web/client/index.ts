/**
 * The Anteroom client library: signaling, media and devices of one visit, without any user
 * interface. It has no dependency, no global state and no words for people.
 */
export { createVisit } from './visit';
export { VisitError } from './errors';
export type { DeviceCode, ErrorCode, JoinCode, LocalCode } from './errors';
export type * from './api';
export type {
  Clinic,
  Code,
  Device,
  Disposition,
  Invited,
  Joined,
  JoinedKind,
  Link,
  Me,
  Media,
  MediaState,
  Message,
  Person,
  Phase,
  Queue,
  Role,
  RoomInfo,
  Row,
  SeatState,
  Slot,
  Staff,
  View,
  Visit as VisitInfo,
} from './wire.gen';
export { MaxChatRunes, MaxNameRunes } from './wire.gen';
