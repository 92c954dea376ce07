package rooms

// Command names who does what to which visit. Client and ID identify it for ever: Client is a random
// id of a page's life, ID grows with each command of it. Without a Client it is not remembered, which
// is for the server's own commands only.
type Command struct {
	Actor  Actor
	Client string
	ID     uint64
	Visit  VisitID
	Do     Action
}

// Actor is who gives a command: the holder of a seat, a member of staff of the room, or the system
// (REST and the server itself). The role of a seat is read from the visit, whatever Role says.
type Actor struct {
	Seat   SeatID
	Staff  StaffID
	Name   string // of staff
	Role   Role   // of staff
	System bool
}

// Action is what a command does. The types of this package are the only ones.
type Action interface {
	// Name is the action's name in the policy, and on the wire where it is a client's.
	Name() string
	apply(c *change) error
}

// Outcome is what Apply decided.
type Outcome struct {
	Visits   []*Visit // new values of the visits that change; empty: nothing changes
	Visit    *Visit   // the command's visit as it then is
	Opens    bool     // lets somebody be with somebody who was not before: must be durable before it takes effect
	Repeated bool     // was applied before; Seat and Message are what it made then
	Seat     SeatID   // the seat it made or concerned, if one
	Message  int      // the number of the message it added
}
