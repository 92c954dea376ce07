// Package signaling is the hub: it speaks the protocol of docs/protocol.md over WebSockets, owns waiting
// rooms, and tells the media plane who may see and hear whom.
//
// One actor owns each waiting room and decides everything in it, one event at a time, by the pure rules of
// package rooms. It never waits for a store, a socket or media: changes go to a saver that makes them durable
// in order, and what people may see of a change that brings them together waits for that. A connection has one
// reader and one writer goroutine and a bounded outbox. The package knows nothing of HTTP routes beyond its own, of
// tokens' form, or of packets.
package signaling
