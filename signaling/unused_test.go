package signaling

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/signaling/wire"
)

// kept is how many rooms a hub has.
func (h *Hub) kept() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.rooms)
}

func (h *Hub) hasLetGo() uint64 { return h.metrics.letGo.Load() }

// pass lets time go by in a bubble.
func pass(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // in a bubble
	synctest.Wait()
}

func TestUnused_ARoomIsLetGoAfterAWhile_AndIsThereAgainWhenSomebodyComes(t *testing.T) {
	stillWorld(t, func(t *testing.T, w *world) {
		id := w.visit("Maria")
		patient, before := w.open(id)
		patient.checksIn()
		w.must(refusal(patient.ask(wire.TypeChat, wire.Chat{Text: "hello"}, nil)))
		doctor, desk := w.open(w.staff())
		patient.hasGone()
		doctor.hasGone()
		synctest.Wait()

		pass(idleAfter - time.Second)
		if w.hub.kept() != 1 || w.hub.hasLetGo() != 0 {
			t.Fatal("let go early")
		}
		pass(time.Second)
		if w.hub.kept() != 0 || w.hub.hasLetGo() != 1 {
			t.Fatalf("%d rooms are kept", w.hub.kept())
		}
		hello := doctor.hello()
		hello.List = desk.List.Version
		_, back := doctor.comesBack(hello)
		if !back.List.Whole || len(back.List.Rows) != 1 || back.View.Epoch <= before.View.Epoch {
			t.Errorf("staff are back at epoch %d, which was %d, with %+v", back.View.Epoch, before.View.Epoch, back.List)
		}
		if _, welcome := w.open(id); welcome.View.Me.State != wire.SeatWaiting || len(welcome.Messages) != 1 {
			t.Errorf("the patient is back as %+v", welcome.View.Me)
		}
	})
}

func TestUnused_WhatIsAskedOfIt_KeepsARoom(t *testing.T) {
	stillWorld(t, func(t *testing.T, w *world) {
		id := w.visit("Maria")
		for range 3 {
			pass(idleAfter - time.Second)
			if _, err := w.hub.Visit(t.Context(), w.room.ID, id.Visit); err != nil || w.hub.hasLetGo() != 0 {
				t.Fatalf("%v, %d let go", err, w.hub.hasLetGo())
			}
		}
		pass(idleAfter)
		if w.hub.kept() != 0 {
			t.Error("it is still there")
		}
	})
}

func TestUnused_StaffWhoWatchOrALiveVisit_KeepARoom(t *testing.T) {
	stillWorld(t, func(t *testing.T, w *world) {
		id := w.visit("Maria")
		patient, _ := w.open(id)
		patient.checksIn()
		doctor, _ := w.open(w.staff())
		for range 2 * idleAfter / time.Second {
			doctor.ping(wire.Ping{})
			pass(time.Second)
		}
		if w.hub.kept() != 1 {
			t.Fatal("it was let go while staff were looking")
		}
		w.must(refusal(doctor.ask(wire.TypeAdmit, wire.Target{Visit: string(id.Visit), Seat: string(id.Seat)}, nil)))
		doctor.hasGone()
		pass(10 * idleAfter)
		if w.hub.kept() != 1 {
			t.Fatal("it was let go with a visit under way")
		}
		_, err := w.do(id.Visit, rooms.End{Disposition: rooms.DispositionDone})
		w.must(err)
		pass(2 * idleAfter)
		if w.hub.kept() != 0 {
			t.Error("it is still there")
		}
	})
}

// stubborn is a store that takes nothing while a test wants it.
type stubborn struct {
	store.Store
	refuses *atomic.Bool
}

func (s stubborn) Commit(ctx context.Context, b store.Batch) error {
	if s.refuses.Load() {
		return store.ErrUnavailable
	}
	return s.Store.Commit(ctx, b)
}

func TestUnused_WhatIsNotSaved_KeepsARoom(t *testing.T) {
	stillWorld(t, func(t *testing.T, w *world) {
		var refuses atomic.Bool
		w.hub.store = stubborn{w.store, &refuses}
		id := w.visit("Maria")
		refuses.Store(true)
		if _, err := w.do(id.Visit, rooms.Cancel{}); err == nil {
			t.Fatal("it was saved")
		}
		pass(2 * idleAfter)
		if w.hub.kept() != 1 {
			t.Fatal("it was let go with something unsaved")
		}
		refuses.Store(false)
		pass(2 * idleAfter)
		if w.hub.kept() != 0 {
			t.Error("it is still there")
		}
		v, err := w.store.Visit(t.Context(), id.Visit)
		w.must(err)
		if v.Phase != rooms.PhaseCancelled {
			t.Errorf("the store has it %s", v.Phase)
		}
	})
}

func TestUnused_TheLeaseIsReleased_AndAnotherInstanceMayHaveTheRoom(t *testing.T) {
	i := newInstances(t, 2)
	w := i.hubs[0]
	w.hub.idleAfter = time.Millisecond
	id := w.visit("Ana Santos")
	for deadline := time.Now().Add(patience); ; runtime.Gosched() {
		holder, err := i.store.Holder(t.Context(), w.room.ID)
		w.must(err)
		if holder.Nonce == "" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the lease is still held")
		}
	}
	i.moveTo(1)
	if _, welcome := w.open(id); welcome.View.Me.Seat != string(id.Seat) || welcome.View.Epoch != i.lease().Fence().Epoch {
		t.Errorf("welcomed as %+v", welcome.View.Me)
	}
}

// Whoever comes at the moment at which a room is let go finds it all the same, and nothing that was acknowledged is lost.
func TestUnused_ManyComeWhileItIsLetGo_NobodyMeetsAnEndedRoom(t *testing.T) {
	t.Run("alone", func(t *testing.T) {
		w := newWorld(t, nil)
		comeAndGo(w, w)
	})
	t.Run("by a lease", func(t *testing.T) {
		i := newInstances(t, 2)
		comeAndGo(i.hubs[0], i.hubs[1])
	})
}

// comeAndGo gives commands to a hub and opens pages at another, or the same, as soon as the room is let go, again and again.
func comeAndGo(owner, door *world) {
	const often, people = 50, 4
	owner.hub.idleAfter = time.Millisecond
	deadline := time.Now().Add(patience)
	var all sync.WaitGroup
	for i := range people {
		id := owner.visit("Ana Santos")
		all.Go(func() {
			for n := range often {
				before := owner.hub.hasLetGo()
				_, err := owner.do(id.Visit, rooms.Lock{On: n%2 == 0})
				owner.must(err)
				p := door.dial(id)
				if i == 0 {
					p = door.dial(owner.staff())
				}
				hello := p.hello()
				hello.Takeover = true
				owner.must(refusal(p.ask(wire.TypeHello, hello, nil)))
				_ = p.ws.Close()
				v, err := owner.hub.Visit(owner.t.Context(), owner.room.ID, id.Visit)
				owner.must(err)
				if v.Locked != (n%2 == 0) {
					owner.t.Errorf("command %d of %d is lost", n, i)
				}
				for owner.hub.hasLetGo() == before { // counted before its actor has ended
					if time.Now().After(deadline) {
						owner.t.Errorf("let go %d times", before)
						return
					}
					runtime.Gosched()
				}
			}
		})
	}
	all.Wait()
}
