package rooms

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"strconv"
	"time"
)

// MaxTransfers is how often one visit may be brought to another waiting room: its first link leads through all of them.
const MaxTransfers = 16

// Forward says where a visit goes on in another waiting room of the clinic.
type Forward struct {
	Room   RoomID  `json:"room"`
	Visit  VisitID `json:"visit"`            // its ID there
	Reason string  `json:"reason,omitempty"` // for the staff there; only while it is on its way
}

// Actions that bring a visit to another waiting room, each durable before the next: Transfer in the room it leaves, Receive in the
// other, Depart in the first again. Whoever owns the first room does the last two, and does them again after a crash, which
// changes nothing. From Transfer to Depart the visit takes no other command, so that nobody lets a person in whom the other
// room has by then.
type (
	// Transfer is staff's: the visit is to go on in another room. Nobody may be admitted to it. That the room is another one
	// of the clinic is for the caller to check.
	Transfer struct {
		To     RoomID `json:"to"`
		Reason string `json:"reason,omitempty"` // up to MaxLine characters
	}
	// Receive adds a visit that another room is giving away, as Transfer left it there: with its seats, where they stand and since
	// when they wait, with its chat and the commands that were applied. The same again answers the visit that there is. MaxVisits
	// does not refuse it: it is one of the clinic's already.
	Receive struct{ Visit Visit }
	// Depart ends the visit in the room that it has left. All that is left of it leads to the other room.
	Depart struct {
		Visit VisitID `json:"visit"` // its ID there
	}
)

// Moving tells whether the visit is on its way to another room, and may be there already.
func (v *Visit) Moving() bool { return v.Forward != nil && v.Phase != PhaseMoved }

// Name of the action.
func (Transfer) Name() string { return ActTransfer }

func (a Transfer) apply(c *change) error {
	switch {
	case !ValidID(string(a.To)) || a.To == c.room.about.ID:
		return ErrBadValue.with("room")
	case !line(a.Reason, 0, MaxLine):
		return ErrBadValue.with("reason")
	case c.old.Transfers >= MaxTransfers:
		return ErrFull.with("transfers")
	}
	for i := range c.old.Seats {
		if s := &c.old.Seats[i]; s.admitted() {
			return alreadyAdmitted(c.old, admittedBy(s))
		}
	}
	c.edit().Forward = &Forward{Room: a.To, Visit: nextID(c.old, a.To, c.now), Reason: a.Reason}
	return nil
}

// admittedBy is who has somebody in a visit: of staff themselves.
func admittedBy(s *Seat) StaffID {
	if s.Staff != "" {
		return s.Staff
	}
	return s.AdmittedBy
}

// nextID follows from the visit as it is, so that deciding needs no randomness and no two transfers have the same.
func nextID(v *Visit, to RoomID, now time.Time) VisitID {
	sum := sha256.Sum256([]byte(string(v.ID) + "/" + strconv.FormatUint(v.Version, 10) + "/" + string(to)))
	return VisitID(NewID(now, bytes.NewReader(sum[:])))
}

// Name of the action.
func (Depart) Name() string { return ActDepart }

func (a Depart) apply(c *change) error {
	if !c.old.Moving() || c.old.Forward.Visit != a.Visit {
		return ErrBadValue.with("the visit is not on its way there")
	}
	v := c.finish(PhaseMoved)
	v.strip()
	v.Forward = &Forward{Room: c.old.Forward.Room, Visit: a.Visit}
	return nil
}

// Name of the action.
func (Receive) Name() string { return ActReceive }

// apply is never reached: there is no visit yet. See Room.receive.
func (Receive) apply(*change) error { return ErrForbidden }

// receive decides Receive.
func (r *Room) receive(cmd Command, in *Visit, now time.Time) (Outcome, error) {
	switch {
	case !cmd.Actor.System:
		return Outcome{}, ErrForbidden
	case !in.Moving() || in.Forward.Room != r.about.ID || in.Forward.Visit != cmd.Visit || in.Clinic != r.about.Clinic:
		return Outcome{}, ErrBadValue.with("visit, room or clinic")
	case !ValidID(string(cmd.Visit)) || count(in.Seats, (*Seat).admitted) > 0 || in.Phase.Over():
		return Outcome{}, ErrBadValue.with("a visit that cannot be received")
	}
	if v, ok := r.visits[cmd.Visit]; ok {
		return Outcome{Visit: v, Repeated: true}, nil
	}
	v := *in
	v.ID, v.Room, v.Version, v.Forward, v.Transfers = cmd.Visit, r.about.ID, 1, nil, in.Transfers+1
	v.Seats, v.Chat, v.Seen, v.Expected = slices.Clone(in.Seats), slices.Clone(in.Chat), slices.Clone(in.Seen), slices.Clone(in.Expected)
	v.Rank, v.MovedReason = r.rankOfReceived(in), in.Forward.Reason
	settle(&v, now)
	return Outcome{Visits: []*Visit{&v}, Visit: &v}, nil
}

// rankOfReceived puts a visit where its patient would stand who had waited here all the time: by the order of this room.
func (r *Room) rankOfReceived(v *Visit) int64 {
	p := v.Patient()
	switch {
	case p == nil || p.WaitingSince.IsZero():
		return 0
	case r.about.Order == BySchedule && !v.ScheduledAt.IsZero():
		return v.ScheduledAt.UnixNano()
	}
	return p.WaitingSince.UnixNano()
}
