package wire

// Code is a machine-readable reason. Codes of the waiting room's rules are those of package rooms.
type Code string

// Reasons for which a request is refused.
const (
	CodeBadMessage      Code = "bad_message"      // not JSON, an unknown field, a missing or wrong value
	CodeUnknownType     Code = "unknown_type"     // no such request
	CodeHelloFirst      Code = "hello_first"      // anything before hello, or hello twice
	CodeBadValue        Code = "bad_value"        // a value the rules do not allow
	CodeBadOffer        Code = "bad_offer"        // SDP that cannot be answered
	CodeForbidden       Code = "forbidden"        // this role may not do that
	CodeNoVisit         Code = "no_visit"         // no such visit here
	CodeNoSeat          Code = "no_seat"          // no such seat in the visit
	CodeNoStaff         Code = "no_staff"         // no such colleague in this waiting room
	CodeNotWaiting      Code = "not_waiting"      // admit: the person does not wait
	CodeAlreadyAdmitted Code = "already_admitted" // admit: a colleague was faster; By names them
	CodeInOtherVisit    Code = "in_other_visit"   // hold or end the other visit first
	CodeNotAdmitted     Code = "not_admitted"     // hold, return: the person is not in the visit
	CodeNotHeld         Code = "not_held"         // resume: nobody is on hold
	CodeLocked          Code = "locked"           // the visit takes no new guests
	CodeFull            Code = "full"             // as many as it takes already; with After the server is, for now
	CodeVisitOver       Code = "visit_over"       // ended, cancelled or no-show
	CodeRemoved         Code = "removed"          // the seat was removed
	CodeStaleCommand    Code = "stale_command"    // older than what is remembered
	CodeSeatInUse       Code = "seat_in_use"      // hello: open on another device or tab; ask, then takeover
	CodeNoSession       Code = "no_session"       // hello: the cookie is missing, expired or revoked
	CodeNotYet          Code = "not_yet"          // offer: not asked for (View.Connect is false)
	CodeTooMany         Code = "too_many"         // too many requests under way or in a short time
	CodeRetry           Code = "retry"            // not saved yet; the same request again, soon
	CodeInternal        Code = "internal"         // our fault
)

// CloseCode is a WebSocket close code (RFC 6455 section 7.4) that says what the client should do.
type CloseCode int

// Close codes. 4000 to 4009: come back; 4010 and above: do not come back by yourself.
const (
	CloseRestart    CloseCode = 1012 // the server restarts: come back at once, with jitter
	CloseSlow       CloseCode = 4000 // the client did not read: come back at once
	CloseSilent     CloseCode = 4001 // nothing was heard for PingTimeoutMS: come back at once
	CloseBusy       CloseCode = 4002 // too much for now: come back later, with jitter
	CloseMoved      CloseCode = 4003 // the waiting room is at another instance now: come back at once
	CloseHandedOver CloseCode = 4004 // the same in good order: come back at once, and keep the media connection until there is another
	CloseTakenOver  CloseCode = 4010 // the seat was opened elsewhere; a person may take it back
	CloseNoSession  CloseCode = 4011 // sign in or open the link again
	CloseRemoved    CloseCode = 4012 // removed from the visit
	CloseOver       CloseCode = 4013 // the visit is over, nothing more will come
	CloseBadMessage CloseCode = 4014 // this client speaks another language: reload the page
)
