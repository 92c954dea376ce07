package signaling

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anteroom/anteroom/internal/auth"
	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/signaling/wire"
)

// stuck is a store in which a write hangs while a test says so, whatever its context says.
type stuck struct {
	store.Store
	until atomic.Pointer[chan struct{}]
}

func (s *stuck) Commit(ctx context.Context, b store.Batch) error {
	if until := s.until.Load(); until != nil {
		<-*until
	}
	return s.Store.Commit(ctx, b)
}

func TestDecide_AStoreThatHangs_TheCallerIsToldToTryAgain(t *testing.T) {
	stillWorld(t, func(t *testing.T, w *world) {
		hung := &stuck{Store: w.store}
		w.hub.store = hung
		p, _ := w.open(w.visit("Maria"))
		p.ping(wire.Ping{NextMS: wire.MaxPingMS}) // it is silent for longer than usual
		until := make(chan struct{})
		hung.until.Store(&until)
		since := time.Now()
		id := p.lastID + 1
		if err := p.ask(wire.TypeCheckIn, wire.Empty{}, nil); code(err) != wire.CodeRetry || !err.Retry {
			t.Fatalf("%+v", err)
		}
		if d := time.Since(since); d != ackTimeout {
			t.Errorf("told after %v, want %v", d, ackTimeout)
		}
		hung.until.Store(nil)
		close(until)
		synctest.Wait()
		time.Sleep(saveRetryMax) //nolint:forbidigo // in a bubble: until the next try, for the first had come to its own end
		p.lastID = id - 1
		if err := p.ask(wire.TypeCheckIn, wire.Empty{}, nil); err != nil { // the same again
			t.Errorf("%+v", err)
		}
	})
}

// blind is a store that cannot say what a room is for a while.
type blind struct {
	store.Store
	tries atomic.Int32 // that fail
}

func (s *blind) Room(ctx context.Context, id rooms.RoomID) (rooms.WaitingRoom, error) {
	if s.tries.Add(-1) >= 0 {
		return rooms.WaitingRoom{}, store.ErrUnavailable
	}
	return s.Store.Room(ctx, id)
}

func TestHub_ARoomThatCannotBeRead_FollowsItsDirectoryWhenItCan(t *testing.T) {
	stillWorld(t, func(t *testing.T, w *world) {
		shut := &blind{Store: w.store}
		w.hub.store = shut
		p, _ := w.open(w.visit("Maria"))
		w.room.Name = "Haematology"
		w.must(w.store.PutRoom(t.Context(), w.room))
		shut.tries.Store(3)
		since := time.Now()
		w.hub.RoomChanged(w.room.ID)
		p.waitView(func(v wire.View) bool { return v.Room.Name == "Haematology" })
		if d := time.Since(since); d != 3*reloadEvery {
			t.Errorf("after %v, want %v", d, 3*reloadEvery)
		}
	})
}

func TestStalled_WhoClaimsToSend_HasTwoSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := lineVisit(1, rooms.Seat{Role: rooms.Patient, Name: "Maria", State: rooms.SeatExpected})
		doctor := rooms.Staff{ID: "doctor", Name: "Dr Osei", Role: rooms.Clinician, Rooms: []rooms.RoomID{"room"}}
		l := newLineActor(t, []rooms.Staff{doctor}, v)
		patient := l.join(identityOf(v, 0))
		l.join(auth.Identity{Kind: auth.Staff, Staff: doctor.ID})
		patient.media = wire.Media{Audio: wire.MediaOn, Video: wire.MediaOff}
		must := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		}
		must(l.do(rooms.Actor{Seat: v.Seats[0].ID}, v.ID, rooms.CheckIn{}))
		must(l.do(rooms.Actor{Staff: doctor.ID, Name: doctor.Name, Role: doctor.Role}, v.ID, rooms.Admit{Seat: v.Seats[0].ID}))
		began := time.Now()
		l.a.settle(began)
		person := func(seen wire.Media) wire.Person {
			patient.peer = &peer{}
			patient.peer.seen.Audio, patient.peer.seen.Video = seen.Audio == wire.MediaOn, seen.Video == wire.MediaOn
			defer func() { patient.peer = nil }()
			visit, _ := l.a.room.Visit(v.ID)
			return l.a.people(visit)[0]
		}
		for _, pending := l.a.recheck[v.ID]; pending; _, pending = l.a.recheck[v.ID] { // as the actor's goroutine does
			if person(wire.Media{}).Stalled {
				t.Fatalf("stalled after %v", time.Since(began))
			}
			time.Sleep(l.a.untilNext(time.Now())) //nolint:forbidigo // in a bubble
			l.a.settle(time.Now())
		}
		if d := time.Since(began); d != stalledAfter {
			t.Errorf("looked at again after %v", d)
		}
		const on, off = wire.MediaOn, wire.MediaOff
		for _, c := range []struct {
			claims, comes    wire.Media
			stalled, unheard bool
		}{
			{wire.Media{Audio: on, Video: on}, wire.Media{Audio: on, Video: on}, false, false},
			{wire.Media{Audio: on, Video: on}, wire.Media{Video: on}, false, true},
			{wire.Media{Audio: on, Video: on}, wire.Media{Audio: on}, true, false},
			{wire.Media{Audio: on, Video: on}, wire.Media{}, true, true},
			{wire.Media{Audio: on, Video: off}, wire.Media{}, true, true},
			{wire.Media{Audio: on, Video: off}, wire.Media{Audio: on}, false, false},
			{wire.Media{Audio: off, Video: on}, wire.Media{}, true, false},
			{wire.Media{Audio: off, Video: off}, wire.Media{}, false, false},
		} {
			patient.media = c.claims
			if p := person(c.comes); p.Stalled != c.stalled || p.Unheard != c.unheard {
				t.Errorf("claims %v, %v comes: stalled %t, unheard %t", c.claims, c.comes, p.Stalled, p.Unheard)
			}
		}
	})
}
