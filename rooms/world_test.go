package rooms

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"time"
)

// The tests share one room, some staff, and a clock that goes on a second
// with every command.

var (
	start     = time.Date(2026, 3, 4, 9, 0, 0, 0, time.UTC)
	about     = WaitingRoom{ID: RoomID(testID(1)), Clinic: ClinicID(testID(2)), Name: "Room"}
	elsewhere = WaitingRoom{ID: RoomID(testID(3)), Clinic: about.Clinic, Name: "Other room"}
	doctor    = Actor{Staff: StaffID(testID(11)), Name: "Dr Adams", Role: Clinician}
	another   = Actor{Staff: StaffID(testID(12)), Name: "Dr Brown", Role: Clinician}
	desk      = Actor{Staff: StaffID(testID(13)), Name: "Front Desk", Role: FrontDesk}
	server    = Actor{System: true}
)

// testID makes the n-th identifier; greater n sorts later.
func testID(n int) string {
	return NewID(start.Add(time.Duration(n)*time.Millisecond), bytes.NewReader(make([]byte, 10)))
}

func visitID(n int) VisitID { return VisitID(testID(1000 + n)) }

// seatID is the n-th seat of the v-th visit; 0 is the patient's.
func seatID(v, n int) SeatID { return SeatID(testID(10_000 + 100*v + n)) }

func holder(s SeatID) Actor { return Actor{Seat: s} }

func newVisitOf(n int) Visit {
	return Visit{
		ID: visitID(n), Room: about.ID, Clinic: about.Clinic,
		Seats: []Seat{{ID: seatID(n, 0), Role: Patient, Name: "Pat"}},
	}
}

// movingTo is a visit that another room is giving away, to go on under the same ID.
func movingTo(room RoomID, v Visit) Visit {
	v.Forward = &Forward{Room: room, Visit: v.ID, Reason: "dermatology"}
	v.ID, v.Room, v.Phase = VisitID(testID(5000)), elsewhere.ID, PhaseScheduled
	return v
}

func guest(v, n int, role Role) Invite {
	return Invite{Seat: Seat{ID: seatID(v, n), Role: role, Name: "Guest"}}
}

// world drives a room as its owner does.
type world struct {
	t    testing.TB
	room *Room
	now  time.Time
	last Outcome
}

func newWorld(t testing.TB, w WaitingRoom) *world {
	return &world{t: t, room: NewRoom(w, nil), now: start}
}

// try applies and installs.
func (w *world) try(v int, who Actor, do Action) error {
	w.now = w.now.Add(time.Second)
	out, err := w.room.Apply(Command{Actor: who, Visit: visitID(v), Do: do}, w.now)
	if err == nil {
		w.room.Install(out.Visits...)
		w.last = out
	}
	return err
}

func (w *world) do(v int, who Actor, do Action) {
	w.t.Helper()
	if err := w.try(v, who, do); err != nil {
		w.t.Fatalf("%s: %v", do.Name(), err)
	}
}

func (w *world) refused(v int, who Actor, do Action, want error) {
	w.t.Helper()
	if err := w.try(v, who, do); !errors.Is(err, want) {
		w.t.Fatalf("%s: %v, want %v", do.Name(), err, want)
	}
}

// create adds visits whose patients have not come.
func (w *world) create(visits ...int) {
	w.t.Helper()
	for _, v := range visits {
		in := newVisitOf(v)
		in.Room = w.room.About().ID
		w.do(v, server, Create{Visit: in})
	}
}

// wait adds visits whose patients wait.
func (w *world) wait(visits ...int) {
	w.t.Helper()
	for _, v := range visits {
		w.create(v)
		w.do(v, holder(seatID(v, 0)), CheckIn{})
	}
}

func (w *world) visit(v int) *Visit {
	w.t.Helper()
	got, ok := w.room.Visit(visitID(v))
	if !ok {
		w.t.Fatalf("no visit %d", v)
	}
	return got
}

func (w *world) state(v, seat int) SeatState {
	w.t.Helper()
	s, ok := w.visit(v).Seat(seatID(v, seat))
	if !ok {
		w.t.Fatalf("visit %d has no seat %d", v, seat)
	}
	return s.State
}

// staffState is empty where staff have no seat.
func (w *world) staffState(v int, who Actor) SeatState {
	if s, ok := w.visit(v).StaffSeat(who.Staff); ok {
		return s.State
	}
	return ""
}

func (w *world) is(v int, phase Phase, states ...SeatState) {
	w.t.Helper()
	if got := w.visit(v).Phase; got != phase {
		w.t.Errorf("visit %d is %s, want %s", v, got, phase)
	}
	for n, want := range states {
		if got := w.state(v, n); got != want {
			w.t.Errorf("seat %d of visit %d is %s, want %s", n, v, got, want)
		}
	}
}

func (w *world) queueIs(want ...int) {
	w.t.Helper()
	queue := w.room.Queue()
	same := len(queue) == len(want)
	for i := 0; same && i < len(want); i++ {
		same = queue[i].ID == visitID(want[i])
	}
	if !same {
		var got []string
		for _, v := range queue {
			got = append(got, string(v.ID))
		}
		w.t.Fatalf("queue %v, want visits %v", got, want)
	}
}

// frozen is a value's whole content, to see whether it is changed later.
func frozen(t interface{ Fatal(...any) }, v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
