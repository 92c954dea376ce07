package signaling

import (
	"context"

	"github.com/anteroom/anteroom/rooms"
)

// maxWeighed bounds how many waiting rooms are looked at for one that may go.
const maxWeighed = 32

// Spare hands one waiting room over in which people are but nobody is in a visit: of some that fit, the one that carries most. It
// waits until nobody needs this instance for it, or ctx ends, and answers whether a room has gone. fits says what may
// go, by its media connections and sockets.
func (h *Hub) Spare(ctx context.Context, fits func(peers, sockets int) bool) bool {
	var most *actor
	var people int
	for _, a := range h.some(maxWeighed) {
		e := weighing{make(chan weight, 1)}
		w, ok := ask(a, e, e.result)
		if ok && w.spare && w.sockets > people && fits(w.peers, w.sockets) {
			most, people = a, w.sockets
		}
	}
	if most == nil || !most.post(sparing{true}) {
		return false
	}
	select {
	case <-most.ended:
	case <-ctx.Done():
		most.post(sparing{false})
	}
	return most.isHanded()
}

// some are any rooms that this instance has by a lease.
func (h *Hub) some(n int) []*actor {
	var found []*actor
	for _, o := range h.owned() {
		if len(found) < n && o.isReady() && o.actor != nil && o.actor.lease != nil {
			found = append(found, o.actor)
		}
	}
	return found
}

func (o *ownedRoom) isReady() bool {
	select {
	case <-o.ready:
		return true
	default:
		return false
	}
}

// weighing asks what a room carries.
type weighing struct{ result chan weight }

type weight struct {
	peers, sockets int
	spare          bool // it may go
}

func (e weighing) failed(*actor) { instead(e.result, weight{}) }

func (e weighing) apply(a *actor) {
	w := weight{spare: a.isSpare() && !a.leaving}
	for _, s := range a.sessions() {
		if s.conn != nil {
			w.sockets++
		}
		if s.peer != nil {
			w.peers++
		}
	}
	e.result <- w
}

// isSpare tells whether a room may go to another instance without anybody's noticing much: nobody is in a visit, or about to be.
func (a *actor) isSpare() bool {
	for _, s := range a.atDesk {
		if s.prepared.visit != "" {
			return false
		}
	}
	return len(a.transfers.carried) == 0 && !a.hasLive()
}

// sparing is departure of a room that goes only as long as it is spare. An instance that stops has the last word.
type sparing struct{ leave bool }

func (e sparing) apply(a *actor) {
	if e.leave && !a.leaving && a.isSpare() {
		a.leaving, a.sparing = true, true
	} else if !e.leave {
		a.stay()
	}
}

// stay takes sparing back, but no departure.
func (a *actor) stay() {
	if a.sparing {
		a.leaving, a.sparing = false, false
	}
}

// hasLive tells whether people are in a visit, be they away, who want to find it as it was.
func (a *actor) hasLive() bool {
	for v := range a.room.Visits() {
		if v.Phase == rooms.PhaseActive || v.Phase == rooms.PhaseHeld {
			return true
		}
	}
	return false
}
