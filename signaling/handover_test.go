package signaling

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/signaling/wire"
)

func TestHandOver_PagesAreToldToComeBack_AndFindTheSameElsewhere(t *testing.T) {
	i := newInstances(t, 2)
	from, to := i.hubs[0], i.hubs[1]
	id := from.visit("Ana Santos")
	patient, _ := from.open(id)
	passed, _ := to.open(from.staff())
	from.must(nilOf(patient.ask(wire.TypeCheckIn, wire.Empty{}, nil)))
	from.hub.HandOver(t.Context())
	for _, p := range []*page{patient, passed} {
		if got := p.closeCode(); got != wire.CloseHandedOver {
			t.Errorf("closed with %d", got)
		}
	}
	if _, welcome := from.open(id); welcome.View.Me.State != wire.SeatWaiting || welcome.View.Epoch != i.lease().Fence().Epoch {
		t.Errorf("back as %+v at epoch %d", welcome.View.Me, welcome.View.Epoch)
	}
	if _, err := from.do(id.Visit, rooms.Lock{On: true}); !isElsewhere(err) {
		t.Errorf("a command to the former owner: %v", err)
	}
	if _, err := to.do(id.Visit, rooms.Lock{On: true}); err != nil {
		t.Errorf("a command to the owner: %v", err)
	}
}

func isElsewhere(err error) bool {
	moved := (*Elsewhere)(nil)
	return errors.As(err, &moved)
}

func TestHandOver_WhoIsInAVisit_IsWelcomedAsSending(t *testing.T) {
	i := newInstances(t, 2)
	w := i.hubs[0]
	id, target, _, doctor := w.somebodyWaits()
	w.must(nilOf(doctor.ask(wire.TypeAdmit, target, nil)))
	w.hub.HandOver(t.Context())
	if _, welcome := i.hubs[1].open(id); !welcome.View.Send || welcome.View.Me.State != wire.SeatAdmitted {
		t.Errorf("welcomed as %+v, sends: %v", welcome.View.Me, welcome.View.Send)
	}
}

func TestHandOver_WhatIsNotSavedStays(t *testing.T) {
	i := newInstances(t, 2)
	w := i.hubs[0]
	id := w.visit("Ana Santos")
	patient, _ := w.open(id)
	i.stuck.Store(true)
	patient.send(wire.TypeCheckIn, wire.Empty{})
	patient.waitView(func(v wire.View) bool { return v.Me.State == wire.SeatWaiting })
	ctx, cancel := context.WithTimeout(t.Context(), 3*leaveEvery)
	defer cancel()
	w.hub.HandOver(ctx)
	i.stuck.Store(false)
	for err := w.hub.Ready(); err != nil; err = w.hub.Ready() { // until it has tried again
		runtime.Gosched()
	}
	if _, err := w.do(id.Visit, rooms.Lock{On: true}); err != nil {
		t.Errorf("the room is not here: %v", err)
	}
	w.hub.HandOver(t.Context())
	if got := patient.closeCode(); got != wire.CloseHandedOver {
		t.Errorf("closed with %d", got)
	}
	if _, welcome := i.hubs[1].open(id); welcome.View.Me.State != wire.SeatWaiting {
		t.Errorf("back as %+v", welcome.View.Me)
	}
}

func TestDecide_ARefusalWaitsForWhatItGoesBy(t *testing.T) {
	i := newInstances(t, 1)
	w := i.hubs[0]
	_, target, patient, doctor := w.somebodyWaits()
	w.must(nilOf(doctor.ask(wire.TypeAdmit, target, nil)))
	i.stuck.Store(true)
	patient.send(wire.TypeLeave, wire.Empty{})
	patient.waitView(func(v wire.View) bool { return v.Me.State == wire.SeatLeft })
	if err := doctor.ask(wire.TypeHold, target, nil); code(err) != wire.CodeRetry {
		t.Errorf("while the store does not know that the patient has left: %v", err)
	}
	i.stuck.Store(false)
	for err := w.hub.Ready(); err != nil; err = w.hub.Ready() {
		runtime.Gosched()
	}
	if err := doctor.ask(wire.TypeHold, target, nil); code(err) != wire.CodeNotAdmitted {
		t.Errorf("when it does: %v", err)
	}
}

func TestHandOver_OwnersHearWhoIsParted(t *testing.T) {
	i := newInstances(t, 1)
	w := i.hubs[0]
	id, target, _, doctor := w.somebodyWaits()
	w.must(nilOf(doctor.ask(wire.TypeAdmit, target, nil)))
	if n := len(i.lease().parted); n != 0 {
		t.Errorf("%d parted by an admission", n)
	}
	w.must(nilOf(doctor.ask(wire.TypeHold, target, nil)))
	if got := <-i.lease().parted; got != id.Visit {
		t.Errorf("parted are those of %q", got)
	}
}
