package signaling

import (
	"time"

	"github.com/anteroom/anteroom/internal/auth"
	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/sfu"
	"github.com/anteroom/anteroom/signaling/wire"
)

// session is one person's page in one waiting room: it outlives its connection, so that media goes on while
// signaling is away. It belongs to the actor; a connection reads only what is fixed.
type session struct {
	id     string
	who    auth.Identity
	tab    string
	client string
	device wire.Device

	conn  *conn // nil: reconnecting
	peer  *peer // nil: none
	media wire.Media

	visit    rooms.VisitID // whose slots it has; of staff it changes
	slots    []slot
	pointed  []slot         // what its peer has been told
	told     []rooms.SeatID // whose slots they are by the last view that was sent
	nextGen  uint64
	sending  bool      // its gate is open
	since    time.Time // of sending
	prepared seatRef   // staff: whose identity card is open

	said     map[rooms.VisitID]int // number of the newest chat message sent to it
	lastView uint64                // sum of the last view without its version, to send none twice; 0: none
	listAt   uint64                // version of the list it has
}

// seatRef names a seat of a visit.
type seatRef struct {
	visit rooms.VisitID
	seat  rooms.SeatID
}

// peer is a session's WebRTC connection.
type peer struct {
	*sfu.Peer
	id     string
	ready  bool           // connected
	seen   sfu.MediaState // packets of the last 2 s
	paused bool           // its link is too weak for pictures
}

func (s *session) isStaff() bool { return s.who.Kind == auth.Staff }

// dropPeer ends the WebRTC connection; the slots stay, so that the next peer gets new generations.
func (s *session) dropPeer() {
	if s.peer != nil {
		s.peer.Close()
		s.peer = nil
	}
	s.slots, s.pointed, s.sending = nil, nil, false
}

// visitOf is the visit a session's person belongs to now.
func (a *actor) visitOf(s *session) (rooms.VisitID, bool) {
	if !s.isStaff() {
		return s.who.Visit, true
	}
	id, ok := a.current[s.who.Staff]
	return id, ok
}

// sessionAt is the session of whoever has a seat, or nil.
func (a *actor) sessionAt(seat *rooms.Seat) *session {
	if seat.Staff != "" {
		return a.atDesk[seat.Staff]
	}
	return a.atSeat[seat.ID]
}

// sessionOf is the session of an identity, or nil.
func (a *actor) sessionOf(who auth.Identity) *session {
	if who.Kind == auth.Staff {
		return a.atDesk[who.Staff]
	}
	return a.atSeat[who.Seat]
}

func (a *actor) setSession(s *session) {
	if s.isStaff() {
		a.atDesk[s.who.Staff] = s
	} else {
		a.atSeat[s.who.Seat] = s
	}
}

// forgetIfGone drops a session that has neither connection nor peer; the seat is kept by the room's state.
func (a *actor) forgetIfGone(s *session) {
	if s.conn != nil || s.peer != nil || a.sessionOf(s.who) != s {
		return
	}
	delete(a.alone, s)
	if s.isStaff() {
		delete(a.atDesk, s.who.Staff)
	} else {
		delete(a.atSeat, s.who.Seat)
	}
}

// cameOrWent marks what others see of a session whose page has come or gone.
func (a *actor) cameOrWent(s *session) {
	a.touchSession(s)
	if s.isStaff() {
		a.presence.change()
	}
}

// gone says that a connection has ended.
type gone struct {
	conn    *conn
	session *session
}

func (e gone) apply(a *actor) {
	s := e.session
	if s.conn != e.conn {
		return // another connection has taken the session over
	}
	s.conn = nil
	a.unprepare(s)
	a.cameOrWent(s)
	a.forgetIfGone(s)
}

// actorOf is the person of a session as package rooms wants to know them.
func (a *actor) actorOf(s *session) rooms.Actor {
	if !s.isStaff() {
		return rooms.Actor{Seat: s.who.Seat}
	}
	member := a.staff[s.who.Staff]
	return rooms.Actor{Staff: member.ID, Name: member.Name, Role: member.Role}
}

// unprepare closes the identity card that a member of staff has open.
func (a *actor) unprepare(s *session) {
	if s.prepared.visit != "" {
		a.touch(s.prepared.visit)
		a.alone[s] = struct{}{}
		s.prepared = seatRef{}
	}
}

// armed tells whether anybody has the identity card of a seat open.
func (a *actor) armed(seat rooms.SeatID) bool {
	for _, s := range a.atDesk {
		if s.prepared.seat == seat {
			return true
		}
	}
	return false
}
