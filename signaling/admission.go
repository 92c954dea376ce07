package signaling

import (
	"time"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/signaling/wire"
)

// tooMuchFor says that the server cannot take a session's media connection on now, or nil. Who is in a visit under way, or is
// awaited there, and who replaces a connection is never told so.
func (a *actor) tooMuchFor(s *session) *wire.Error {
	if s.peer != nil {
		return nil
	}
	if id, in := a.visitOf(s); in {
		if v, ok := a.room.Visit(id); ok && underWay(v) {
			return nil
		}
	}
	return busy(a.hub.admit(true))
}

// tooMuchToBegin says that the server cannot take on the visit that a command would begin, or nil. A connection that is up
// already is no more of them: whoever waits with one can always be seen when there is only no room for more.
func (a *actor) tooMuchToBegin(s *session, c command) *wire.Error {
	admit, ok := c.do.(rooms.Admit)
	if !ok || !s.isStaff() {
		return nil
	}
	v, ok := a.room.Visit(c.visit)
	if !ok || underWay(v) || v.Phase.Over() {
		return nil
	}
	seat, ok := v.Seat(admit.Seat)
	if !ok || seat.State != rooms.SeatWaiting {
		return nil
	}
	waits := a.sessionAt(seat)
	return busy(a.hub.admit(s.peer == nil || waits != nil && waits.peer == nil))
}

func underWay(v *rooms.Visit) bool { return v.Phase == rooms.PhaseActive || v.Phase == rooms.PhaseHeld }

func busy(again time.Duration, ok bool) *wire.Error {
	if ok {
		return nil
	}
	return &wire.Error{Code: wire.CodeFull, Msg: "no more visits here for now", After: int(again.Round(time.Second) / time.Second)}
}
