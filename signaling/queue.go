package signaling

import (
	"iter"
	"time"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/signaling/wire"
)

// queue is where each waiting visit stands. It is counted anew when something changed, at most as often as lists
// are sent.
type queue struct {
	dirty bool
	at    time.Time // when it was last counted
	ahead map[rooms.VisitID]int
}

// settleQueue counts the queue anew and marks those whose place has changed.
func (a *actor) settleQueue(now time.Time) {
	if !a.queue.dirty || now.Sub(a.queue.at) < wire.ListEveryMS*time.Millisecond && a.queue.ahead != nil {
		return
	}
	was := a.queue.ahead
	a.queue = queue{at: now, ahead: map[rooms.VisitID]int{}}
	for v, ahead := range a.inLine() {
		a.queue.ahead[v.ID] = ahead
		if before, ok := was[v.ID]; !ok || before != ahead {
			a.touchWaiting(v)
		}
	}
}

// inLine yields the visits in which somebody waits, each with the number of patients who wait before it.
func (a *actor) inLine() iter.Seq2[*rooms.Visit, int] {
	return func(yield func(*rooms.Visit, int) bool) {
		ahead := 0
		for _, v := range a.room.Queue() {
			if !yield(v, ahead) {
				return
			}
			if p := v.Patient(); p != nil && p.State == rooms.SeatWaiting {
				ahead++
			}
		}
	}
}

// aheadOf is how many patients wait before a visit; false if nobody waits in it. One that has come since the last
// count is counted at once, because its first view has to be true.
func (a *actor) aheadOf(id rooms.VisitID) (int, bool) {
	if ahead, ok := a.queue.ahead[id]; ok || a.queue.ahead == nil {
		return ahead, ok
	}
	for v, ahead := range a.inLine() {
		if v.ID == id {
			a.queue.ahead[id] = ahead
			return ahead, true
		}
	}
	return 0, false
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
	ahead, ok := a.aheadOf(id)
	return ok && ahead < a.hub.warm
}
