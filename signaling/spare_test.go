package signaling

import (
	"testing"

	"github.com/anteroom/anteroom/signaling/wire"
)

func TestSpare_ARoomWithoutAVisitUnderWayGoes_WhoWaitsGoesWithIt(t *testing.T) {
	i := newInstances(t, 2)
	w := i.hubs[0]
	id := w.visit("Ana Santos")
	patient, _ := w.open(id)
	doctor, _ := w.open(w.staff())
	target := wire.Target{Visit: string(id.Visit), Seat: string(id.Seat)}
	w.must(nilOf(patient.ask(wire.TypeCheckIn, wire.Empty{}, nil)))
	w.must(nilOf(doctor.ask(wire.TypeAdmit, target, nil)))
	patient.waitView(func(v wire.View) bool { return v.Send })
	if w.hub.Spare(t.Context()) {
		t.Fatal("a room goes in which people are in a visit")
	}
	w.must(nilOf(doctor.ask(wire.TypeReturn, target, nil)))
	patient.waitView(func(v wire.View) bool { return !v.Send })
	if !w.hub.Spare(t.Context()) {
		t.Fatal("no room goes")
	}
	if got := patient.closeCode(); got != wire.CloseHandedOver {
		t.Errorf("closed with %d", got)
	}
	if _, welcome := i.hubs[1].open(id); welcome.View.Me.State != wire.SeatWaiting {
		t.Errorf("back as %+v", welcome.View.Me)
	}
}
