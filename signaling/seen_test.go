package signaling

import (
	"testing"

	"github.com/anteroom/anteroom/internal/auth"
	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/signaling/wire"
)

// underway is a visit of a patient and a clinician at the first of two instances.
type underway struct {
	*instances
	id              auth.Identity
	patient, doctor *page
	view            wire.View // of the patient
}

func newUnderway(t *testing.T) *underway {
	t.Helper()
	u := &underway{instances: newInstances(t, 2)}
	w := u.hubs[0]
	u.id = w.visit("Ana Santos")
	u.patient, _ = w.open(u.id)
	u.doctor, _ = w.open(w.staff())
	w.must(nilOf(u.patient.ask(wire.TypeCheckIn, wire.Empty{}, nil)))
	w.must(nilOf(u.doctor.ask(wire.TypeAdmit, wire.Target{Visit: string(u.id.Visit), Seat: string(u.id.Seat)}, nil)))
	u.view = u.patient.waitView(func(v wire.View) bool { return v.Me.State == wire.SeatAdmitted && v.Send })
	return u
}

// holdUnsaved has the owner part people, and die before that is saved.
func (u *underway) holdUnsaved() {
	u.t.Helper()
	u.stuck.Store(true)
	u.doctor.send(wire.TypeHold, wire.Target{Visit: string(u.id.Visit), Seat: string(u.id.Seat)})
	u.view = u.patient.waitView(func(v wire.View) bool { return v.Me.State == wire.SeatHeld })
	u.die()
}

// die ends the owner without a word; the second instance has the room.
func (u *underway) die() {
	u.t.Helper()
	u.moveTo(1)
	close(u.lease().gone)
	for _, p := range []*page{u.patient, u.doctor} {
		if got := p.closeCode(); got != wire.CloseMoved {
			u.t.Errorf("closed with %d", got)
		}
	}
	u.stuck.Store(false)
}

// citing opens a page of the patient at the new owner, which cites what it has seen.
func (u *underway) citing(seen *wire.Seen) (*page, wire.View) {
	u.t.Helper()
	p := u.hubs[1].dial(u.id)
	hello := p.hello()
	hello.Seen, hello.Takeover = seen, true
	var welcome wire.Welcome
	u.hubs[1].must(nilOf(p.ask(wire.TypeHello, hello, &welcome)))
	return p, welcome.View
}

func seenOf(v wire.View) *wire.Seen {
	return &wire.Seen{Epoch: v.Epoch, Visit: v.Visit.ID, Version: v.Visit.Version}
}

func TestSeen_AHoldThatWasNotSaved_IsNotUndone_UntilStaffResume(t *testing.T) {
	u := newUnderway(t)
	u.holdUnsaved()
	patient, view := u.citing(seenOf(u.view))
	if view.Me.State != wire.SeatHeld || view.Send {
		t.Fatalf("the patient is %q, and may send: %v", view.Me.State, view.Send)
	}
	doctor, _ := u.hubs[1].open(u.hubs[1].staff())
	u.hubs[1].must(nilOf(doctor.ask(wire.TypeResume, wire.Target{Visit: string(u.id.Visit), Seat: string(u.id.Seat)}, nil)))
	patient.waitView(func(v wire.View) bool { return v.Me.State == wire.SeatAdmitted })
	if _, view := u.citing(seenOf(u.view)); view.Me.State != wire.SeatAdmitted { // once is enough
		t.Errorf("held again: %q", view.Me.State)
	}
}

func TestSeen_WhatIsSaved_GoesOn(t *testing.T) {
	u := newUnderway(t)
	u.die()
	if _, view := u.citing(seenOf(u.view)); view.Me.State != wire.SeatAdmitted {
		t.Errorf("the patient is %q", view.Me.State)
	}
}

func TestSeen_NothingButPartingIsCited(t *testing.T) {
	u := newUnderway(t)
	u.stuck.Store(true)
	u.doctor.send(wire.TypeLock, wire.Lock{Visit: string(u.id.Visit), On: true})
	view := u.patient.waitView(func(v wire.View) bool { return v.Visit.Locked })
	if view.Visit.Version != u.view.Visit.Version {
		t.Errorf("version %d after %d", view.Visit.Version, u.view.Visit.Version)
	}
	u.die()
}

func TestSeen_WhatPagesMayNotCite_ChangesNothing(t *testing.T) {
	u := newUnderway(t)
	u.die()
	other := u.hubs[1].visit("Bo Lind")
	told := seenOf(u.view)
	for name, seen := range map[string]*wire.Seen{
		"no visit":                  {Epoch: told.Epoch, Visit: "none", Version: 1 << 60},
		"somebody else's":           {Epoch: told.Epoch, Visit: string(other.Visit), Version: 1 << 60},
		"of this owner or of later": {Epoch: 1 << 60, Visit: told.Visit, Version: 1 << 60},
		"nothing":                   {},
	} {
		if _, view := u.citing(seen); view.Me.State != wire.SeatAdmitted {
			t.Errorf("%s: the patient is %q", name, view.Me.State)
		}
	}
	if got := u.lease().seen.Load(); got != 1<<60 {
		t.Errorf("the owner was told of epoch %d", got)
	}
	v, err := u.hubs[1].hub.Visit(t.Context(), u.hubs[1].room.ID, other.Visit)
	u.hubs[1].must(err)
	if v.Version != 1 || v.Phase != rooms.PhaseScheduled {
		t.Errorf("the other visit is %q at version %d", v.Phase, v.Version)
	}
}
