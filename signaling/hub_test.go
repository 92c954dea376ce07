package signaling

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/anteroom/anteroom/internal/auth"
	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/rooms/store/storetest"
	"github.com/anteroom/anteroom/signaling/wire"
)

func TestNewHub_NeedsItsParts(t *testing.T) {
	if _, err := NewHub(Config{}); err == nil {
		t.Error("made of nothing")
	}
}

func TestHub_AnUnknownRoomIsNotKept(t *testing.T) {
	w := newWorld(t, nil)
	for range 2 {
		if _, err := w.hub.Visit(w.ctx(), rooms.RoomID(newID()), "x"); !errors.Is(err, store.ErrNotFound) {
			t.Error(err)
		}
	}
	if len(w.hub.rooms) != 0 {
		t.Errorf("%d rooms", len(w.hub.rooms))
	}
}

func TestHub_Drain_TellsEverybodyToComeBack(t *testing.T) {
	w := newWorld(t, nil)
	patient, _ := w.open(w.visit("Maria"))
	doctor, _ := w.open(w.staff())
	w.hub.Drain(w.ctx())
	for _, p := range []*page{patient, doctor} {
		if got := p.closeCode(); got != wire.CloseRestart {
			t.Errorf("close %d", got)
		}
	}
	if _, err := w.do("x", rooms.Erase{}); !errors.Is(err, ErrClosed) {
		t.Errorf("a command afterwards: %v", err)
	}
	if err := w.hub.Close(); err != nil {
		t.Error(err)
	}
}

func TestHub_ARoomFollowsItsDirectory(t *testing.T) {
	w := newWorld(t, nil)
	doctor, welcome := w.open(w.staff())
	if welcome.View.Room.Name != "Oncology" || welcome.View.Me.Name != "Dr Osei" {
		t.Fatalf("%+v", welcome.View)
	}
	w.room.Name, w.doctor.Name = "Haematology", "Dr Ama Osei"
	w.must(w.store.PutRoom(w.ctx(), w.room))
	w.must(w.store.PutStaff(w.ctx(), w.doctor))
	w.hub.RoomChanged(w.room.ID)
	doctor.waitView(func(v wire.View) bool { return v.Room.Name == "Haematology" && v.Me.Name == "Dr Ama Osei" })

	w.doctor.TokenGen++ // their links were revoked
	w.must(w.store.PutStaff(w.ctx(), w.doctor))
	w.hub.RoomChanged(w.room.ID)
	if got := doctor.closeCode(); got != wire.CloseNoSession {
		t.Errorf("close %d", got)
	}
}

func TestHub_StaffWhoWereJustAdded_AreLetInBeforeTheRoomIsTold(t *testing.T) {
	w := newWorld(t, nil)
	w.visit("Maria") // the room is loaded, with the staff of before
	w.doctor.ID, w.doctor.Name = rooms.StaffID(newID()), "Dr Lee"
	w.must(w.store.PutStaff(w.ctx(), w.doctor))
	if _, welcome := w.open(w.staff()); welcome.View.Me.Name != "Dr Lee" {
		t.Errorf("%+v", welcome.View.Me)
	}
	w.doctor.TokenGen++
	w.must(w.store.PutStaff(w.ctx(), w.doctor))
	again := w.staff()
	again.Gen = w.doctor.TokenGen
	p := w.dial(again)
	hello := p.hello()
	hello.Takeover = true
	if err := p.ask(wire.TypeHello, hello, nil); err != nil {
		t.Errorf("with a new link: %+v", err)
	}
}

func TestHub_ALinkThatDiesEndsItsPage(t *testing.T) {
	w := newWorld(t, nil)
	for name, end := range map[string]func(rooms.SeatID) rooms.Action{
		"revoked":      func(s rooms.SeatID) rooms.Action { return rooms.Revoke{Seat: s} },
		"issued again": func(s rooms.SeatID) rooms.Action { return rooms.Reissue{Seat: s} },
	} {
		t.Run(name, func(t *testing.T) {
			w := w.in(t)
			maria := w.visit("Maria")
			p, _ := w.open(maria)
			_, err := w.do(maria.Visit, end(maria.Seat))
			w.must(err)
			if got := p.closeCode(); got != wire.CloseNoSession {
				t.Errorf("close %d", got)
			}
		})
	}
}

func TestHub_AStoreThatGoesAndComesBack_IsLoggedOnceEach(t *testing.T) {
	var faulty *storetest.FaultyStore
	w := newWorld(t, func(s store.Store) store.Store { faulty = storetest.Faulty(s); return faulty })
	core, seen := observer.New(zap.InfoLevel)
	w.hub.log = zap.New(core)
	maria := w.visit("Maria")
	faulty.Stop()
	for range 3 {
		if _, err := w.do(maria.Visit, rooms.Revoke{Seat: maria.Seat}); !errors.Is(err, ErrRetry) {
			t.Fatal(err)
		}
	}
	faulty.Resume()
	_, err := w.do(maria.Visit, rooms.Cancel{}) // answered when all before it is saved
	w.must(err)
	var events []string
	for _, e := range seen.All() {
		events = append(events, e.Message)
	}
	if !slices.Equal(events, []string{"store_down", "store_back"}) || !strings.Contains(fmt.Sprint(seen.All()[0].ContextMap()), "unavailable") {
		t.Errorf("%v", seen.All())
	}
}

// bomb is an event that panics.
type bomb struct{}

func (bomb) apply(*actor) { panic("boom") }

func TestActor_APanicEndsNothingElse(t *testing.T) {
	w := newWorld(t, nil)
	maria, john := w.visit("Maria"), w.visit("John")
	p, _ := w.open(maria)
	q, _ := w.open(john)
	_, err := w.do(john.Visit, rooms.Lock{On: true}) // all that came before is saved then, and touches Maria no more
	w.must(err)
	a, err := w.hub.actorOf(w.ctx(), w.room.ID)
	w.must(err)
	a.post(bomb{})
	a.post(poison{maria.Seat})
	// A view of Maria's cannot be made now: her page ends and comes back, John's goes on.
	if got := p.closeCode(); got != wire.CloseBusy {
		t.Errorf("close %d", got)
	}
	if err := q.ask(wire.TypeCheckIn, wire.Empty{}, nil); err != nil {
		t.Error(err)
	}
	q.waitView(func(v wire.View) bool { return v.Me.State == wire.SeatWaiting })
	if got := w.hub.Panics(); got != 2 {
		t.Errorf("%v panics", got)
	}
	again, welcome := w.dial(maria), wire.Welcome{}
	hello := again.hello()
	hello.Takeover = true // the actor may not have heard yet that her page is gone
	if err := again.ask(wire.TypeHello, hello, &welcome); err != nil || welcome.View.Me.Seat != string(maria.Seat) {
		t.Errorf("%+v, %+v", err, welcome.View.Me)
	}
}

// poison has a session panic when it is next looked at: there is a message to send, and nowhere to note that it was.
type poison struct{ seat rooms.SeatID }

func (e poison) apply(a *actor) {
	s := a.atSeat[e.seat]
	s.said = nil // writing to it panics
	v, _ := a.room.Visit(s.who.Visit)
	changed := *v
	changed.LastMessage = 1
	a.durable[v.ID] = &changed
	a.alone[s] = struct{}{}
}

func counted(t *testing.T, c prometheus.Collector) float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(c)
	all, err := registry.Gather()
	if err != nil || len(all) != 1 {
		t.Fatal(err, all)
	}
	return all[0].GetMetric()[0].GetCounter().GetValue()
}

func TestDo_ReturnsWithTheCallersContext(t *testing.T) {
	w := newWorld(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.hub.Visit(ctx, w.room.ID, "x"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestQueue_TheFirstViewIsTrue(t *testing.T) {
	w := newWorld(t, nil)
	for n := range 5 {
		p, _ := w.open(w.visit("Patient"))
		if err := p.ask(wire.TypeCheckIn, wire.Empty{}, nil); err != nil {
			t.Fatal(err)
		}
		v := p.waitView(func(v wire.View) bool { return v.Me.State == wire.SeatWaiting })
		if v.Queue == nil || v.Queue.Ahead != n {
			t.Errorf("patient %d reads %+v", n, v.Queue)
		}
	}
}

func TestWireErrors_AreDocumentedCodes(t *testing.T) {
	known := []wire.Code{wire.CodeForbidden, wire.CodeRetry, wire.CodeInternal, wire.CodeAlreadyAdmitted}
	for _, err := range []error{rooms.ErrForbidden, ErrRetry, errInternal, &rooms.Error{Code: "already_admitted", By: "Dr Lee"}} {
		if e := wireError(err); !slices.Contains(known, e.Code) || e.Retry != errors.Is(err, ErrRetry) {
			t.Errorf("%v is %+v", err, e)
		}
	}
}

func TestConnect_AGuestOfAVisitUnderWay_IsConnectedWhileTheyCheck(t *testing.T) {
	w := newWorld(t, nil)
	maria := w.visit("Maria")
	invite := func() auth.Identity {
		out, err := w.do(maria.Visit, rooms.Invite{Seat: rooms.Seat{ID: rooms.SeatID(newID()), Role: rooms.Interpreter, Name: "Ivy"}})
		w.must(err)
		return auth.Identity{Kind: auth.Seat, Room: w.room.ID, Visit: maria.Visit, Seat: out.Seat}
	}
	if _, welcome := w.open(invite()); welcome.View.Connect {
		t.Error("connected before the visit")
	}
	patient, welcome := w.open(maria)
	if welcome.View.Connect {
		t.Error("a patient who checks is connected")
	}
	if err := patient.ask(wire.TypeCheckIn, wire.Empty{}, nil); err != nil {
		t.Fatal(err)
	}
	doctor, _ := w.open(w.staff())
	if err := doctor.ask(wire.TypeAdmit, wire.Target{Visit: string(maria.Visit), Seat: string(maria.Seat)}, nil); err != nil {
		t.Fatal(err)
	}
	if _, welcome := w.open(invite()); !welcome.View.Connect || welcome.View.Send || welcome.View.Me.State != wire.SeatChecking {
		t.Errorf("%+v", welcome.View)
	}
}

func TestQueue_AfterARestart_WhoWaitsIsConnectedAndReadsTheirPlace(t *testing.T) {
	w := newWorld(t, nil)
	room := rooms.NewRoom(w.room, nil)
	apply := func(visit rooms.VisitID, who rooms.Actor, do rooms.Action) {
		out, err := room.Apply(rooms.Command{Actor: who, Visit: visit, Do: do}, time.Now())
		w.must(err)
		room.Install(out.Visits...)
	}
	var all []*rooms.Visit
	var last auth.Identity
	for range 3 {
		visit, seat := rooms.VisitID(newID()), rooms.SeatID(newID())
		seats := []rooms.Seat{{ID: seat, Role: rooms.Patient, Name: "Maria"}}
		apply(visit, rooms.Actor{System: true}, rooms.Create{Visit: rooms.Visit{ID: visit, Room: w.room.ID, Clinic: w.room.Clinic, Seats: seats}})
		apply(visit, rooms.Actor{Seat: seat}, rooms.CheckIn{})
		last = auth.Identity{Kind: auth.Seat, Room: w.room.ID, Visit: visit, Seat: seat}
		v, _ := room.Visit(visit)
		all = append(all, v)
	}
	w.must(w.store.Commit(w.ctx(), store.Batch{Room: w.room.ID, Visits: all}))
	// The room is loaded for the first page, whose opening changes nothing.
	if _, welcome := w.open(last); !welcome.View.Connect || welcome.View.Queue == nil || welcome.View.Queue.Ahead != 2 {
		t.Errorf("connect %v, queue %+v", welcome.View.Connect, welcome.View.Queue)
	}
}
