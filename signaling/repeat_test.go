package signaling

import (
	"testing"

	"github.com/anteroom/anteroom/signaling/wire"
)

func TestCommand_ThatComesAgain_IsCountedAsRepeated(t *testing.T) {
	w := newWorld(t, nil)
	maria := w.visit("Maria")
	patient, _ := w.open(maria)
	doctor, _ := w.open(w.staff())
	if err := patient.ask(wire.TypeCheckIn, wire.Empty{}, nil); err != nil {
		t.Fatal(err)
	}
	admit := wire.Target{Visit: string(maria.Visit), Seat: string(maria.Seat)}
	for range 3 {
		if err := doctor.ask(wire.TypeAdmit, admit, nil); err != nil {
			t.Fatal(err)
		}
		doctor.lastID-- // the same request
	}
	for result, want := range map[string]float64{"ok": 1, "repeated": 2} {
		if got := counted(t, w.hub.metrics.commands.WithLabelValues("admit", result)); got != want {
			t.Errorf("%v admissions are counted as %s, not %v", got, result, want)
		}
	}
}
