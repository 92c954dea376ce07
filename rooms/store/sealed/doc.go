// Package sealed encrypts what says who people are before it reaches a store: visits whole (names, birth dates, reasons, chat,
// notes) and members of staff. It wraps any store.Store and is one.
//
// A store sees of a visit its ID, room, clinic, version and time of erasure, which it needs, and an envelope: AES-256-GCM under a
// key of a file, with the place of the record as additional data. A record that was changed, moved to another place or
// put under another version does not open. What the store sees outside of the envelope is compared with what is inside.
// It does not hide how many visits there are, how long their records are, or that one changed; and it cannot tell that a store
// answers a whole earlier state of a record with its earlier version.
package sealed
