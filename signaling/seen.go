package signaling

import (
	"go.uber.org/zap"

	"github.com/anteroom/anteroom/internal/auth"
	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/signaling/wire"
)

// seen is what an owner took over, to find out by what pages cite whether the owner before had parted people and died before
// that was saved. What pages have seen is not undone: such a visit begins on hold.
type seen struct {
	epoch int64 // of the first claim; what is cited of it or of later ones was said here
	taken map[rooms.VisitID]uint64
}

func newSeen(epoch int64, visits map[rooms.VisitID]*rooms.Visit) seen {
	s := seen{epoch: epoch, taken: make(map[rooms.VisitID]uint64, len(visits))}
	for id, v := range visits {
		s.taken[id] = v.Version
	}
	return s
}

// makeCitable gives a view's visit the version that its page is to cite: the one that is saved, unless people were parted since.
func (a *actor) makeCitable(view *wire.View) {
	if a.lease == nil || view.Visit == nil {
		return
	}
	id := rooms.VisitID(view.Visit.ID)
	newest, ok := a.room.Visit(id)
	durable := a.durable[id]
	switch {
	case !ok || durable == nil:
	case rooms.Parts(durable, newest):
		view.Visit.Version = newest.Version
	default:
		view.Visit.Version = durable.Version
	}
}

// heed takes a citation in. Pages may say what they like: a seat can cite its own visit only, a visit is put on hold once for it,
// and a higher epoch is looked into.
func (a *actor) heed(who auth.Identity, cited *wire.Seen) {
	if a.lease == nil || cited == nil {
		return
	}
	if cited.Epoch > a.epoch() {
		a.lease.Saw(cited.Epoch)
	}
	id := rooms.VisitID(cited.Visit)
	taken, ok := a.seen.taken[id]
	if !ok || cited.Version <= taken || cited.Epoch >= a.seen.epoch || who.Kind != auth.Staff && who.Visit != id {
		return
	}
	delete(a.seen.taken, id)
	out, err := a.room.Apply(rooms.Command{Actor: rooms.Actor{System: true}, Visit: id, Do: rooms.Hold{}}, a.hub.now())
	if err != nil || len(out.Visits) == 0 {
		return // there is nobody to be parted
	}
	a.log.Warn("visit_held_by_citation", zap.String("visit", string(id)), zap.Uint64("taken", taken), zap.Uint64("cited", cited.Version))
	a.install(out.Visits)
}
