package cluster

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/signaling"
)

// takes has an instance claim what is handed over to it, and answers its leases.
func (i *instance) takes() <-chan *lease {
	leases := make(chan *lease, 4)
	i.hub.take = func(ctx context.Context, room rooms.RoomID) error {
		l, err := i.Own(ctx, room, true)
		if err == nil {
			leases <- l.(*lease)
		}
		return err
	}
	return leases
}

func TestHandOver_AnotherTakesTheRoom_NobodyComesBetween(t *testing.T) {
	w := newWorld(t)
	a, b := w.start(1), w.start(1)
	taken := b.takes()
	l := w.own(a)
	a.meet()
	a.Leave(t.Context())
	must(t, l.HandOver(t.Context()))
	next := <-taken
	if next.Fence().Epoch <= l.Fence().Epoch || !next.MayOpen() {
		t.Errorf("taken with %+v after %+v", next.Fence(), l.Fence())
	}
	if l.MayOpen() {
		t.Error("the lease that was handed over is in force")
	}
	if isClosed(l.Gone()) {
		t.Error("the lease is lost, by which media would end")
	}
	for _, here := range []bool{false, true} {
		if _, err := a.Own(t.Context(), w.room, here); elsewhere(err) != b.Address() {
			t.Errorf("here %v: %v", here, err)
		}
	}
	if a, b := a.Stats(), b.Stats(); a.HandedOver != 1 || a.Held != 0 || b.TakenOver != 0 || b.Claimed != 1 {
		t.Errorf("%+v, %+v", a, b)
	}
	a.renew() // of a lease that is no more its own
	if holder, err := w.store.Holder(t.Context(), w.room); err != nil || holder.Fence != next.Fence() {
		t.Errorf("the store has %+v, %v", holder, err)
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func TestHandOver_NobodyCanTakeIt_WhoComesFirstHasIt(t *testing.T) {
	w := newWorld(t)
	a, b := w.start(1), w.start(1)
	b.hub.take = func(context.Context, rooms.RoomID) error { return store.ErrUnavailable }
	l := w.own(a)
	a.meet()
	a.Leave(t.Context())
	must(t, l.HandOver(t.Context()))
	w.own(b)
}

func TestHandOver_TheNewOwnerPartsPeople_TheFormerHearsIt(t *testing.T) {
	w := newWorld(t)
	a, b := w.start(1), w.start(1)
	taken := b.takes()
	l := w.own(a)
	l.Parted("before") // nobody handed this room over
	a.meet()
	must(t, l.HandOver(t.Context()))
	next := <-taken
	next.Parted("visit")
	select {
	case got := <-a.hub.parted:
		if got != "visit" {
			t.Errorf("of %q", got)
		}
	case <-time.After(patience):
		t.Fatal("nothing is heard")
	}
	b.skew.Add(int64(signaling.Linger + takeTimeout))
	next.Parted("later")
	if len(b.partings) != 0 || len(a.hub.parted) != 0 {
		t.Error("told when media has ended there")
	}
}

func TestLeave_NothingIsClaimedAnyMore_UntilItReturns(t *testing.T) {
	w := newWorld(t)
	a, b := w.start(1), w.start(1)
	a.meet()
	a.Leave(t.Context())
	for _, here := range []bool{false, true} {
		if _, err := a.Own(t.Context(), w.room, here); elsewhere(err) != b.Address() {
			t.Errorf("here %v: %v", here, err)
		}
	}
	if err := a.accept(t.Context(), gift{Room: w.room, From: b.Address()}); !errors.Is(err, signaling.ErrRetry) {
		t.Errorf("offered a room: %v", err)
	}
	b.Leave(t.Context())
	a.meet()
	if _, err := a.Own(t.Context(), w.room, true); !errors.Is(err, signaling.ErrRetry) || !a.Alone() {
		t.Errorf("all leave: %v", err)
	}
	a.Return()
	w.own(a)
}
