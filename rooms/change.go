package rooms

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"time"
)

// Bounds of one visit and of one room.
const (
	MaxSeats    = 16    // of those who join by a link, in all, whatever became of them
	MaxStaff    = 16    // seats of staff
	MaxMessages = 1000  // of chat
	MaxSeen     = 64    // commands remembered
	MaxVisits   = 50000 // in a room, erased ones not counted
)

// change is a command on its way: what it may read, and copies of the visits it edits.
type change struct {
	room    *Room
	now     time.Time
	who     caller
	client  string
	id      uint64   // of the command, by its client
	old     *Visit   // the command's visit, for reading
	edits   []*Visit // copies
	made    SeatID
	message int
}

// caller is the actor as the visit knows it.
type caller struct {
	role  Role
	seat  *Seat // in the old visit; nil if the caller has none there
	staff StaffID
	name  string
}

func resolve(v *Visit, a Actor) (caller, error) {
	switch {
	case a.System:
		return caller{role: system}, nil
	case a.Staff != "":
		if !a.Role.Staff() {
			return caller{}, ErrForbidden
		}
		seat, _ := v.StaffSeat(a.Staff)
		return caller{role: a.Role, seat: seat, staff: a.Staff, name: a.Name}, nil
	}
	seat, ok := v.Seat(a.Seat)
	if !ok {
		return caller{}, ErrNoSeat
	}
	if seat.Staff != "" {
		return caller{}, ErrForbidden.with("a seat of staff needs a staff sign-in")
	}
	return caller{role: seat.Role, seat: seat, name: seat.Name}, nil
}

// edit is the copy of the command's visit.
func (c *change) edit() *Visit { return c.editOf(c.old) }

func (c *change) editOf(v *Visit) *Visit {
	for _, e := range c.edits {
		if e.ID == v.ID {
			return e
		}
	}
	e := *v
	e.Seats = slices.Clone(v.Seats)
	c.edits = append(c.edits, &e)
	return &e
}

// editSeat is the copy of one of the command's visit's seats.
func (c *change) editSeat(id SeatID) *Seat {
	s, _ := c.edit().Seat(id)
	return s
}

// target finds the seat that a command is about. Seats of staff are their own business.
func (c *change) target(id SeatID) (*Seat, error) {
	s, ok := c.old.Seat(id)
	switch {
	case !ok:
		return nil, ErrNoSeat
	case s.Staff != "":
		return nil, ErrForbidden.with("a seat of staff")
	case s.State == SeatRemoved:
		return nil, ErrRemoved
	}
	c.made = id
	return s, nil
}

// targets is one seat, which must be in the given state, or for an empty id all seats by link in it.
func (c *change) targets(id SeatID, state SeatState, otherwise *Error) ([]SeatID, error) {
	if id != "" {
		s, err := c.target(id)
		if err != nil {
			return nil, err
		}
		if s.State != state {
			return nil, otherwise
		}
		return []SeatID{id}, nil
	}
	var ids []SeatID
	for _, s := range c.old.Seats {
		if s.Staff == "" && s.State == state {
			ids = append(ids, s.ID)
		}
	}
	if len(ids) == 0 {
		return nil, otherwise
	}
	return ids, nil
}

// takeSeat admits the calling staff to the visit. Staff are admitted to one visit of the room at a
// time: an active one must be held or left first; from one on hold they step away.
func (c *change) takeSeat() error {
	if id, ok := c.room.inVisit[c.who.staff]; ok && id != c.old.ID {
		other := c.room.visits[id]
		if other.Phase == PhaseActive {
			return ErrInOtherVisit
		}
		s, _ := c.editOf(other).StaffSeat(c.who.staff)
		s.hold(c.now)
	}
	s, err := c.staffSeat(c.who.staff, c.who.name, c.who.role)
	if err != nil {
		return err
	}
	if !s.admitted() {
		s.admit(c.who.staff, c.now)
	}
	return nil
}

// staffSeat is the copy of a member of staff's seat, made (expected) if there is none. Its ID follows
// from visit and staff, so that deciding needs no randomness.
func (c *change) staffSeat(id StaffID, name string, role Role) (*Seat, error) {
	v := c.edit()
	if s, ok := v.StaffSeat(id); ok {
		s.Name, s.Role = name, role
		return s, nil
	}
	if count(v.Seats, func(s *Seat) bool { return s.Staff != "" }) >= MaxStaff {
		return nil, ErrFull.with("seats of staff")
	}
	sum := sha256.Sum256([]byte(string(v.ID) + "/" + string(id)))
	v.Seats = append(v.Seats, Seat{
		ID: SeatID(NewID(c.now, bytes.NewReader(sum[:]))), Role: role, Staff: id, Name: name,
		State: SeatExpected, CreatedAt: c.now,
	})
	return &v.Seats[len(v.Seats)-1], nil
}

// settle makes a visit that is not over follow its seats: nobody stays admitted without staff, and
// the phase is what phaseOf says.
func settle(v *Visit, now time.Time) {
	if v.Phase.Over() {
		return
	}
	if count(v.Seats, func(s *Seat) bool { return s.Staff != "" && s.admitted() }) == 0 {
		for i := range v.Seats {
			if s := &v.Seats[i]; s.admitted() {
				s.hold(now)
			}
		}
	}
	v.Phase = phaseOf(v)
}

// phaseOf is the phase of a visit that is not over, by its seats: held while its patient is, else
// active while anybody is admitted (staff may meet a specialist before the patient comes), else
// waiting while the patient is; without all of that held if it has begun and scheduled if not.
func phaseOf(v *Visit) Phase {
	patient := v.patientState()
	switch {
	case patient == SeatHeld:
		return PhaseHeld
	case count(v.Seats, (*Seat).admitted) > 0:
		return PhaseActive
	case patient == SeatWaiting:
		return PhaseWaiting
	case !v.StartedAt.IsZero():
		return PhaseHeld
	}
	return PhaseScheduled
}

// patientState is Expected where there is no patient.
func (v *Visit) patientState() SeatState {
	if p := v.Patient(); p != nil {
		return p.State
	}
	return SeatExpected
}

func (s *Seat) admitted() bool { return s.State == SeatAdmitted }

func (s *Seat) arrive(state SeatState, now time.Time) {
	s.State = state
	if s.ArrivedAt.IsZero() {
		s.ArrivedAt = now
	}
}

func (s *Seat) admit(by StaffID, now time.Time) {
	s.State, s.AdmittedAt, s.AdmittedBy = SeatAdmitted, now, by
}

func (s *Seat) hold(now time.Time) { s.State, s.HeldAt = SeatHeld, now }

func (s *Seat) leave(now time.Time) { s.State, s.LeftAt = SeatLeft, now }

// remember adds an applied command. Beyond MaxSeen it forgets the oldest one that is not its
// client's newest by ID, so that a client's late repeats stay recognisable as stale.
func remember(seen []Applied, a Applied) []Applied {
	seen = append(slices.Clone(seen), a)
	if len(seen) <= MaxSeen {
		return seen
	}
	for i, s := range seen {
		if slices.ContainsFunc(seen, func(t Applied) bool { return t.Client == s.Client && t.ID > s.ID }) {
			return slices.Delete(seen, i, i+1)
		}
	}
	return slices.Delete(seen, 0, 1)
}

// recall finds a command that was applied before. Only newer ones of a client are new.
func recall(seen []Applied, client string, id uint64) (*Applied, error) {
	var newest uint64
	for i := range seen {
		if seen[i].Client != client {
			continue
		}
		if seen[i].ID == id {
			return &seen[i], nil
		}
		newest = max(newest, seen[i].ID)
	}
	if id < newest {
		return nil, ErrStale
	}
	return nil, nil
}

func count(seats []Seat, is func(*Seat) bool) int {
	n := 0
	for i := range seats {
		if is(&seats[i]) {
			n++
		}
	}
	return n
}
