package rooms

import (
	"cmp"
	"iter"
	"slices"
)

// Place orders those who wait. The zero value is before all places.
type Place struct {
	rank  int64
	since int64 // Unix ns
	id    VisitID
}

// PlaceOf answers where a visit stands, false if nobody waits in it.
func PlaceOf(v *Visit) (Place, bool) {
	if v.Phase.Over() {
		return Place{}, false
	}
	var since int64
	for i := range v.Seats {
		s := &v.Seats[i]
		if s.State != SeatWaiting {
			continue
		}
		t := s.WaitingSince.UnixNano()
		if s.Role == Patient {
			since = t
			break
		}
		if since == 0 || t < since {
			since = t
		}
	}
	if since == 0 {
		return Place{}, false
	}
	return Place{rank: cmp.Or(v.Rank, since), since: since, id: v.ID}, true
}

// Compare is negative if p is before q and positive if it is behind.
func (p Place) Compare(q Place) int {
	return cmp.Or(cmp.Compare(p.rank, q.rank), cmp.Compare(p.since, q.since), cmp.Compare(p.id, q.id))
}

// waiters are visits that wait, in order. A place is found by halving; a change moves what stands behind, 8 bytes a visit.
type waiters []*Visit

// find is where a place is among them, or would be.
func (w waiters) find(p Place) (int, bool) {
	return slices.BinarySearchFunc(w, p, func(v *Visit, p Place) int {
		at, _ := PlaceOf(v)
		return at.Compare(p)
	})
}

func (w *waiters) add(v *Visit, p Place) {
	i, _ := w.find(p)
	*w = slices.Insert(*w, i, v)
}

func (w *waiters) drop(p Place) {
	if i, found := w.find(p); found {
		*w = slices.Delete(*w, i, i+1)
	}
}

// Ahead is how many patients wait before a visit, false if nobody waits in it. A visit in which only guests wait makes
// nobody wait longer.
func (r *Room) Ahead(id VisitID) (int, bool) {
	all, ok := r.indexOf(id)
	if !ok {
		return 0, false
	}
	p, _ := PlaceOf(r.queue[all])
	guests, _ := r.guests.find(p)
	return all - guests, true
}

// QueueFrom yields the visits in which somebody waits, in order, from a place on. The room must not be changed meanwhile.
func (r *Room) QueueFrom(p Place) iter.Seq[*Visit] {
	i, _ := r.queue.find(p)
	return slices.Values(r.queue[i:])
}

func (r *Room) enqueue(v *Visit) {
	if p, ok := PlaceOf(v); ok {
		r.queue.add(v, p)
		if v.patientState() != SeatWaiting {
			r.guests.add(v, p)
		}
	}
}

func (r *Room) dequeue(v *Visit) {
	if p, ok := PlaceOf(v); ok {
		r.queue.drop(p)
		r.guests.drop(p)
	}
}
