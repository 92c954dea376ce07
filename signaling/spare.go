package signaling

import "context"

// maxSpared bounds the rooms that are asked whether they can go.
const maxSpared = 16

// Spare has one waiting room in which nobody is in a visit go to another instance, people who wait in it included, and tells whether
// there is one. It does not wait until the room has gone.
func (h *Hub) Spare(ctx context.Context) bool {
	owned := h.owned()
	for _, o := range owned[:min(len(owned), maxSpared)] {
		if ctx.Err() != nil {
			return false
		}
		select {
		case <-o.ready:
		default:
			continue // it is being loaded
		}
		if o.actor == nil || o.actor.lease == nil {
			continue
		}
		e := spare{make(chan bool, 1)}
		if goes, alive := ask(o.actor, e, e.result); alive && goes {
			return true
		}
	}
	return false
}

// spare has a room leave unless people are in a visit, be they away.
type spare struct{ result chan bool }

func (e spare) failed(*actor) { instead(e.result, false) }

func (e spare) apply(a *actor) {
	a.leaving = a.leaving || !a.hasLive()
	e.result <- a.leaving
}
