// Package wire holds the messages of the signaling protocol anteroom.v1 as they travel in JSON.
//
// The types here are the single source of the protocol: docs/protocol.md explains them and
// web/client/wire.gen.ts is generated from them. The package knows no rule of the waiting room and
// does no I/O, so that clients and tests may import it without the server.
package wire

// Subprotocol is the WebSocket subprotocol a client has to offer (RFC 6455 section 1.9).
const Subprotocol = "anteroom.v1"

// Limits that both ends keep. The server closes a connection that breaks one.
const (
	MaxMessageBytes  = 64 << 10 // one message from a client, the SDP offer included
	MaxChatRunes     = 2000     // one chat message
	MaxUnanswered    = 32       // requests a client may have under way
	MaxNameRunes     = 120      // a guest's name
	HelloTimeoutMS   = 5000     // from the upgrade to hello
	PingEveryMS      = 2600     // a client pings at least this often
	PongTimeoutMS    = 1800     // silence after a ping, after which a client gives the connection up
	PingTimeoutMS    = 4400     // silence after which the server does: a ping that did not come, and as long again
	MaxPingMS        = 20_000   // the slowest pace that a client may announce
	ListEveryMS      = 250      // the shortest time between two list events
	MaxSeatsPerVisit = 16
)
