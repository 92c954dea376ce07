package signaling

import (
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
	ahead := 0
	for _, v := range a.room.Queue() {
		a.queue.ahead[v.ID] = ahead
		if before, ok := was[v.ID]; !ok || before != ahead {
			a.touchWaiting(v)
		}
		if p := v.Patient(); p != nil && p.State == rooms.SeatWaiting {
			ahead++
		}
	}
}

func (a *actor) touchWaiting(v *rooms.Visit) {
	for i := range v.Seats {
		if s := a.sessionAt(&v.Seats[i]); s != nil && v.Seats[i].State == rooms.SeatWaiting {
			a.alone[s] = struct{}{}
		}
	}
}

// warm tells whether a visit is among the first n.
func (q *queue) warm(id rooms.VisitID, n int) bool {
	ahead, ok := q.ahead[id]
	return ok && ahead < n
}
