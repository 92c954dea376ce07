package signaling

import (
	"time"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/signaling/wire"
)

// maxTold bounds how many visits are told of their new place at one time, so that whatever else happens in the room waits
// a few milliseconds at most, however many wait.
const maxTold = 256

// queue is who has yet to be told that their place has changed.
type queue struct {
	telling span // what is being told now
	next    span // what has changed since that began; told at most as often as lists are sent
	at      time.Time
}

// span is the part of the queue in which places have changed. The zero value is none.
type span struct {
	from, to rooms.Place
	toEnd    bool // whatever to is
	some     bool
}

func (s *span) widen(p rooms.Place) {
	if !s.some || p.Compare(s.from) < 0 {
		s.from = p
	}
	if !s.some || p.Compare(s.to) > 0 {
		s.to = p
	}
	s.some = true
}

func (s *span) contains(p rooms.Place) bool { return s.toEnd || p.Compare(s.to) <= 0 }

// moved notes that a visit changed from one value, which may be nil, to another.
func (q *queue) moved(from, to *rooms.Visit) {
	var was rooms.Place
	var had bool
	if from != nil {
		was, had = rooms.PlaceOf(from)
	}
	is, has := rooms.PlaceOf(to)
	counted, counts := patientWaits(from), patientWaits(to)
	if had == has && was == is && counted == counts {
		return
	}
	if counted != counts { // all who stand behind move up or down
		q.next.toEnd = true
	}
	if had {
		q.next.widen(was)
	}
	if has {
		q.next.widen(is)
	}
}

func patientWaits(v *rooms.Visit) bool {
	if v == nil {
		return false
	}
	p := v.Patient()
	return p != nil && p.State == rooms.SeatWaiting
}

// settleQueue marks those whose place has changed.
func (a *actor) settleQueue(now time.Time) {
	q := &a.queue
	if !q.telling.some {
		if !q.next.some || now.Sub(q.at) < wire.ListEveryMS*time.Millisecond {
			return
		}
		q.telling, q.next, q.at = q.next, span{}, now
	}
	telling, told := q.telling, 0
	q.telling = span{} // whatever happens, this part is not told twice
	for v := range a.room.QueueFrom(telling.from) {
		p, _ := rooms.PlaceOf(v)
		if !telling.contains(p) {
			break
		}
		if told++; told > maxTold {
			q.telling, q.telling.from = telling, p
			return
		}
		a.touchWaiting(v)
	}
}

func (a *actor) touchWaiting(v *rooms.Visit) {
	for i := range v.Seats {
		if s := a.sessionAt(&v.Seats[i]); s != nil && v.Seats[i].State == rooms.SeatWaiting {
			a.alone[s] = struct{}{}
		}
	}
}

// warm tells whether a visit is among the first that have a media connection before they are admitted.
func (a *actor) warm(id rooms.VisitID) bool {
	ahead, ok := a.room.Ahead(id)
	return ok && ahead < a.hub.warm
}
