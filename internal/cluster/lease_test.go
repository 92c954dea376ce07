package cluster

import (
	"testing"
	"time"

	"github.com/anteroom/anteroom/rooms/store"
)

func TestLease_ClaimedByAnother_IsOver(t *testing.T) {
	w := newWorld(t)
	a := w.start(1)
	l := w.own(a)
	_, err := w.store.Claim(t.Context(), store.Claim{Room: w.room, Owner: "other@nowhere", Nonce: "n", TTL: TTL, Over: l.Fence()})
	must(t, err)
	l.Saw(l.Fence().Epoch + 1)
	closes(t, "the end", l.Gone())
	if l.MayOpen() || a.has(w.room) {
		t.Error("it goes on")
	}
	must(t, l.Release(t.Context())) // which leaves the other's alone
	if holder, err := w.store.Holder(t.Context(), w.room); err != nil || holder.Nonce != "n" {
		t.Errorf("%+v, %v", holder, err)
	}
}

func TestLease_SomebodyLiesAboutAnEpoch_GoesOn(t *testing.T) {
	w := newWorld(t)
	l := w.own(w.start(1))
	l.Saw(1 << 52)
	select {
	case <-l.Gone():
		t.Error("it is over")
	case <-time.After(100 * time.Millisecond):
	}
	if !l.MayOpen() {
		t.Error("it is not in force")
	}
}

func TestLease_LostByTheStore_IsClaimedAgainAndTheRoomRepaired(t *testing.T) {
	w := newWorld(t)
	a := w.start(1)
	l := w.own(a)
	was := l.Fence()
	w.store.lost.Store(true)
	a.hurry()
	closes(t, "the repair", l.Repairs())
	if is := l.Fence(); is.Epoch <= was.Epoch || is.Nonce == was.Nonce || !l.MayOpen() {
		t.Errorf("fence %+v after %+v", is, was)
	}
}

func TestLease_TheStoreIsBehind_TheRoomIsRepaired(t *testing.T) {
	w := newWorld(t)
	a := w.start(1)
	l := w.own(a)
	l.Durable(5) // of which the store knows nothing
	a.hurry()
	closes(t, "the repair", l.Repairs())
}

func TestLease_NotRenewed_IsOutByTheOwnClock_AndComesBack(t *testing.T) {
	w := newWorld(t)
	a := w.start(1)
	l := w.own(a)
	w.store.down.Store(true)
	a.renew()
	l.until.Store(int64(a.now())) // the time of a lease has passed
	if l.MayOpen() {
		t.Error("it is in force")
	}
	w.store.down.Store(false)
	a.renew()
	if !l.MayOpen() {
		t.Error("it is not back")
	}
}

func TestLease_EndsBeforeTheStoreThinksSo(t *testing.T) {
	w := newWorld(t)
	a := w.start(1)
	l := w.own(a)
	before := a.now()
	a.renew()
	if left := time.Duration(l.until.Load()) - before; left > TTL-Margin+100*time.Millisecond {
		t.Errorf("lasts for %v after its renewal was sent", left)
	}
}

func TestWatch_TheInstanceStoodStill_LetsItsRoomsGoUnasked(t *testing.T) {
	w := newWorld(t)
	a := w.start(1)
	l := w.own(a)
	w.store.down.Store(true)
	a.skew.Store(int64(TTL))
	closes(t, "the end", l.Gone())
}
