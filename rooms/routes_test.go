package rooms

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestRoutes_ByPhase(t *testing.T) {
	for phase, want := range map[Phase]int{
		PhaseScheduled: 0, PhaseWaiting: 0, PhaseActive: 2, PhaseHeld: 2, PhaseEnded: 0, PhaseCancelled: 0, PhaseNoShow: 0,
	} {
		v := &Visit{Phase: phase, Seats: []Seat{
			{ID: "a", Role: Clinician, State: SeatAdmitted}, {ID: "b", Role: Specialist, State: SeatAdmitted},
		}}
		if got := len(Routes(v)); got != want {
			t.Errorf("%s: %d routes, want %d", phase, got, want)
		}
	}
}

func TestRoutes_ByStateAndRole(t *testing.T) {
	for _, role := range Roles() {
		for _, state := range SeatStates() {
			v := &Visit{Phase: PhaseActive, Seats: []Seat{
				{ID: "a", Role: Clinician, State: SeatAdmitted}, {ID: "b", Role: role, State: state},
			}}
			var want []Route
			if state == SeatAdmitted {
				want = []Route{{"a", "b"}, {"b", "a"}}
			}
			if state == SeatAdmitted && role == Observer {
				want = want[:1]
			}
			if got := Routes(v); !slices.Equal(got, want) {
				t.Errorf("%s %s: %v, want %v", role, state, got, want)
			}
		}
	}
}

func TestInForce_ClosingIsAtOnce_OpeningWhenDurable(t *testing.T) {
	w := newWorld(t, about)
	w.wait(1)
	waiting := w.visit(1)
	w.do(1, doctor, Admit{seatID(1, 0)})
	admitted := w.visit(1)
	w.do(1, doctor, Hold{})
	held := w.visit(1)
	for _, c := range []struct {
		what            string
		newest, durable *Visit
		want            int
	}{
		{"admitted, not durable", admitted, waiting, 0},
		{"admitted, nothing durable", admitted, nil, 0},
		{"admitted and durable", admitted, admitted, 2},
		{"held, not durable", held, admitted, 0},
		{"held and durable", held, held, 0},
		{"gone", nil, admitted, 0},
	} {
		if got := len(InForce(c.newest, c.durable)); got != c.want {
			t.Errorf("%s: %d routes, want %d", c.what, got, c.want)
		}
	}
}

func TestShown_NobodyLooksAdmittedBeforeItIsDurable(t *testing.T) {
	w := newWorld(t, about)
	w.wait(1)
	waiting := w.visit(1)
	w.do(1, doctor, Admit{seatID(1, 0)})
	admitted := w.visit(1)
	w.do(1, doctor, Hold{})
	held := w.visit(1)
	w.do(1, doctor, Resume{})
	resumed := w.visit(1)
	w.do(1, doctor, End{DispositionDone})
	ended := w.visit(1)
	for _, c := range []struct {
		what            string
		newest, durable *Visit
		want            string
	}{
		{"admitted, waiting durable", admitted, waiting, "waiting [waiting]"},
		{"admitted, nothing durable", admitted, nil, "waiting [waiting]"},
		{"admitted and durable", admitted, admitted, "active [admitted admitted]"},
		{"held, admitted durable", held, admitted, "held [held admitted]"},
		{"held, waiting durable", held, waiting, "held [held]"},
		{"resumed, held durable", resumed, held, "held [held admitted]"},
		{"ended, nothing durable", ended, nil, "ended [left left]"},
		{"ended, resumed durable", ended, resumed, "ended [left left]"},
	} {
		before := frozen(t, []*Visit{c.newest, c.durable})
		v := Shown(c.newest, c.durable)
		states := []SeatState{}
		for _, s := range v.Seats {
			states = append(states, s.State)
		}
		if got := fmt.Sprintf("%s %v", v.Phase, states); got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
		if frozen(t, []*Visit{c.newest, c.durable}) != before {
			t.Errorf("%s: changed its inputs", c.what)
		}
	}
	if s := Shown(admitted, waiting).Patient(); !s.AdmittedAt.IsZero() || s.AdmittedBy != "" {
		t.Errorf("shows when and by whom: %+v", s)
	}
	if v := Shown(admitted, waiting); !v.StartedAt.Equal(time.Time{}) {
		t.Error("shows that it has begun")
	}
}
