package rooms

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// giveAway has visit 1 on its way to the other room, and answers it.
func giveAway(w *world) *Visit {
	w.t.Helper()
	w.do(1, desk, Transfer{To: elsewhere.ID, Reason: "dermatology"})
	return w.visit(1)
}

// receive has a room take a visit in.
func (w *world) receive(v *Visit) Outcome {
	w.t.Helper()
	out, err := w.room.Apply(Command{Actor: server, Visit: v.Forward.Visit, Do: Receive{Visit: *v}}, w.now)
	if err != nil {
		w.t.Fatal(err)
	}
	w.room.Install(out.Visits...)
	return out
}

func TestTransfer_WhatGoesAlong(t *testing.T) {
	from, to := newWorld(t, about), newWorld(t, elsewhere)
	from.wait(1)
	from.do(1, doctor, guest(1, 1, Caregiver))
	from.do(1, doctor, Admit{seatID(1, 0)})
	from.do(1, doctor, Say{Text: "one moment"})
	from.do(1, doctor, Return{seatID(1, 0)})
	from.do(1, server, Reissue{seatID(1, 1)})
	before := from.visit(1)
	moving := giveAway(from)
	got := to.receive(moving).Visit
	if got.ID != moving.Forward.Visit || got.ID == before.ID || got.Room != elsewhere.ID || got.Version != 1 || got.Transfers != 1 || got.Moving() {
		t.Errorf("there: %+v", got)
	}
	if frozen(t, got.Seats) != frozen(t, before.Seats) || frozen(t, got.Chat) != frozen(t, before.Chat) || got.Phase != PhaseWaiting ||
		!got.StartedAt.Equal(before.StartedAt) || !got.CreatedAt.Equal(before.CreatedAt) || got.MovedReason != "dermatology" {
		t.Errorf("%+v became %+v", before, got)
	}
	again := to.receive(moving)
	if !again.Repeated || again.Visit != got || len(again.Visits) > 0 {
		t.Errorf("received again: %+v", again)
	}
	from.do(1, server, Depart{got.ID})
	left := from.visit(1)
	if left.Phase != PhaseMoved || left.Moving() || *left.Forward != (Forward{Room: elsewhere.ID, Visit: got.ID}) {
		t.Errorf("left behind: %+v", left)
	}
	if text := frozen(t, left); strings.Contains(text, "Pat") || strings.Contains(text, "dermatology") || strings.Contains(text, "one moment") {
		t.Errorf("left behind: %s", text)
	}
	from.queueIs()
	from.refused(1, server, Depart{got.ID}, ErrOver)
	from.refused(1, holder(seatID(1, 0)), CheckIn{}, ErrOver)
}

func TestTransfer_WhileItIsOnItsWay_NothingElseIsDone(t *testing.T) {
	for name, action := range example {
		if name == ActCreate || name == ActReceive {
			continue
		}
		w := newWorld(t, about)
		w.wait(1, 2)
		to := giveAway(w).Forward.Visit
		for _, role := range append(Roles(), system) {
			if !policy[role][name] || role.Guest() {
				continue
			}
			who := map[Role]Actor{Patient: holder(seatID(1, 0)), Clinician: doctor, FrontDesk: desk, system: server}[role]
			do, want := action(seatID(1, 0)), ErrMoving
			if name == ActDepart {
				want = ErrBadValue // it goes elsewhere
			}
			if err := w.try(1, who, do); !errors.Is(err, want) {
				t.Errorf("%s by %s: %v", name, role, err)
			}
		}
		w.do(1, server, Depart{to})
	}
}

func TestTransfer_TheSameCommandAgain_IsAnsweredAndStartsNothing(t *testing.T) {
	w := newWorld(t, about)
	w.wait(1)
	cmd := Command{Actor: desk, Client: "page", ID: 7, Visit: visitID(1), Do: Transfer{To: elsewhere.ID}}
	out, err := w.room.Apply(cmd, w.now)
	if err != nil || !out.Visit.Moving() || out.Opens {
		t.Fatalf("%+v, %v", out, err)
	}
	w.room.Install(out.Visits...)
	for range 2 {
		again, err := w.room.Apply(cmd, w.now.Add(time.Hour))
		if err != nil || !again.Repeated || len(again.Visits) > 0 {
			t.Errorf("%+v, %v", again, err)
		}
		if w.visit(1).Moving() {
			w.do(1, server, Depart{w.visit(1).Forward.Visit})
		}
	}
}

func TestTransfer_WhoIsAdmitted_IsNotMoved(t *testing.T) {
	w := newWorld(t, about)
	w.wait(1)
	w.do(1, doctor, Admit{seatID(1, 0)})
	for range 2 {
		err := w.try(1, desk, Transfer{To: elsewhere.ID})
		if refused := (*Error)(nil); !errors.As(err, &refused) || !errors.Is(err, ErrAlreadyAdmitted) || refused.By != doctor.Name {
			t.Errorf("%v", err)
		}
		if w.state(1, 0) == SeatAdmitted {
			w.do(1, doctor, Hold{}) // the clinician is still in it
		}
	}
	w.do(1, doctor, Leave{})
	other := newWorld(t, elsewhere)
	there := other.receive(giveAway(w)).Visit
	if there.Phase != PhaseHeld || there.Patient().State != SeatHeld {
		t.Errorf("%+v", there)
	}
	out, err := other.room.Apply(Command{Actor: another, Visit: there.ID, Do: Resume{}}, other.now)
	if err != nil || out.Visit.Patient().State != SeatAdmitted {
		t.Errorf("resumed there: %+v, %v", out.Visit, err)
	}
}

func TestTransfer_WhatIsNoTransfer(t *testing.T) {
	w := newWorld(t, about)
	w.wait(1)
	w.refused(1, desk, Transfer{To: about.ID}, ErrBadValue)
	w.refused(1, desk, Transfer{To: "elsewhere"}, ErrBadValue)
	w.refused(1, desk, Transfer{To: elsewhere.ID, Reason: "two\nlines"}, ErrBadValue)
	often := *w.visit(1)
	often.Transfers = MaxTransfers
	w.room.Install(&often)
	w.refused(1, desk, Transfer{To: elsewhere.ID}, ErrFull)
	good := movingTo(about.ID, newVisitOf(2))
	for name, change := range map[string]func(v *Visit){
		"not on its way":       func(v *Visit) { v.Forward = nil },
		"to another room":      func(v *Visit) { v.Forward = &Forward{Room: elsewhere.ID, Visit: visitID(2)} },
		"as another visit":     func(v *Visit) { v.Forward = &Forward{Room: about.ID, Visit: visitID(3)} },
		"of another clinic":    func(v *Visit) { v.Clinic = "other" },
		"gone already":         func(v *Visit) { v.Phase = PhaseMoved },
		"ended":                func(v *Visit) { v.Phase = PhaseEnded },
		"with somebody let in": func(v *Visit) { v.Seats = []Seat{{ID: seatID(2, 0), Role: Patient, State: SeatAdmitted}} },
	} {
		v := good
		change(&v)
		if err := w.try(2, server, Receive{Visit: v}); !errors.Is(err, ErrBadValue) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.refused(2, desk, Receive{Visit: good}, ErrForbidden)
	w.do(2, server, Receive{Visit: good})
}

func TestTransfer_StandsWhereItWouldHadItWaitedThere(t *testing.T) {
	from, to := newWorld(t, about), newWorld(t, elsewhere)
	from.wait(1)
	first := from.now
	to.now = first.Add(-time.Minute)
	to.wait(2)
	to.now = first.Add(time.Minute)
	to.wait(3)
	got := to.receive(giveAway(from)).Visit
	if p := got.Patient(); !p.WaitingSince.Equal(first) {
		t.Errorf("waits since %v", p.WaitingSince)
	}
	to.wait(4)
	if want := []VisitID{visitID(2), got.ID, visitID(3), visitID(4)}; !slices.Equal(order(to.room), want) {
		t.Errorf("%v, want %v", order(to.room), want)
	}
	planned := elsewhere
	planned.Order = BySchedule
	to = newWorld(t, planned)
	for v, at := range map[int]time.Duration{2: time.Hour, 3: 3 * time.Hour} {
		in := newVisitOf(v)
		in.Room, in.ScheduledAt = elsewhere.ID, start.Add(at)
		to.do(v, server, Create{Visit: in})
		to.do(v, holder(seatID(v, 0)), CheckIn{})
	}
	v := *from.visit(1)
	v.ScheduledAt = start.Add(2 * time.Hour)
	got = to.receive(&v).Visit
	if want := []VisitID{visitID(2), got.ID, visitID(3)}; !slices.Equal(order(to.room), want) {
		t.Errorf("by schedule %v, want %v", order(to.room), want)
	}
}

// side is one room of a transfer: what its owner has in memory, and what is durable.
type side struct {
	room    *Room
	durable map[VisitID]*Visit
}

func (s *side) crash() {
	s.room = NewRoom(s.room.About(), slices.Collect(maps.Values(s.durable)))
}

// give applies a command; saved says that it became durable, so that its caller may hear of it.
func (s *side) give(cmd Command, now time.Time, saved bool) (Outcome, error) {
	out, err := s.room.Apply(cmd, now)
	if err == nil {
		s.room.Install(out.Visits...)
		if saved {
			for v := range s.room.Visits() { // the saver writes the newest of all
				s.durable[v.ID] = v
			}
		}
	}
	return out, err
}

// TestTransfer_ToAndFro_WithOwnersThatDieAnywhere moves one patient between two rooms whose owners lose what is not durable at any
// moment, while everybody tries everything. At any time one room alone may let the person in, and the first link leads there.
func TestTransfer_ToAndFro_WithOwnersThatDieAnywhere(t *testing.T) {
	seen := map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		sides := map[RoomID]*side{}
		for _, w := range []WaitingRoom{about, elsewhere} {
			sides[w.ID] = &side{NewRoom(w, nil), map[VisitID]*Visit{}}
		}
		now := start
		first := sides[about.ID]
		if _, err := first.give(Command{Actor: server, Visit: visitID(1), Do: Create{newVisitOf(1)}}, now, true); err != nil {
			rt.Fatal(err)
		}
		for range rapid.IntRange(20, 80).Draw(rt, "steps") {
			now = now.Add(time.Second)
			s := sides[rapid.SampledFrom([]RoomID{about.ID, elsewhere.ID}).Draw(rt, "room")]
			if rapid.IntRange(0, 5).Draw(rt, "crash") == 0 {
				s.crash()
				seen["crash"]++
			} else if len(s.room.visits) > 0 {
				ids := slices.Sorted(maps.Keys(s.room.visits))
				v := s.room.visits[rapid.SampledFrom(ids).Draw(rt, "visit")]
				act(rt, sides, s, v, now, seen)
			}
			onePlace(rt, sides, seen)
		}
	})
	t.Log(seen)
	for _, what := range []string{"crash", "transfer", "receive", "receive again", "depart", "admit", "back"} {
		if seen[what] == 0 {
			t.Errorf("never: %s", what)
		}
	}
}

// act does something to a visit, or what its owner does when it is on its way: never before what came before it is durable.
func act(rt *rapid.T, sides map[RoomID]*side, s *side, v *Visit, now time.Time, seen map[string]int) {
	saved := rapid.IntRange(0, 3).Draw(rt, "saved") > 0
	if d := s.durable[v.ID]; d != nil && d.Moving() && rapid.Bool().Draw(rt, "carry") {
		to := sides[d.Forward.Room]
		out, err := to.give(Command{Actor: server, Visit: d.Forward.Visit, Do: Receive{*d}}, now, saved)
		if err != nil {
			rt.Fatal(err)
		}
		seen["receive"]++
		if out.Repeated {
			seen["receive again"]++
		}
		if saved && rapid.Bool().Draw(rt, "heard") {
			if _, err := s.give(Command{Actor: server, Visit: v.ID, Do: Depart{d.Forward.Visit}}, now, rapid.Bool().Draw(rt, "departed")); err != nil && !errors.Is(err, ErrOver) {
				rt.Fatal(err)
			}
			seen["depart"]++
		}
		return
	}
	p := v.Patient()
	other := elsewhere.ID
	if v.Room == other {
		other = about.ID
	}
	do := map[string]Command{
		"transfer": {Actor: desk, Do: Transfer{To: other}},
		"come":     {Actor: holder(p.ID), Do: CheckIn{}},
		"admit":    {Actor: doctor, Do: Admit{p.ID}},
		"hold":     {Actor: doctor, Do: Hold{}},
		"return":   {Actor: doctor, Do: Return{p.ID}},
		"leave":    {Actor: doctor, Do: Leave{}},
	}
	name := rapid.SampledFrom(slices.Sorted(maps.Keys(do))).Draw(rt, "do")
	cmd := do[name]
	cmd.Visit = v.ID
	if out, err := s.give(cmd, now, saved); err == nil && len(out.Visits) > 0 {
		seen[name]++
	}
}

// onePlace follows the first link by what is durable. Where it ends is the seat, and no other record of it lets anybody in.
func onePlace(rt *rapid.T, sides map[RoomID]*side, seen map[string]int) {
	at := sides[about.ID].durable[visitID(1)]
	for n := 1; at.Forward != nil; n++ {
		next := sides[at.Forward.Room].durable[at.Forward.Visit]
		if next == nil && at.Moving() {
			break
		}
		if next == nil || n > MaxTransfers {
			rt.Fatalf("the link ends at %+v", at)
		}
		at = next
		if n == 2 {
			seen["back"]++
		}
	}
	if p := at.Patient(); p == nil || p.Name == "" {
		rt.Fatalf("the seat is lost: %+v", at)
	}
	for _, s := range sides {
		for id, d := range s.durable {
			for _, v := range []*Visit{d, s.room.visits[id]} {
				if id != at.ID && !v.Moving() && !v.Phase.Over() {
					rt.Fatalf("%s is open, and the link leads to %s", id, at.ID)
				}
			}
		}
	}
}
