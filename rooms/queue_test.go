package rooms

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestQueue_ByArrival(t *testing.T) {
	w := newWorld(t, about)
	w.create(1, 2, 3)
	for _, v := range []int{3, 1, 2} {
		w.do(v, holder(seatID(v, 0)), CheckIn{})
	}
	w.queueIs(3, 1, 2)
	w.do(3, holder(seatID(3, 0)), Open{}) // a refresh
	w.do(3, holder(seatID(3, 0)), CheckIn{})
	w.queueIs(3, 1, 2)
	w.do(3, holder(seatID(3, 0)), Leave{})
	w.queueIs(1, 2)
	w.do(3, holder(seatID(3, 0)), CheckIn{})
	w.queueIs(1, 2, 3)
	w.do(1, desk, NoShow{})
	w.queueIs(2, 3)
}

func TestQueue_ByArrival_EvenIfTheClockIsSetBack(t *testing.T) {
	w := newWorld(t, about)
	w.wait(1, 2)
	w.now = w.now.Add(-time.Hour)
	w.wait(3)
	w.queueIs(1, 2, 3)
	w.do(1, holder(seatID(1, 0)), Leave{})
	w.do(1, holder(seatID(1, 0)), Open{})
	w.do(1, holder(seatID(1, 0)), CheckIn{})
	w.queueIs(2, 3, 1)
}

func TestQueue_ByArrival_EvenIfTheClockIsAheadForAWhile(t *testing.T) {
	w := newWorld(t, about)
	w.wait(1)
	w.now = w.now.Add(time.Hour)
	w.wait(2)
	w.now = w.now.Add(-time.Hour)
	w.wait(3)
	w.queueIs(1, 2, 3)
	w.do(2, holder(seatID(2, 0)), Leave{})
	w.wait(4)
	w.queueIs(1, 3, 4)
}

func TestQueue_BySchedule_WhoComesUnplanned_EvenIfTheClockIsSet(t *testing.T) {
	room := about
	room.Order = BySchedule
	for _, change := range []time.Duration{-time.Hour, time.Hour} {
		w := newWorld(t, room)
		for v, at := range map[int]time.Time{1: start.Add(-2 * time.Hour), 2: start.Add(3 * time.Hour)} {
			in := newVisitOf(v)
			in.ScheduledAt = at
			w.do(v, server, Create{in})
			w.do(v, holder(seatID(v, 0)), CheckIn{})
		}
		w.wait(3)
		w.now = w.now.Add(change)
		w.wait(4)
		w.now = w.now.Add(-change)
		w.wait(5)
		w.queueIs(1, 3, 4, 5, 2)
	}
}

func TestQueue_BySchedule_WhoWasMovedBack_HoldsNobodyUp(t *testing.T) {
	room := about
	room.Order = BySchedule
	w := newWorld(t, room)
	in := newVisitOf(1)
	in.ScheduledAt = start.Add(time.Hour)
	w.do(1, server, Create{in})
	w.do(1, holder(seatID(1, 0)), CheckIn{})
	w.wait(2)
	w.do(2, desk, Move{Reason: "asked to be seen later"})
	w.wait(3)
	w.queueIs(3, 1, 2)
}

func TestQueue_BySchedule(t *testing.T) {
	room := about
	room.Order = BySchedule
	w := newWorld(t, room)
	for v, at := range map[int]time.Time{1: start.Add(30 * time.Minute), 2: start.Add(15 * time.Minute), 3: {}, 4: start.Add(15 * time.Minute)} {
		in := newVisitOf(v)
		in.ScheduledAt = at.In(time.FixedZone("", 3600))
		w.do(v, server, Create{in})
	}
	for _, v := range []int{1, 4, 2, 3} { // 3 is a walk-in
		w.do(v, holder(seatID(v, 0)), CheckIn{})
	}
	w.queueIs(3, 4, 2, 1)
}

func TestQueue_IsACopy(t *testing.T) {
	w := newWorld(t, about)
	w.wait(1, 2)
	clear(w.room.Queue())
	w.queueIs(1, 2)
}

func TestMove(t *testing.T) {
	for name, c := range map[string]struct {
		move, before int // before 0: the end
		want         []int
	}{
		"to the front":      {3, 1, []int{3, 1, 2, 4}},
		"between":           {4, 2, []int{1, 4, 2, 3}},
		"down":              {1, 4, []int{2, 3, 1, 4}},
		"to the end":        {1, 0, []int{2, 3, 4, 1}},
		"where it is":       {2, 3, []int{1, 2, 3, 4}},
		"the last, to last": {4, 0, []int{1, 2, 3, 4}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, about)
			w.wait(1, 2, 3, 4)
			do := Move{Reason: "urgent"}
			if c.before != 0 {
				do.Before = visitID(c.before)
			}
			w.do(c.move, desk, do)
			w.queueIs(c.want...)
			moved := !slices.Equal(c.want, []int{1, 2, 3, 4})
			if got := len(w.last.Visits); got > 1 || (got == 1) != moved || (w.visit(c.move).MovedReason != "") != moved {
				t.Errorf("%d visits changed, reason %q", got, w.visit(c.move).MovedReason)
			}
			w.wait(5)
			w.queueIs(append(c.want, 5)...)
			apartInMicroseconds(t, w.room.Queue())
		})
	}
}

// apartInMicroseconds fails if a client, which gets the ranks in microseconds, cannot tell the order.
func apartInMicroseconds(t *testing.T, queue []*Visit) {
	t.Helper()
	for i, v := range queue[1:] {
		if before := queue[i]; v.Rank/1000 <= before.Rank/1000 {
			t.Errorf("%s has rank %d, and %s after it %d", before.ID, before.Rank, v.ID, v.Rank)
		}
	}
}

func TestMove_Refusals(t *testing.T) {
	w := newWorld(t, about)
	w.wait(1, 2)
	w.create(3)
	w.refused(1, desk, Move{Before: visitID(2)}, ErrBadValue)
	w.refused(1, desk, Move{Before: visitID(2), Reason: " "}, ErrBadValue)
	w.refused(1, desk, Move{Before: visitID(3), Reason: "x"}, ErrNotWaiting)
	w.refused(1, desk, Move{Before: visitID(1), Reason: "x"}, ErrNotWaiting)
	w.refused(3, desk, Move{Before: visitID(1), Reason: "x"}, ErrNotWaiting)
}

func TestMove_WhereThereIsNoRoom_FewGiveWay(t *testing.T) {
	room := about
	room.Order = BySchedule
	w := newWorld(t, room)
	for v := 1; v <= 6; v++ {
		in := newVisitOf(v)
		in.ScheduledAt = start // all the same, so that all have one rank
		w.do(v, server, Create{in})
		w.do(v, holder(seatID(v, 0)), CheckIn{})
	}
	w.do(6, desk, Move{Before: visitID(2), Reason: "urgent"})
	w.queueIs(1, 6, 2, 3, 4, 5)
	if got := len(w.last.Visits); got != 2 {
		t.Errorf("%d visits changed, want the moved one and the first", got)
	}
	w.do(1, desk, Move{Before: visitID(5), Reason: "later"})
	w.queueIs(6, 2, 3, 4, 1, 5)
	if got := len(w.last.Visits); got != 2 {
		t.Errorf("%d visits changed, want the moved one and the last", got)
	}
}

// TestMove_OthersKeepTheirOrder moves at random in a queue full of equal and neighbouring ranks.
func TestMove_OthersKeepTheirOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		room := about
		room.Order = BySchedule
		w := newWorld(t, room)
		n := rapid.IntRange(2, 10).Draw(rt, "visits")
		for v := range n {
			in := newVisitOf(v)
			in.ScheduledAt = start.Add(time.Duration(rapid.IntRange(0, 3).Draw(rt, "ns")))
			w.do(v, server, Create{in})
			w.do(v, holder(seatID(v, 0)), CheckIn{})
		}
		for range rapid.IntRange(1, 20).Draw(rt, "moves") {
			want := order(w.room)
			moved := rapid.SampledFrom(want).Draw(rt, "moved")
			want = slices.DeleteFunc(want, func(id VisitID) bool { return id == moved })
			at := rapid.IntRange(0, len(want)).Draw(rt, "to")
			do := Move{Reason: "x"}
			if at < len(want) {
				do.Before = want[at]
			}
			out, err := w.room.Apply(Command{Actor: desk, Visit: moved, Do: do}, w.now)
			if err != nil {
				rt.Fatal(err)
			}
			w.room.Install(out.Visits...)
			if got := order(w.room); !slices.Equal(got, slices.Insert(want, at, moved)) {
				rt.Fatalf("%s before %q: %v", moved, do.Before, got)
			}
		}
	})
}

func order(r *Room) []VisitID {
	var ids []VisitID
	for _, v := range r.Queue() {
		ids = append(ids, v.ID)
	}
	return ids
}
