package rooms

import (
	"errors"
	"iter"
	"maps"
	"slices"
	"time"
)

// Room is one waiting room's visits. It is not safe for concurrent use: it belongs to the goroutine
// that owns the room.
type Room struct {
	about   WaitingRoom
	visits  map[VisitID]*Visit
	queue   waiters             // see Queue
	guests  waiters             // those of queue in which no patient waits
	inVisit map[StaffID]VisitID // where staff are admitted
}

// NewRoom takes over the visits of a room, as stored.
func NewRoom(w WaitingRoom, visits []*Visit) *Room {
	r := &Room{
		about:   w,
		visits:  make(map[VisitID]*Visit, len(visits)),
		inVisit: make(map[StaffID]VisitID),
	}
	r.Install(visits...)
	return r
}

// About is what NewRoom or the last SetAbout was given.
func (r *Room) About() WaitingRoom { return r.about }

// SetAbout changes what is known of the room. Its identifier and clinic stay; who waits keeps their place.
func (r *Room) SetAbout(w WaitingRoom) {
	w.ID, w.Clinic = r.about.ID, r.about.Clinic
	r.about = w
}

// Visit finds a visit. It is a value for reading.
func (r *Room) Visit(id VisitID) (*Visit, bool) {
	v, ok := r.visits[id]
	return v, ok
}

// Visits yields every visit, in no particular order.
func (r *Room) Visits() iter.Seq[*Visit] { return maps.Values(r.visits) }

// Apply decides what a command does at a time. It changes nothing: Install makes it so.
func (r *Room) Apply(cmd Command, now time.Time) (Outcome, error) {
	now = stamp(now)
	if len(cmd.Client) > 64 || (cmd.Client != "" && cmd.ID == 0) {
		return Outcome{}, ErrBadValue.with("client or id of the command")
	}
	if create, ok := cmd.Do.(Create); ok {
		return r.create(cmd, create.Visit, now)
	}
	if receive, ok := cmd.Do.(Receive); ok {
		return r.receive(cmd, &receive.Visit, now)
	}
	v, ok := r.visits[cmd.Visit]
	if !ok {
		return Outcome{}, ErrNoVisit
	}
	who, err := resolve(v, cmd.Actor)
	if err != nil {
		return Outcome{}, err
	}
	if !policy[who.role][cmd.Do.Name()] {
		return Outcome{}, ErrForbidden
	}
	if cmd.Client != "" {
		was, err := recall(v.Seen, cmd.Client, cmd.ID)
		if _, says := cmd.Do.(Say); says && errors.Is(err, ErrStale) {
			was, err = said(v.Chat, cmd.Client, cmd.ID), nil
		}
		switch {
		case err != nil:
			return Outcome{}, err
		case was != nil:
			return Outcome{Visit: v, Repeated: true, Seat: was.Seat, Message: was.Message}, nil
		}
	}
	if _, erase := cmd.Do.(Erase); v.Phase.Over() && !erase {
		return Outcome{}, ErrOver
	}
	if who.seat != nil && who.seat.State == SeatRemoved {
		return Outcome{}, ErrRemoved
	}
	if _, departs := cmd.Do.(Depart); v.Moving() && !departs {
		return Outcome{}, ErrMoving
	}
	c := &change{room: r, now: now, who: who, client: cmd.Client, id: cmd.ID, old: v}
	if err := cmd.Do.apply(c); err != nil {
		return Outcome{}, err
	}
	return r.decided(c, cmd), nil
}

func (r *Room) decided(c *change, cmd Command) Outcome {
	out := Outcome{Visit: c.old, Seat: c.made, Message: c.message}
	for _, v := range c.edits {
		settle(v, c.now)
		v.Version++
		if v.ID == c.old.ID {
			out.Visit = v
			if cmd.Client != "" {
				v.Seen = remember(v.Seen, Applied{Client: cmd.Client, ID: cmd.ID, Seat: c.made, Message: c.message})
			}
		}
		out.Opens = out.Opens || opens(r.visits[v.ID], v)
	}
	out.Visits = c.edits
	return out
}

// opens tells whether a new value of a visit has a route that the old one has not.
func opens(old, v *Visit) bool {
	had := Routes(old)
	return slices.ContainsFunc(Routes(v), func(x Route) bool { return !slices.Contains(had, x) })
}

// Install takes what Apply answered, or visits as stored.
func (r *Room) Install(visits ...*Visit) {
	for _, v := range visits {
		r.forget(r.visits[v.ID])
		r.visits[v.ID] = v
		for _, s := range v.Seats {
			if s.Staff != "" && s.State == SeatAdmitted {
				r.inVisit[s.Staff] = v.ID
			}
		}
		r.enqueue(v)
	}
}

// Remove forgets a visit, after its erasure.
func (r *Room) Remove(id VisitID) {
	r.forget(r.visits[id])
	delete(r.visits, id)
}

// forget takes a visit, which may be nil, out of the indices.
func (r *Room) forget(v *Visit) {
	if v == nil {
		return
	}
	for _, s := range v.Seats {
		if r.inVisit[s.Staff] == v.ID {
			delete(r.inVisit, s.Staff)
		}
	}
	r.dequeue(v)
}

// stamp is a time as visits keep it: what JSON gives back.
func stamp(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Round(0)
}
