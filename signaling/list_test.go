package signaling

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/signaling/wire"
)

// listActor is an actor that has nothing but a room and its list.
func listActor() *actor {
	about := rooms.WaitingRoom{ID: "room", Clinic: "clinic"}
	return &actor{
		room: rooms.NewRoom(about, nil), durable: map[rooms.VisitID]*rooms.Visit{}, list: newList(1),
		atSeat: map[rooms.SeatID]*session{}, atDesk: map[rooms.StaffID]*session{},
	}
}

func (a *actor) setVisit(n, seats int, reason string) {
	v := &rooms.Visit{ID: rooms.VisitID(fmt.Sprint(n)), Room: "room", Reason: reason, Phase: rooms.PhaseScheduled}
	for s := range seats {
		v.Seats = append(v.Seats, rooms.Seat{ID: rooms.SeatID(fmt.Sprint(n, "/", s)), Role: rooms.Patient})
	}
	a.room.Install(v)
	a.durable[v.ID] = v
	a.list.touch(v.ID)
}

func TestList_EveryViewerEndsWithTheTruth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := listActor()
		type viewer struct {
			cursor uint64
			rows   map[string]wire.Row
		}
		viewers := []*viewer{{}, {}, {}}
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			for range rapid.IntRange(1, 3).Draw(t, "changes") {
				n := rapid.IntRange(0, 4).Draw(t, "visit")
				if rapid.IntRange(0, 3).Draw(t, "gone") == 0 {
					a.room.Remove(rooms.VisitID(fmt.Sprint(n)))
					a.list.touch(rooms.VisitID(fmt.Sprint(n)))
					continue
				}
				a.setVisit(n, rapid.IntRange(1, 3).Draw(t, "seats"), rapid.SampledFrom([]string{"x", "y"}).Draw(t, "reason"))
			}
			a.list.update(a)
			v := rapid.SampledFrom(viewers).Draw(t, "viewer")
			news := a.list.since(v.cursor).list()
			if news.Whole {
				v.rows = map[string]wire.Row{}
			}
			for _, r := range news.Rows {
				v.rows[r.Seat] = r
			}
			for _, key := range news.Removed {
				delete(v.rows, key)
			}
			v.cursor = news.Version
			truth := map[string]wire.Row{}
			for seat, r := range a.list.rows {
				truth[string(seat)] = r.row
			}
			if !maps.EqualFunc(v.rows, truth, func(x, y wire.Row) bool { return fmt.Sprint(x) == fmt.Sprint(y) }) {
				t.Fatalf("has %v, not %v", v.rows, truth)
			}
		}
	})
}

func TestList_OnlyWhatChangedIsSent(t *testing.T) {
	a := listActor()
	a.setVisit(1, 1, "x")
	a.setVisit(2, 1, "x")
	a.list.update(a)
	cursor := a.list.version
	a.setVisit(1, 1, "y")
	a.setVisit(2, 1, "x") // the same
	a.list.update(a)
	if news := a.list.since(cursor).list(); news.Whole || len(news.Rows) != 1 || news.Rows[0].Reason != "y" {
		t.Errorf("%+v", news)
	}
}

func TestList_TombstonesAreBounded(t *testing.T) {
	a := listActor()
	a.list.update(a)
	old := a.list.version
	for n := range maxTombstones + 10 {
		a.setVisit(n, 1, "x")
		a.list.update(a)
		a.room.Remove(rooms.VisitID(fmt.Sprint(n)))
		a.list.touch(rooms.VisitID(fmt.Sprint(n)))
		a.list.update(a)
	}
	if len(a.list.removed) != maxTombstones || !a.list.since(old).whole || a.list.since(a.list.floor).whole {
		t.Errorf("%d tombstones, floor %d", len(a.list.removed), a.list.floor)
	}
	if !a.list.since(a.list.version + 1).whole {
		t.Error("a cursor from the future is believed")
	}
}

func TestRow_AGuestWhoComesFirstStandsWhereTheQueueHasThem(t *testing.T) {
	a := listActor()
	since := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	v := &rooms.Visit{ID: "v", Room: "room", Phase: rooms.PhaseScheduled, Seats: []rooms.Seat{
		{ID: "p", Role: rooms.Patient, State: rooms.SeatExpected},
		{ID: "g", Role: rooms.Interpreter, State: rooms.SeatWaiting, WaitingSince: since},
	}}
	if got := a.rowOf(v, &v.Seats[1]).Rank; got != since.UnixMicro() {
		t.Errorf("rank %d", got)
	}
}
