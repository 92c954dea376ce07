package rooms

import "time"

// Actions of those who come by a link, and of everybody who goes.
type (
	// Open is the server's when a seat's page connects: who was expected or had left begins to check in.
	Open struct{}
	// CheckIn puts a seat into the waiting room. It keeps its place while it waits, is admitted or held;
	// who had left waits anew, at the end.
	CheckIn struct{}
	// Leave gives the seat up until it is opened again. When the last staff leave, all others are held.
	Leave struct{}
)

// Name of the action.
func (Open) Name() string { return ActOpen }

func (Open) apply(c *change) error {
	s := c.who.seat
	if s.LinkRevoked {
		return ErrForbidden.with("the link was revoked")
	}
	if s.State != SeatExpected && s.State != SeatLeft {
		return nil
	}
	e := c.editSeat(s.ID)
	if s.State == SeatLeft {
		e.WaitingSince = time.Time{}
	}
	e.arrive(SeatChecking, c.now)
	return nil
}

// Name of the action.
func (CheckIn) Name() string { return ActCheckIn }

func (CheckIn) apply(c *change) error {
	s := c.who.seat
	switch s.State {
	case SeatWaiting, SeatAdmitted, SeatHeld:
		return nil
	}
	e := c.editSeat(s.ID)
	e.arrive(SeatWaiting, c.now)
	if s.State != SeatLeft && !s.WaitingSince.IsZero() {
		return nil
	}
	e.WaitingSince = c.now
	if s.Role == Patient {
		v := c.edit()
		v.Rank, v.MovedReason = c.room.arrive(c.old, c.now), ""
	}
	return nil
}

// Name of the action.
func (Leave) Name() string { return ActLeave }

func (Leave) apply(c *change) error {
	if c.who.seat == nil {
		return ErrNoSeat
	}
	if c.who.seat.State != SeatLeft {
		c.editSeat(c.who.seat.ID).leave(c.now)
	}
	return nil
}
