package rooms

import (
	"slices"
	"time"
)

// Actions on a visit as a whole and on its links.
type (
	// Create adds a visit. Of the given one these are taken: ID, Room, Clinic, External, Reason,
	// ScheduledAt, Length, Expected, and of each seat ID, Role, Name, BirthDate, Language, Interpreter.
	// It needs one patient. The same ID again answers the visit that there is.
	Create struct{ Visit Visit }
	// Invite adds a guest's seat, of which it takes ID, Role, Name, Language, Interpreter. A locked visit
	// refuses.
	Invite struct{ Seat Seat }
	// Lock stops invitations, or allows them again. Who was expected before may still come.
	Lock struct {
		On bool `json:"on"`
	}
	// End ends the visit for everybody.
	End struct {
		Disposition Disposition `json:"disposition"`
	}
	// NoShow closes a visit whose patient did not come.
	NoShow struct{}
	// Cancel calls a visit off before anybody was admitted. The reason may be empty.
	Cancel struct {
		Reason string `json:"reason,omitempty"`
	}
	// Reissue makes a seat's older links dead and its next one good.
	Reissue struct {
		Seat SeatID `json:"seat"`
	}
	// Revoke makes a seat's links dead until Reissue. The seat stays where it is: see Remove.
	Revoke struct {
		Seat SeatID `json:"seat"`
	}
	// Erase takes everything personal out of a visit that is over. Identifiers made here, times, phase
	// and disposition stay.
	Erase struct{}
)

// Name of the action.
func (Create) Name() string { return ActCreate }

// apply is never reached: there is no visit yet. See Room.create.
func (Create) apply(*change) error { return ErrForbidden }

// Name of the action.
func (Invite) Name() string { return ActInvite }

func (a Invite) apply(c *change) error {
	_, taken := c.old.Seat(a.Seat.ID)
	switch {
	case c.old.Locked:
		return ErrLocked
	case count(c.old.Seats, func(s *Seat) bool { return s.Staff == "" }) >= MaxSeats:
		return ErrFull.with("seats")
	case taken || !a.Seat.Role.Guest():
		return ErrBadValue.with("id or role of the seat")
	}
	s, err := newSeat(a.Seat, c.now)
	if err != nil {
		return err
	}
	v := c.edit()
	v.Seats = append(v.Seats, s)
	c.made = s.ID
	return nil
}

// Name of the action.
func (Lock) Name() string { return ActLock }

func (a Lock) apply(c *change) error {
	if c.old.Locked != a.On {
		c.edit().Locked = a.On
	}
	return nil
}

// Name of the action.
func (End) Name() string { return ActEnd }

func (a End) apply(c *change) error {
	if !a.Disposition.Valid() {
		return ErrBadValue.with("disposition")
	}
	c.finish(PhaseEnded).Disposition = a.Disposition
	return nil
}

// Name of the action.
func (NoShow) Name() string { return ActNoShow }

func (NoShow) apply(c *change) error {
	if err := notBegun(c.old); err != nil {
		return err
	}
	c.finish(PhaseNoShow)
	return nil
}

// Name of the action.
func (Cancel) Name() string { return ActCancel }

func (a Cancel) apply(c *change) error {
	if err := notBegun(c.old); err != nil {
		return err
	}
	if !line(a.Reason, 0, MaxLine) {
		return ErrBadValue.with("reason")
	}
	c.finish(PhaseCancelled).CancelReason = a.Reason
	return nil
}

// notBegun refuses a visit that is under way.
func notBegun(v *Visit) error {
	if v.Phase == PhaseScheduled || v.Phase == PhaseWaiting {
		return nil
	}
	var by StaffID
	for _, s := range v.Seats {
		if s.Staff != "" && (by == "" || s.admitted()) {
			by = s.Staff
		}
	}
	return alreadyAdmitted(v, by)
}

func (c *change) finish(p Phase) *Visit {
	v := c.edit()
	v.Phase, v.EndedAt = p, c.now
	for i := range v.Seats {
		if s := &v.Seats[i]; s.State != SeatRemoved && s.State != SeatLeft {
			s.leave(c.now)
		}
	}
	return v
}

// Name of the action.
func (Reissue) Name() string { return ActReissue }

func (a Reissue) apply(c *change) error { return c.renewLink(a.Seat, false) }

// Name of the action.
func (Revoke) Name() string { return ActRevoke }

func (a Revoke) apply(c *change) error { return c.renewLink(a.Seat, true) }

func (c *change) renewLink(id SeatID, revoked bool) error {
	if _, err := c.target(id); err != nil {
		return err
	}
	s := c.editSeat(id)
	s.LinkGen++
	s.LinkRevoked = revoked
	return nil
}

// Name of the action.
func (Erase) Name() string { return ActErase }

func (Erase) apply(c *change) error {
	switch {
	case !c.old.Phase.Over():
		return ErrForbidden.with("the visit is not over")
	case !c.old.ErasedAt.IsZero():
		return nil
	}
	v := c.edit()
	v.ErasedAt = c.now
	v.Seen = nil
	v.strip()
	return nil
}

// strip takes everything personal out of a copy.
func (v *Visit) strip() {
	v.External, v.Reason, v.MovedReason, v.CancelReason = "", "", "", ""
	v.Chat = nil
	for i := range v.Seats {
		s := &v.Seats[i]
		s.Name, s.BirthDate, s.Language, s.Interpreter = "", "", "", false
	}
}

// create decides Create.
func (r *Room) create(cmd Command, in Visit, now time.Time) (Outcome, error) {
	if !cmd.Actor.System {
		return Outcome{}, ErrForbidden
	}
	if in.ID != cmd.Visit || in.Room != r.about.ID || in.Clinic != r.about.Clinic {
		return Outcome{}, ErrBadValue.with("visit, room or clinic")
	}
	if v, ok := r.visits[in.ID]; ok {
		return Outcome{Visit: v, Repeated: true}, nil
	}
	if len(r.visits) >= MaxVisits {
		return Outcome{}, ErrFull.with("visits")
	}
	v, err := newVisit(in, now)
	if err != nil {
		return Outcome{}, err
	}
	return Outcome{Visits: []*Visit{v}, Visit: v}, nil
}

func newVisit(in Visit, now time.Time) (*Visit, error) {
	v := &Visit{
		ID: in.ID, Room: in.Room, Clinic: in.Clinic, Version: 1, Phase: PhaseScheduled,
		External: in.External, Reason: in.Reason, ScheduledAt: stamp(in.ScheduledAt), Length: in.Length,
		Expected: slices.Clone(in.Expected), CreatedAt: now,
	}
	switch year := v.ScheduledAt.Year(); {
	case !ValidID(string(v.ID)):
		return nil, ErrBadValue.with("id")
	case !line(v.External, 0, MaxLine):
		return nil, ErrBadValue.with("external")
	case !line(v.Reason, 0, MaxLine):
		return nil, ErrBadValue.with("reason")
	case !v.ScheduledAt.IsZero() && (year < 2000 || year > 2200):
		return nil, ErrBadValue.with("scheduled_at")
	case v.Length < 0 || v.Length > MaxLength:
		return nil, ErrBadValue.with("length")
	case len(v.Expected) > MaxStaff:
		return nil, ErrFull.with("expected")
	case len(in.Seats) > MaxSeats:
		return nil, ErrFull.with("seats")
	case count(in.Seats, func(s *Seat) bool { return s.Role == Patient }) != 1:
		return nil, ErrBadValue.with("a visit has one patient")
	}
	for _, s := range in.Seats {
		seat, err := newSeat(s, now)
		if err != nil {
			return nil, err
		}
		if _, taken := v.Seat(seat.ID); taken {
			return nil, ErrBadValue.with("two seats of one id")
		}
		v.Seats = append(v.Seats, seat)
	}
	return v, nil
}

func newSeat(in Seat, now time.Time) (Seat, error) {
	s := Seat{
		ID: in.ID, Role: in.Role, Name: in.Name, BirthDate: in.BirthDate, Language: in.Language,
		Interpreter: in.Interpreter, State: SeatExpected, CreatedAt: now,
	}
	switch {
	case !ValidID(string(s.ID)):
		return Seat{}, ErrBadValue.with("id of a seat")
	case s.Role != Patient && !s.Role.Guest():
		return Seat{}, ErrBadValue.with("role of a seat")
	case !line(s.Name, 1, MaxName):
		return Seat{}, ErrBadValue.with("name of a seat")
	case s.BirthDate != "" && (s.Role != Patient || !birthDate(s.BirthDate, now)):
		return Seat{}, ErrBadValue.with("birth_date of a seat")
	case s.Language != "" && !languageTag(s.Language):
		return Seat{}, ErrBadValue.with("language of a seat")
	}
	return s, nil
}
