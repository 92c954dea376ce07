package main

import (
	"context"
	"crypto/rand"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/rooms/store/bolt"
)

// swept is a store with one clinic and room, which is its own hub.
type swept struct {
	t    *testing.T
	db   store.Store
	at   time.Time
	room rooms.WaitingRoom
	down bool
	// steady is the clock that nobody sets. Who calls once moves at alone.
	steady time.Duration
	// mine is a visit over which Do panics.
	mine rooms.VisitID
}

func newSwept(t *testing.T) *swept {
	t.Helper()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "anteroom.db"), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	h := &swept{t: t, db: db, at: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
	clinic := rooms.Clinic{ID: rooms.ClinicID(h.id()), Name: "C"}
	h.room = rooms.WaitingRoom{ID: rooms.RoomID(h.id()), Clinic: clinic.ID, Name: "R"}
	if err := errors.Join(db.PutClinic(t.Context(), clinic), db.PutRoom(t.Context(), h.room)); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *swept) id() string { return rooms.NewID(h.at, rand.Reader) }

func (h *swept) sweep(retention time.Duration) sweep {
	return sweep{
		store: h.db, hub: h, retention: retention, log: zap.NewNop(),
		now: func() time.Time { return h.at }, steady: func() time.Duration { return h.steady },
	}
}

func (h *swept) Do(ctx context.Context, id rooms.RoomID, cmd rooms.Command) (rooms.Outcome, error) {
	if h.down {
		return rooms.Outcome{}, store.ErrUnavailable
	}
	if cmd.Visit == h.mine {
		panic("mined")
	}
	w, visits, err := h.db.LoadRoom(ctx, id)
	if err != nil {
		return rooms.Outcome{}, err
	}
	out, err := rooms.NewRoom(w, visits).Apply(cmd, h.at)
	if err != nil {
		return out, err
	}
	return out, h.db.Commit(ctx, store.Batch{Room: id, Visits: out.Visits})
}

func (h *swept) Visit(ctx context.Context, _ rooms.RoomID, id rooms.VisitID) (*rooms.Visit, error) {
	return h.db.Visit(ctx, id)
}

func (h *swept) RoomChanged(rooms.RoomID) {}

// visit makes one and, if it is to be over, cancels it.
func (h *swept) visit(name string, over bool) rooms.VisitID {
	h.t.Helper()
	id := rooms.VisitID(h.id())
	give := func(do rooms.Action) {
		if _, err := h.Do(h.t.Context(), h.room.ID, rooms.Command{Actor: rooms.Actor{System: true}, Visit: id, Do: do}); err != nil {
			h.t.Fatal(err)
		}
	}
	give(rooms.Create{Visit: rooms.Visit{
		ID: id, Room: h.room.ID, Clinic: h.room.Clinic,
		Seats: []rooms.Seat{{ID: rooms.SeatID(h.id()), Role: rooms.Patient, Name: name}},
	}})
	if over {
		give(rooms.Cancel{})
	}
	return id
}

func (h *swept) erased(id rooms.VisitID) bool {
	h.t.Helper()
	v, err := h.db.Visit(h.t.Context(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	return !v.ErasedAt.IsZero() && v.Seats[0].Name == ""
}

func TestSweep_ErasesWhatWasKeptLongEnough_AndNothingElse(t *testing.T) {
	h := newSwept(t)
	over, going := h.visit("A", true), h.visit("B", false)
	h.at = h.at.Add(time.Hour)
	later := h.visit("C", true)
	for _, c := range []struct {
		after                time.Duration
		over, later, running bool
	}{
		{23*time.Hour - time.Second, false, false, false},
		{time.Second, true, false, false},
		{time.Hour, true, true, false},
		{1000 * time.Hour, true, true, false},
	} {
		h.at = h.at.Add(c.after)
		if _, err := h.sweep(24 * time.Hour).once(t.Context()); err != nil {
			t.Fatal(err)
		}
		if h.erased(over) != c.over || h.erased(later) != c.later || h.erased(going) != c.running {
			t.Errorf("at %v: %v %v %v, want %+v", h.at, h.erased(over), h.erased(later), h.erased(going), c)
		}
	}
}

func TestSweep_TheRoomsOwnRetention_Counts(t *testing.T) {
	h := newSwept(t)
	h.room.Retention = 2 * time.Hour
	if err := h.db.PutRoom(t.Context(), h.room); err != nil {
		t.Fatal(err)
	}
	id := h.visit("A", true)
	h.at = h.at.Add(2 * time.Hour)
	if n, err := h.sweep(24 * time.Hour).once(t.Context()); err != nil || n != 1 || !h.erased(id) {
		t.Errorf("%d erased, %v", n, err)
	}
}

func TestSweep_AVisitThatNobodyCloses_IsClosedAndErased(t *testing.T) {
	h := newSwept(t)
	id := h.visit("A", false)
	day := 24 * time.Hour
	for _, c := range []struct {
		after  time.Duration
		phase  rooms.Phase
		erased bool
	}{
		{7*day - time.Second, rooms.PhaseScheduled, false},
		{time.Second, rooms.PhaseNoShow, false},
		{day - time.Second, rooms.PhaseNoShow, false},
		{time.Second, rooms.PhaseNoShow, true},
	} {
		h.at = h.at.Add(c.after)
		if _, err := h.sweep(day).once(t.Context()); err != nil {
			t.Fatal(err)
		}
		v, err := h.db.Visit(t.Context(), id)
		if err != nil || v.Phase != c.phase || h.erased(id) != c.erased {
			t.Errorf("at %v: %s, erased %t, %v, want %+v", h.at, v.Phase, h.erased(id), err, c)
		}
	}
}

func TestSweep_WhoStillComes_KeepsAVisit(t *testing.T) {
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	s := sweep{now: func() time.Time { return now }}
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	old := rooms.Visit{Phase: rooms.PhaseHeld, CreatedAt: ago(30 * 24 * time.Hour), Seats: make([]rooms.Seat, 1)}
	if _, ends := s.due(&old, time.Hour).(rooms.End); !ends {
		t.Error("a visit under way that everybody forgot goes on")
	}
	for name, sign := range map[string]func(*rooms.Visit){
		"planned for later": func(v *rooms.Visit) { v.ScheduledAt = now.Add(time.Hour) },
		"long":              func(v *rooms.Visit) { v.ScheduledAt, v.Length = ago(abandonedAfter), time.Hour },
		"somebody waits":    func(v *rooms.Visit) { v.Seats[0].WaitingSince = ago(time.Hour) },
		"somebody is in it": func(v *rooms.Visit) { v.Seats[0].AdmittedAt = ago(time.Hour) },
		"somebody left":     func(v *rooms.Visit) { v.Seats[0].LeftAt = ago(time.Hour) },
	} {
		v := old
		v.Seats = make([]rooms.Seat, 1)
		if sign(&v); s.due(&v, time.Hour) != nil {
			t.Errorf("%s: closed", name)
		}
	}
}

func TestSweep_StoreDown_IsDoneTheNextTime(t *testing.T) {
	h := newSwept(t)
	id := h.visit("A", true)
	h.at = h.at.Add(25 * time.Hour)
	h.down = true
	if _, err := h.sweep(24 * time.Hour).once(t.Context()); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	h.down = false
	if n, err := h.sweep(24 * time.Hour).once(t.Context()); err != nil || n != 1 || !h.erased(id) {
		t.Errorf("%d erased, %v", n, err)
	}
}

func TestSweep_APanicOverOneVisit_KeepsNoOther(t *testing.T) {
	h := newSwept(t)
	first, mined, last := h.visit("A", true), h.visit("B", true), h.visit("C", true)
	h.at, h.mine = h.at.Add(25*time.Hour), mined
	core, seen := observer.New(zap.ErrorLevel)
	s := h.sweep(24 * time.Hour)
	counted := 0
	s.log, s.panicked = zap.New(core), func() { counted++ }
	if n, err := s.once(t.Context()); !errors.Is(err, errPanicked) || n != 2 {
		t.Errorf("%d erased, %v", n, err)
	}
	if !h.erased(first) || !h.erased(last) || h.erased(mined) {
		t.Error("not the others, and them alone")
	}
	if counted != 1 || seen.FilterMessage("sweep_panic").Len() != 1 {
		t.Errorf("counted %d, logged %v", counted, seen.All())
	}
}

func TestSweep_ForgetsIdempotencyKeysAfterADay(t *testing.T) {
	h := newSwept(t)
	r := store.Reservation{Clinic: h.room.Clinic, Kind: store.KindKey, Key: "k", Visit: "v1", At: h.at}
	reserve := func() bool {
		_, isNew, err := h.db.Reserve(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		return isNew
	}
	reserve()
	h.at = h.at.Add(24*time.Hour - time.Minute)
	if _, err := h.sweep(time.Hour).once(t.Context()); err != nil || reserve() {
		t.Errorf("forgotten too early, %v", err)
	}
	h.at = h.at.Add(2 * time.Minute)
	if _, err := h.sweep(time.Hour).once(t.Context()); err != nil || !reserve() {
		t.Errorf("not forgotten, %v", err)
	}
}

func TestSweep_RunsAtEachTick_UntilItIsStopped(t *testing.T) {
	h := newSwept(t)
	id := h.visit("A", true)
	h.at = h.at.Add(25 * time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	tick, done := make(chan time.Time), make(chan struct{})
	go func() {
		h.sweep(24*time.Hour).run(ctx, tick)
		close(done)
	}()
	tick <- h.at
	tick <- h.at // taken once the first is done
	cancel()
	<-done
	if !h.erased(id) {
		t.Error("not erased")
	}
}

func TestSweep_WhatIsLeftOfAVisitThatMoved_IsKeptAsLongAsTheVisit(t *testing.T) {
	h := newSwept(t)
	id := h.visit("Ana Santos", false)
	v, err := h.db.Visit(t.Context(), id)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(err)
	h.at = h.at.Add(time.Minute) // so that it comes later in a sweep
	there := *v
	there.ID, there.Version = rooms.VisitID(h.id()), 1
	there.Phase, there.EndedAt = rooms.PhaseEnded, h.at.Add(2*time.Hour)
	left := *v
	left.Version++
	left.Phase, left.EndedAt = rooms.PhaseMoved, h.at
	left.Seats = []rooms.Seat{{ID: v.Seats[0].ID, Role: rooms.Patient, State: rooms.SeatLeft}}
	left.Forward = &rooms.Forward{Room: h.room.ID, Visit: there.ID}
	must(h.db.Commit(t.Context(), store.Batch{Room: h.room.ID, Visits: []*rooms.Visit{&there, &left}}))
	for _, c := range []struct {
		after       time.Duration
		there, left bool
	}{{time.Hour, false, false}, {3*time.Hour + time.Minute, true, false}, {4 * time.Hour, true, true}} {
		h.at = v.CreatedAt.Add(c.after)
		_, err := h.sweep(time.Hour).once(t.Context())
		must(err)
		if is, was := h.erased(there.ID), h.erased(id); is != c.there || was != c.left {
			t.Errorf("after %v: there %t, what is left %t, want %+v", c.after, is, was, c)
		}
	}
}
