package signaling

import (
	"context"
	"net"
	"time"

	"go.uber.org/zap"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
)

// releaseTimeout bounds how long the end of a lease is told to the store.
const releaseTimeout = time.Second

// Owners say which of several instances owns a waiting room, and reach the others. A hub without them owns every room that
// it is asked for. All methods are safe for concurrent use.
type Owners interface {
	// Own answers the lease of a room that nobody else has, which it claims. A room that another instance has, or had better
	// take, is an *Elsewhere. here says that another instance has asked for the room, and so settled that it be here
	// unless somebody has it. Else it answers the errors of store.Leases, or ErrRetry.
	Own(ctx context.Context, room rooms.RoomID, here bool) (Lease, error)
	// Failed says that an instance which Own named could not be reached, or does not have the room, and why.
	Failed(room rooms.RoomID, at string, why error)
	// Do is Hub.Do wherever the room is. What may be done twice without harm is given again while nothing is known of it.
	Do(ctx context.Context, room rooms.RoomID, cmd rooms.Command) (rooms.Outcome, error)
	// Dial opens a connection to an instance that Own named. Both ends have proved who they are, and others cannot read it.
	Dial(ctx context.Context, at string) (net.Conn, error)
}

// Lease is this instance's ownership of one waiting room. All methods are safe for concurrent use and none but HandOver and Release waits.
type Lease interface {
	// Fence is that of the newest claim. It changes when the store has lost the one before.
	Fence() store.Fence
	// MayOpen tells whether the lease is in force now, so that nobody else can have the room.
	MayOpen() bool
	// Gone is closed once somebody else has the room, or may have it: nothing is written any more, and everybody is sent away.
	Gone() <-chan struct{}
	// Repairs holds a value when the store has lost what was written under the lease, all or some.
	Repairs() <-chan struct{}
	// Durable says up to which Seq batches are known to be durable.
	Durable(seq uint64)
	// Refused says that the store has refused a write.
	Refused(err *store.FencedError)
	// Saw says that somebody has met an epoch of the room. One that is higher than the own is looked into; it may be made up.
	Saw(epoch int64)
	// Parted says that people of a visit were parted. Who handed the room over to this instance a moment ago hears of it.
	Parted(visit rooms.VisitID)
	// HandOver gives the room to another instance, which knows from whom it has it, or else is as Release.
	HandOver(ctx context.Context) error
	// Release ends the ownership, so that the next may come at once.
	Release(ctx context.Context) error
}

// Elsewhere says that another instance owns a room, or is to.
type Elsewhere struct{ At string } // how Owners.Dial reaches it

// Error names no address.
func (*Elsewhere) Error() string { return "signaling: the waiting room is at another instance" }

// mayOpen tells whether what joins people may take effect.
func (a *actor) mayOpen() bool { return a.lease == nil || a.lease.MayOpen() }

// isGone tells whether somebody else may have the room.
func isGone(l Lease) bool {
	if l == nil {
		return false
	}
	select {
	case <-l.Gone():
		return true
	default:
		return false
	}
}

// goneOf is never closed without a lease.
func goneOf(l Lease) <-chan struct{} {
	if l == nil {
		return nil
	}
	return l.Gone()
}

// under has an actor that does not run yet act by a lease, which may be nil.
func (a *actor) under(l Lease) *actor {
	if l != nil {
		a.lease, a.saver.lease = l, l
		a.seen = newSeen(l.Fence().Epoch, a.durable)
		a.list.begin(l.Fence().Epoch)
	}
	return a
}

// epoch is of the views: of the ownership, or of the actor if the hub owns everything.
func (a *actor) epoch() int64 {
	if a.lease == nil {
		return a.born
	}
	return a.lease.Fence().Epoch
}

// late is what became durable while the lease was not in force. It is told when that is known to hold still.
type late struct {
	upTo   uint64
	visits map[rooms.VisitID]*rooms.Visit
}

func (l *late) add(e saved) {
	if l.visits == nil {
		l.visits = map[rooms.VisitID]*rooms.Visit{}
	}
	for _, v := range e.visits {
		l.visits[v.ID] = v
	}
	l.upTo = max(l.upTo, e.upTo)
}

// take answers what there is, as one save.
func (l *late) take() saved {
	e := saved{upTo: l.upTo}
	for _, v := range l.visits {
		e.visits = append(e.visits, v)
	}
	*l = late{}
	return e
}

func (l *late) some() bool { return l.upTo > 0 }

// own gets a room's lease; nil where there are no other instances.
func (h *Hub) own(room rooms.RoomID, here bool) (Lease, error) {
	if h.owners == nil {
		return nil, nil //nolint:nilnil // none is needed
	}
	ctx, cancel := context.WithTimeout(h.ctx, loadTimeout)
	defer cancel()
	return h.owners.Own(ctx, room, here)
}

// release is for a lease that may be nil.
func (h *Hub) release(l Lease) {
	if l == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(h.ctx), releaseTimeout)
	defer cancel()
	if err := l.Release(ctx); err != nil {
		h.log.Info("lease_not_released", zap.Error(err)) // it runs out
	}
}

// letGo forgets a room that is not owned any more, so that whoever needs it next asks where it is.
func (h *Hub) letGo(a *actor) {
	if a.lease == nil && !a.hasLeft() {
		return
	}
	if a.storeDown { // the actor has ended
		h.unsaved.Add(-1)
	}
	if isGone(a.lease) {
		a.log.Warn("room_moved", zap.Int64("epoch", a.epoch()))
	}
	if a.isHanded() {
		h.give(a.lease)
	} else {
		h.release(a.lease)
	}
	id := a.room.About().ID
	h.mu.Lock()
	defer h.mu.Unlock()
	if owned := h.rooms[id]; owned != nil && owned.actor == a {
		delete(h.rooms, id)
		close(owned.over)
	}
}

// Here is a hub for other instances, which have found that rooms are here or are to be: it claims what nobody has and
// answers *Elsewhere for the rest.
type Here struct{ hub *Hub }

// Here answers the hub as other instances see it.
func (h *Hub) Here() Here { return Here{h} }

// Do is Hub.Do.
func (h Here) Do(ctx context.Context, room rooms.RoomID, cmd rooms.Command) (rooms.Outcome, error) {
	return h.hub.do(ctx, room, cmd, true)
}

// Visit is Hub.Visit.
func (h Here) Visit(ctx context.Context, room rooms.RoomID, id rooms.VisitID) (*rooms.Visit, error) {
	return h.hub.visit(ctx, room, id, true)
}
