package signaling

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/signaling/wire"
)

func TestQueue_EverybodyReadsTheirPlace(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var visits []*rooms.Visit
		for n := range 8 {
			visits = append(visits, lineVisit(n, rooms.Seat{Role: rooms.Patient, State: rooms.SeatChecking},
				rooms.Seat{Role: rooms.Interpreter, State: rooms.SeatChecking}))
		}
		l := newLineActor(t, nil, visits...)
		ahead := map[rooms.SeatID]int{}
		for _, v := range visits {
			l.join(identityOf(v, 0))
			l.join(identityOf(v, 1))
		}
		desk := rooms.Actor{Staff: "desk", Name: "Desk", Role: rooms.FrontDesk}
		for range rapid.IntRange(1, 30).Draw(rt, "steps") {
			v := rapid.SampledFrom(visits).Draw(rt, "visit")
			who := rooms.Actor{Seat: v.Seats[rapid.IntRange(0, 1).Draw(rt, "seat")].ID}
			switch rapid.IntRange(0, 3).Draw(rt, "action") {
			case 0:
				_ = l.do(who, v.ID, rooms.Leave{})
			case 1:
				before := rapid.SampledFrom(visits).Draw(rt, "before")
				_ = l.do(desk, v.ID, rooms.Move{Before: before.ID, Reason: "urgent"})
			default:
				_ = l.do(who, v.ID, rooms.Open{})
				_ = l.do(who, v.ID, rooms.CheckIn{})
			}
			if rapid.Bool().Draw(rt, "at once") {
				continue
			}
			l.settle()
			for _, s := range l.pages {
				for _, m := range took(s) {
					var view wire.View
					if m.T == wire.EventView && json.Unmarshal(m.D, &view) == nil && view.Queue != nil {
						ahead[s.who.Seat] = view.Queue.Ahead
					}
				}
			}
			n := 0
			for _, v := range l.a.room.Queue() {
				if p := v.Patient(); p.State == rooms.SeatWaiting {
					if got := ahead[p.ID]; got != n {
						rt.Fatalf("%s reads %d before them, and there are %d", p.ID, got, n)
					}
					n++
				}
			}
		}
	})
}

func TestQueue_ALongLineIsToldInParts(t *testing.T) {
	var visits []*rooms.Visit
	since := time.Now().Add(-time.Hour)
	for n := range 2*maxTold + 10 {
		v := lineVisit(n, rooms.Seat{Role: rooms.Patient, State: rooms.SeatWaiting, WaitingSince: since.Add(time.Duration(n) * time.Second)})
		v.Phase = rooms.PhaseWaiting
		visits = append(visits, v)
	}
	l := newLineActor(t, nil, visits...)
	for _, v := range visits {
		l.join(identityOf(v, 0))
	}
	l.settle()
	for _, s := range l.pages {
		took(s)
	}
	if err := l.do(rooms.Actor{Seat: visits[0].Seats[0].ID}, visits[0].ID, rooms.Leave{}); err != nil {
		t.Fatal(err)
	}
	l.now = l.now.Add(time.Second)
	l.a.settle(l.now)
	told := func() (n int) {
		for _, s := range l.pages[1:] {
			if len(took(s)) > 0 {
				n++
			}
		}
		return n
	}
	if n := told(); n != maxTold {
		t.Errorf("%d at once", n)
	}
	// More happens before all are told: nobody is forgotten, whoever is behind is told again.
	if err := l.do(rooms.Actor{Seat: visits[1].Seats[0].ID}, visits[1].ID, rooms.Leave{}); err != nil {
		t.Fatal(err)
	}
	l.settle()
	told()
	for i, v := range visits[2:] {
		var view wire.View
		if json.Unmarshal(encode(l.a.viewOf(l.a.atSeat[v.Seats[0].ID])), &view) != nil || view.Queue.Ahead != i {
			t.Fatalf("%s has %d before them, not %d", v.ID, view.Queue.Ahead, i)
		}
	}
}
