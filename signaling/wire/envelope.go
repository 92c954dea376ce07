package wire

import "encoding/json"

// Type names a message. Requests go from client to server, events the other way.
type Type string

// Requests of everybody.
const (
	TypeHello   Type = "hello"    // first message of a connection
	TypePing    Type = "ping"     // keeps the line and measures it
	TypeOffer   Type = "offer"    // SDP offer for a new peer
	TypeMedia   Type = "media"    // what the person's microphone and camera do
	TypeCheckIn Type = "check_in" // into the waiting room
	TypeLeave   Type = "leave"    // gives the seat up
	TypeChat    Type = "chat"     // says something
)

// Requests of staff.
const (
	TypePrepare  Type = "prepare"   // an identity card is open: arm both sides
	TypeAdmit    Type = "admit"     // lets a waiting person in
	TypeJoin     Type = "join"      // takes a seat beside a colleague
	TypeHold     Type = "hold"      // nobody sees or hears them until resume
	TypeResume   Type = "resume"    // ends a hold
	TypeReturn   Type = "return"    // back to the waiting room
	TypeRemove   Type = "remove"    // out, and their link is dead
	TypeHandOver Type = "hand_over" // the visit goes to a colleague
	TypeInvite   Type = "invite"    // a new guest; answered with a link
	TypeLock     Type = "lock"      // no new guests
	TypeMove     Type = "move"      // changes the order of the queue
	TypeRooms    Type = "rooms"     // what other waiting rooms the clinic has
	TypeTransfer Type = "transfer"  // the visit goes on in another waiting room
	TypeEnd      Type = "end"       // ends the visit for everybody
	TypeNoShow   Type = "no_show"   // the patient never came
	TypeCancel   Type = "cancel"    // the visit will not be
)

// Events.
const (
	EventView     Type = "view"     // the person's own view, whole
	EventList     Type = "list"     // rows of the waiting room that changed; staff only
	EventMessages Type = "messages" // new chat messages
)

// Request is the envelope of everything a client sends. ID grows by one with each request of a page
// (it starts at 1 and is never used again, reconnects included); together with Hello.Client it
// identifies a command for ever, so that a repeated one is answered and not applied again.
type Request struct {
	T  Type            `json:"t"`
	ID uint64          `json:"id"`
	D  json.RawMessage `json:"d,omitempty" tstype:"unknown"`
}

// Reply answers the request with the same id, with D or with Err.
type Reply struct {
	Re  uint64 `json:"re"`
	D   any    `json:"d,omitempty" tstype:"unknown"`
	Err *Error `json:"err,omitempty"`
}

// Event is something the client did not ask for. Seq grows with each event of a connection.
type Event struct {
	T   Type   `json:"t"`
	Seq uint64 `json:"seq"`
	D   any    `json:"d" tstype:"unknown"`
}

// Error says why a request was refused. Msg is for developers; pages have their own words for a code.
type Error struct {
	Code  Code   `json:"code"`
	Msg   string `json:"msg"`
	By    string `json:"by,omitempty"`    // who won, where somebody did
	Retry bool   `json:"retry,omitempty"` // the same request with the same id may work in a moment
	After int    `json:"after,omitempty"` // full: a new request may work after so many seconds
}

// Empty is the data of requests and replies that carry none.
type Empty struct{}
