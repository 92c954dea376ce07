package rooms

import (
	"slices"
	"time"
)

// Queue answers the visits in which somebody waits, in order: by Rank, then by the patient's time of
// waiting, then by ID. A visit whose patient has not waited yet stands where its guest's arrival puts it.
func (r *Room) Queue() []*Visit { return slices.Clone(r.queue) }

// QueueRank is what the queue orders a visit by, in nanoseconds: its Rank, or else when the guest who waits in it began
// to; 0 if nobody waits.
func (v *Visit) QueueRank() int64 { return rankOf(v) }

// arrive is the Rank of a visit whose patient begins to wait now. By arrival that is the end, and of who comes unplanned by
// schedule it is behind all who did so before, even if the clock was set back.
func (r *Room) arrive(v *Visit, now time.Time) int64 {
	if r.about.Order != BySchedule {
		if n := len(r.queue); n > 0 {
			return max(now.UnixNano(), rankOf(r.queue[n-1])+step)
		}
		return now.UnixNano()
	}
	if !v.ScheduledAt.IsZero() {
		return v.ScheduledAt.UnixNano()
	}
	for _, other := range slices.Backward(r.queue) {
		rank := rankOf(other)
		if rank < now.UnixNano() {
			break
		}
		if other.ScheduledAt.IsZero() && other.MovedReason == "" && other.patientState() == SeatWaiting {
			return rank + step
		}
	}
	return now.UnixNano()
}

// step is the least by which the ranks of two visits are set apart: clients get them in microseconds.
const step = int64(time.Microsecond)

func rankOf(v *Visit) int64 {
	p, _ := PlaceOf(v)
	return p.rank
}

// ranked is a visit that gets another Rank.
type ranked struct {
	visit *Visit
	rank  int64
}

// between answers a rank for a visit that is put before queue[i], and who else must get another for
// it to fit: nobody while there is room, else the shorter of the two runs that must give way.
func between(queue []*Visit, i int) (int64, []ranked) {
	switch {
	case i == len(queue):
		return rankOf(queue[i-1]) + step, nil
	case i == 0:
		return rankOf(queue[0]) - step, nil
	}
	lo, hi := rankOf(queue[i-1]), rankOf(queue[i])
	if hi-lo >= 2*step {
		return lo + (hi-lo)/2, nil
	}
	var up, down []ranked
	for rank, j := lo+step, i; j < len(queue) && rankOf(queue[j]) < rank+step; j++ {
		rank += step
		up = append(up, ranked{queue[j], rank})
	}
	for rank, j := hi-step, i-1; j >= 0 && rankOf(queue[j]) > rank-step; j-- {
		rank -= step
		down = append(down, ranked{queue[j], rank})
	}
	if len(down) < len(up) {
		return hi - step, down
	}
	return lo + step, up
}

// indexOf is where a visit is in the queue, false if nobody waits in it.
func (r *Room) indexOf(id VisitID) (int, bool) {
	v, ok := r.visits[id]
	if !ok {
		return 0, false
	}
	p, ok := PlaceOf(v)
	if !ok {
		return 0, false
	}
	return r.queue.find(p)
}

// Move puts the visit before another in the queue, or at its end.
type Move struct {
	Before VisitID `json:"before,omitempty"` // empty: to the end
	Reason string  `json:"reason"`           // required, up to MaxLine characters
}

// Name of the action.
func (Move) Name() string { return ActMove }

func (a Move) apply(c *change) error {
	if !line(a.Reason, 1, MaxLine) {
		return ErrBadValue.with("reason")
	}
	at, ok := c.room.indexOf(c.old.ID)
	if !ok {
		return ErrNotWaiting
	}
	others := slices.Delete(c.room.Queue(), at, at+1)
	to := len(others)
	if a.Before != "" {
		if to, ok = c.room.indexOf(a.Before); !ok || to == at {
			return ErrNotWaiting.with("the visit to be moved before")
		}
		if to > at {
			to-- // c.old is not among others
		}
	}
	if to == at {
		return nil
	}
	rank, shifted := between(others, to)
	v := c.edit()
	v.Rank, v.MovedReason = rank, a.Reason
	for _, s := range shifted {
		c.editOf(s.visit).Rank = s.rank
	}
	return nil
}
