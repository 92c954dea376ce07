package cluster

import (
	"testing"
	"time"

	"github.com/anteroom/anteroom/rooms/store"
)

// outFor lets a lease be out.
func outFor(l *lease, d time.Duration) { l.until.Store(int64(l.c.now() - d)) }

func TestDoubt_AnotherKnowsOfAHigherEpoch_TheRoomIsLetGo(t *testing.T) {
	for name, claims := range map[string]func(w *world, b *instance, over store.Fence){
		"its own": func(w *world, b *instance, over store.Fence) {
			b.mu.Lock()
			b.held[w.room] = b.newLease(w.room, store.Fence{Epoch: over.Epoch + 1, Nonce: "n"}, b.now())
			b.mu.Unlock()
		},
		"the store's": func(w *world, _ *instance, over store.Fence) {
			_, err := w.store.Claim(w.t.Context(), store.Claim{Room: w.room, Owner: "third@nowhere", Nonce: "n", TTL: TTL, Over: over})
			must(w.t, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			cut := &faulty{Store: w.store.Store}
			a, b := w.startOn(cut, 1), w.start(1)
			l := w.own(a)
			a.meet() // and then never again
			cut.down.Store(true)
			claims(w, b, l.Fence())
			outFor(l, time.Millisecond)
			closes(t, "the end", l.Gone())
		})
	}
}

func TestDoubt_WithoutTheStoreAlone_TheOwnerGoesOn(t *testing.T) {
	w := newWorld(t)
	a, b := w.start(1), w.start(1)
	c := w.start(1)
	l := w.own(a)
	a.meet()
	_ = c.Close() // which refuses from now on
	w.store.down.Store(true)
	outFor(l, 2*loneliness)
	a.doubt()
	b.doubt()
	if isOver := l.isOver(); isOver {
		t.Error("it is over")
	}
}

func TestDoubt_AnotherDoesNotAnswer_TheOwnerGoesOnForAWhile(t *testing.T) {
	w := newWorld(t)
	a := w.start(1)
	l := w.own(a)
	must(t, w.store.Announce(t.Context(), store.Instance{ID: "x", About: []byte(`{"at":"` + standing(t) + `"}`)}, time.Minute))
	a.meet()
	w.store.down.Store(true)
	outFor(l, loneliness/2)
	a.doubt()
	if l.isOver() {
		t.Error("it is over too soon")
	}
	outFor(l, loneliness+time.Second)
	a.doubt()
	closes(t, "the end", l.Gone())
}

// A store that was away for long is back: another has it a moment before the owner does.
func TestDoubt_AnotherHasTheStoreAgainFirst_TheOwnerKeepsTheRoom(t *testing.T) {
	w := newWorld(t)
	cut := &faulty{Store: w.store.Store}
	a := w.startOn(cut, 1)
	w.start(1)
	l := w.own(a)
	a.meet()
	cut.down.Store(true)
	outFor(l, time.Minute)
	a.doubt()
	if l.isOver() {
		t.Fatal("it is over at once")
	}
	cut.down.Store(false)
	a.renew()
	if !l.MayOpen() {
		t.Error("it is not in force")
	}
}

func TestDoubt_AnotherHasTheStore_TheOwnerLeavesItTheRoomAfterAWhile(t *testing.T) {
	w := newWorld(t)
	cut := &faulty{Store: w.store.Store}
	a, b := w.startOn(cut, 1), w.start(1)
	l := w.own(a)
	a.meet()
	cut.down.Store(true)
	outFor(l, loneliness/2)
	a.doubt()
	if l.isOver() {
		t.Error("it is over too soon")
	}
	outFor(l, loneliness+time.Second)
	a.doubt()
	closes(t, "the end", l.Gone())
	b.Failed(w.room, a.Address(), errUnreached)
	w.own(b)
}
