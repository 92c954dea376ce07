package signaling

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/sfu/transport"
	"github.com/anteroom/anteroom/signaling/wire"
)

// Linger is how long the media connections of a waiting room that was handed over go on at most, so that people have another one
// before they lose this.
const Linger = 3 * time.Second

const (
	giveTimeout = 3 * time.Second // to have another instance take a room
	maxPartings = 64              // visits of a handed over room that wait to be parted
	leaveEvery  = 20 * time.Millisecond
)

// HandOver gives every waiting room that has a lease to another instance, with everybody in it, and waits until nobody needs this one
// any more, or ctx ends. What is not saved then stays here. Sockets are still taken; where the rooms are is for Owners to say,
// who should let nothing more be claimed by then.
func (h *Hub) HandOver(ctx context.Context) {
	var all sync.WaitGroup
	for _, o := range h.owned() {
		all.Go(func() { o.handOver(ctx) })
	}
	all.Wait()
}

// owned are all rooms, in an order of chance.
func (h *Hub) owned() []*ownedRoom {
	h.mu.Lock()
	defer h.mu.Unlock()
	owned := make([]*ownedRoom, 0, len(h.rooms))
	for _, o := range h.rooms {
		owned = append(owned, o)
	}
	return owned
}

func (o *ownedRoom) handOver(ctx context.Context) {
	select {
	case <-o.ready:
	case <-ctx.Done():
		return
	}
	if o.actor == nil || o.actor.lease == nil || !o.actor.post(departure{true}) {
		return
	}
	select {
	case <-o.actor.ended:
	case <-ctx.Done():
		o.actor.post(departure{false})
	}
}

// departure has an actor leave its room to another instance as soon as nothing waits to be saved, or stay after all.
type departure struct{ leave bool }

func (e departure) apply(a *actor) { a.leaving, a.sparing = e.leave, false }

// mayLeave tells whether all that was decided is durable and told, so that whoever reads the store next knows as much.
func (a *actor) mayLeave() bool {
	if !a.leaving || !a.isSettled() {
		return false
	}
	if a.sparing && !a.isSpare() {
		a.stay()
	}
	return a.leaving
}

// isSettled tells whether nothing waits to be saved, opened or repaired.
func (a *actor) isSettled() bool {
	return !a.storeDown && a.saves.done == a.saves.last && !a.late.some() && a.mayOpen() &&
		!a.saver.fill.Load() && (a.lease == nil || len(a.lease.Repairs()) == 0)
}

// isHanded tells whether an actor has left its room to another instance. It is safe from any goroutine.
func (a *actor) isHanded() bool { return a.handed.Load() }

// farewell is the close code for whoever finds that an actor has ended.
func (a *actor) farewell() wire.CloseCode {
	switch {
	case a.isHanded():
		return wire.CloseHandedOver
	case a.hasLeft():
		return wire.CloseMoved // which no page hears: its hello is said again
	}
	return wire.CloseRestart
}

// give hands a lease over.
func (h *Hub) give(l Lease) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(h.ctx), giveTimeout)
	defer cancel()
	if err := l.HandOver(ctx); err != nil {
		h.log.Info("room_not_handed_over", zap.Error(err)) // whoever comes next finds that it is not here
	}
}

// linger keeps the media of a room going that another instance has by now: people meet as they did when it was handed over, until
// they have closed their connections here, the new owner says that they are parted, or time is up. Nothing is opened.
func (a *actor) linger(ctx context.Context) {
	for _, s := range a.sessions() {
		if s.conn != nil {
			s.conn.out.close(wire.CloseHandedOver)
		}
	}
	deadline := time.NewTimer(Linger)
	defer deadline.Stop()
	for a.carriesMedia() {
		select {
		case <-ctx.Done():
			a.endMedia(func(*session) bool { return true })
		case <-deadline.C:
			a.endMedia(func(*session) bool { return true })
		case <-a.media.ready:
			closed := map[*peer]bool{}
			for _, r := range a.media.take() {
				closed[r.peer] = r.state != nil && r.state.Phase == transport.Closed
			}
			a.endMedia(func(s *session) bool { return closed[s.peer] })
		case visit := <-a.partings:
			a.endMedia(func(s *session) bool { return s.visit == visit })
		}
	}
}

func (a *actor) carriesMedia() bool {
	for _, s := range a.sessions() {
		if s.peer != nil {
			return true
		}
	}
	return false
}

func (a *actor) endMedia(of func(*session) bool) {
	for _, s := range a.sessions() {
		if of(s) {
			a.confine(s, (*session).dropPeer)
		}
	}
}

// lingers notes or forgets an actor whose room is another instance's, so that it hears who is parted there.
func (h *Hub) lingers(a *actor, on bool) {
	room := a.room.About().ID
	h.mu.Lock()
	defer h.mu.Unlock()
	if on {
		h.lingering[room] = a
	} else if h.lingering[room] == a {
		delete(h.lingering, room)
	}
}

// Take is told that another instance hands a room over to this one: it is loaded at once.
func (h *Hub) Take(ctx context.Context, room rooms.RoomID) error {
	_, err := h.actorAt(ctx, room, true)
	return err
}

// Parted is told that the new owner of a room which this instance has handed over has parted people of a visit: none of it
// is forwarded here any more.
func (h *Hub) Parted(room rooms.RoomID, visit rooms.VisitID) {
	h.mu.Lock()
	a := h.lingering[room]
	h.mu.Unlock()
	if a == nil {
		return
	}
	select {
	case a.partings <- visit:
	case <-a.ended:
	}
}
