package main

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/anteroom/anteroom/rooms"
)

// sweeping runs a sweep beside a test, which moves its clocks and has it sweep each minute.
func sweeping(t *testing.T, retention time.Duration, play func(h *swept, minutes func(n int))) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := newSwept(t)
		tick := make(chan time.Time)
		go h.sweep(retention).run(t.Context(), tick)
		synctest.Wait() // until it has seen the clocks
		play(h, func(n int) {
			for range n {
				h.at, h.steady = h.at.Add(sweepEvery), h.steady+sweepEvery
				tick <- h.at
				synctest.Wait()
			}
		})
	})
}

func TestSweep_ClockAnHourAheadForAWhile_CostsNothing(t *testing.T) {
	sweeping(t, time.Hour, func(h *swept, minutes func(n int)) {
		id := h.visit("A", true)
		minutes(10)
		h.at = h.at.Add(time.Hour)
		minutes(20)
		if h.erased(id) {
			t.Error("erased after 30 min of 60")
		}
		h.at = h.at.Add(-time.Hour)
		minutes(29)
		if h.erased(id) {
			t.Error("erased after 59 min of 60")
		}
		if minutes(1); !h.erased(id) {
			t.Error("not erased in time, with the clock right again")
		}
	})
}

func TestSweep_ClockAnHourAheadForGood_IsBelievedAfterAnHour(t *testing.T) {
	sweeping(t, 30*time.Minute, func(h *swept, minutes func(n int)) {
		h.at = h.at.Add(time.Hour)
		minutes(1)
		id := h.visit("A", true)
		if minutes(59); h.erased(id) {
			t.Error("erased before the hour")
		}
		if minutes(1); !h.erased(id) {
			t.Error("kept after the hour")
		}
		later := h.visit("B", true)
		if minutes(30); !h.erased(later) {
			t.Error("the clock is still doubted")
		}
	})
}

func TestSweep_ClockAnHourBack_KeepsAnHourLonger(t *testing.T) {
	sweeping(t, time.Hour, func(h *swept, minutes func(n int)) {
		id := h.visit("A", true)
		h.at = h.at.Add(-time.Hour)
		if minutes(119); h.erased(id) {
			t.Error("erased by a clock that says that it has just ended")
		}
		if minutes(1); !h.erased(id) {
			t.Error("kept")
		}
	})
}

func TestSweep_ClockTenDaysAhead_EndsNoVisit(t *testing.T) {
	sweeping(t, time.Hour, func(h *swept, minutes func(n int)) {
		id := h.visit("A", false)
		h.at = h.at.AddDate(0, 0, 10)
		minutes(50)
		h.at = h.at.AddDate(0, 0, -10)
		minutes(60)
		if v, err := h.db.Visit(t.Context(), id); err != nil || v.Phase != rooms.PhaseScheduled {
			t.Errorf("%+v, %v", v, err)
		}
	})
}

// Asleep, a machine's steady clock stands still.
func TestSweep_MachineAsleepForTenMinutes_ErasesAnHourLaterAtMost(t *testing.T) {
	sweeping(t, time.Hour, func(h *swept, minutes func(n int)) {
		id := h.visit("A", true)
		minutes(55)
		h.at = h.at.Add(10 * time.Minute)
		if minutes(59); h.erased(id) {
			t.Error("a sleep is told from a clock that was set")
		}
		if minutes(2); !h.erased(id) {
			t.Error("kept")
		}
	})
}

func TestBelief_LeapAfterLeap_NeverDoubtsForLonger(t *testing.T) {
	var b belief
	at, steady := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), time.Duration(0)
	b.holds(at, steady)
	var doubted time.Duration
	for range 1000 {
		at, steady = at.Add(3*sweepEvery), steady+sweepEvery // the machine sleeps two minutes in three
		if b.holds(at, steady) {
			doubted = 0
		} else if doubted += sweepEvery; doubted > doubt {
			t.Fatalf("doubted for %v", doubted)
		}
	}
}

func TestSweep_OfSeveralInstances_OneSweeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newSwept(t)
		id := h.visit("A", true)
		mine := false
		s := h.sweep(time.Second)
		s.mine = func() bool { return mine }
		tick := make(chan time.Time)
		go s.run(t.Context(), tick)
		synctest.Wait()
		for _, first := range []bool{false, true} {
			mine = first
			h.at, h.steady = h.at.Add(sweepEvery), h.steady+sweepEvery
			tick <- h.at
			synctest.Wait()
			if h.erased(id) != first {
				t.Errorf("first %v: erased %v", first, !first)
			}
		}
	})
}
