package rooms

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// example is one action of each name, about a seat where it is about one.
var example = map[string]func(target SeatID) Action{
	ActCreate:   func(SeatID) Action { return Create{Visit: newVisitOf(1)} },
	ActOpen:     func(SeatID) Action { return Open{} },
	ActCheckIn:  func(SeatID) Action { return CheckIn{} },
	ActAdmit:    func(s SeatID) Action { return Admit{Seat: s} },
	ActJoin:     func(SeatID) Action { return Join{} },
	ActHold:     func(s SeatID) Action { return Hold{Seat: s} },
	ActResume:   func(s SeatID) Action { return Resume{Seat: s} },
	ActReturn:   func(s SeatID) Action { return Return{Seat: s} },
	ActRemove:   func(s SeatID) Action { return Remove{Seat: s} },
	ActHandOver: func(SeatID) Action { return HandOver{To: another.Staff, ToName: another.Name, Role: another.Role} },
	ActInvite:   func(SeatID) Action { return guest(1, 9, Caregiver) },
	ActLeave:    func(SeatID) Action { return Leave{} },
	ActLock:     func(SeatID) Action { return Lock{On: true} },
	ActEnd:      func(SeatID) Action { return End{Disposition: DispositionDone} },
	ActNoShow:   func(SeatID) Action { return NoShow{} },
	ActCancel:   func(SeatID) Action { return Cancel{Reason: "ill"} },
	ActMove:     func(SeatID) Action { return Move{Reason: "urgent", Before: visitID(2)} },
	ActTransfer: func(SeatID) Action { return Transfer{To: elsewhere.ID, Reason: "dermatology"} },
	ActReceive:  func(SeatID) Action { return Receive{Visit: movingTo(about.ID, newVisitOf(1))} },
	ActDepart:   func(SeatID) Action { return Depart{Visit: visitID(1)} },
	ActSay:      func(s SeatID) Action { return Say{Text: "hello", Thread: s} },
	ActReissue:  func(s SeatID) Action { return Reissue{Seat: s} },
	ActRevoke:   func(s SeatID) Action { return Revoke{Seat: s} },
	ActErase:    func(SeatID) Action { return Erase{} },
}

// effects says what each action does about a seat by link in each state, in the order of SeatStates:
// the state it then has, "=" for another change, "-" for none, "!code" for a refusal. The seat is the
// actor's own, or else the one that staff or the system do something about; "visit 2" of the queue is
// behind, and staff have no seat of their own.
var effects = map[string]string{
	//           expected       checking       waiting        admitted          held              left           removed
	ActCreate:   "-             -              -              -                 -                 -              -",
	ActOpen:     "checking      -              -              -                 -                 checking       !removed",
	ActCheckIn:  "waiting       waiting        -              -                 -                 waiting        !removed",
	ActLeave:    "left          left           left           left              left              -              !removed",
	ActSay:      "!not_admitted =              =              =                 =                 !not_admitted  !removed",
	ActAdmit:    "!not_waiting  !not_waiting   admitted       !already_admitted !already_admitted !not_waiting   !removed",
	ActHold:     "!not_admitted !not_admitted  !not_admitted  held              !not_admitted     !not_admitted  !removed",
	ActResume:   "!not_held     !not_held      !not_held      !not_held         admitted          !not_held      !removed",
	ActReturn:   "!not_admitted !not_admitted  !not_admitted  waiting           waiting           !not_admitted  !removed",
	ActRemove:   "removed       removed        removed        removed           removed           removed        !removed",
	ActReissue:  "=             =              =              =                 =                 =              !removed",
	ActRevoke:   "=             =              =              =                 =                 =              !removed",
	ActJoin:     "!not_admitted !not_admitted  !not_admitted  =                 =                 !not_admitted  !not_admitted",
	ActHandOver: "!not_admitted !not_admitted  !not_admitted  !not_admitted     !not_admitted     !not_admitted  !not_admitted",
	ActInvite:   "=             =              =              =                 =                 =              =",
	ActLock:     "=             =              =              =                 =                 =              =",
	ActEnd:      "left          left           left           left              left              =              =",
	ActNoShow:   "left          left           left           !already_admitted !already_admitted =              =",
	ActCancel:   "left          left           left           !already_admitted !already_admitted =              =",
	ActMove:     "!not_waiting  !not_waiting   =              !not_waiting      !not_waiting      !not_waiting   !not_waiting",
	ActTransfer: "=             =              =              !already_admitted !already_admitted =              =",
	ActReceive:  "-             -              -              -                 -                 -              -",
	ActDepart:   "!bad_value    !bad_value     !bad_value     !bad_value        !bad_value        !bad_value     !bad_value",
	ActErase:    "!forbidden    !forbidden     !forbidden     !forbidden        !forbidden        !forbidden     !forbidden",
}

// effectsByStaff are those that differ for staff: they may write to a seat before it is there, and
// cannot leave where they have no seat.
var effectsByStaff = map[string]string{
	ActSay:   "= = = = = = !removed",
	ActLeave: "!no_seat !no_seat !no_seat !no_seat !no_seat !no_seat !no_seat",
}

// TestActions_EveryRoleAndSeatState asks every action of every role in every state of the seat that
// it is about, and in visits that are over.
func TestActions_EveryRoleAndSeatState(t *testing.T) {
	actors := append(Roles(), system)
	if want := len(slices.Collect(maps.Keys(effects))); len(example) != want {
		t.Fatalf("%d examples, %d effects", len(example), want)
	}
	for name := range example {
		for _, role := range actors {
			for i, state := range SeatStates() {
				t.Run(fmt.Sprintf("%s/%s/%s", name, role, state), func(t *testing.T) {
					cell(t, name, role, i)
				})
			}
			for _, phase := range []Phase{PhaseEnded, PhaseCancelled, PhaseNoShow} {
				t.Run(fmt.Sprintf("%s/%s/%s", name, role, phase), func(t *testing.T) {
					cellOver(t, name, role, phase)
				})
			}
		}
	}
}

func cell(t *testing.T, name string, role Role, state int) {
	row := effects[name]
	if other, ok := effectsByStaff[name]; ok && role.Staff() {
		row = other
	}
	want := strings.Fields(row)[state]
	if !policy[role][name] {
		want = "!forbidden"
	}
	targets := []int{0, 1} // the patient, a guest
	if role.Valid() && !role.Staff() {
		targets = []int{1}
	}
	if role == Patient {
		targets = []int{0}
	}
	for _, target := range targets {
		w := inState(t, target, guestRole(role), SeatStates()[state])
		if got := effect(w, role, example[name], target); got != want {
			t.Errorf("seat %d: %s, want %s", target, got, want)
		}
	}
}

func cellOver(t *testing.T, name string, role Role, phase Phase) {
	want := "!visit_over"
	switch {
	case !policy[role][name]:
		want = "!forbidden"
	case name == ActCreate, name == ActReceive:
		want = "-"
	case name == ActErase:
		want = "="
	}
	target := 1
	if role == Patient {
		target = 0
	}
	w := inState(t, target, guestRole(role), SeatWaiting)
	w.do(1, desk, map[Phase]Action{
		PhaseEnded: End{Disposition: DispositionDone}, PhaseCancelled: Cancel{}, PhaseNoShow: NoShow{},
	}[phase])
	if got := effect(w, role, example[name], target); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// guestRole is the role of the guest in the visit that an actor of some role is tried on.
func guestRole(role Role) Role {
	if role.Guest() {
		return role
	}
	return Interpreter
}

// inState has visit 1 with a patient, a guest and, where needed, another member of staff, one of the
// first two in a state and the other expected; and visit 2, whose patient waits.
func inState(t *testing.T, target int, role Role, state SeatState) *world {
	w := newWorld(t, about)
	w.create(1)
	w.wait(2)
	w.do(1, server, guest(1, 1, role))
	seat := seatID(1, target)
	steps := map[SeatState][]func(){
		SeatChecking: {func() { w.do(1, holder(seat), Open{}) }},
		SeatWaiting:  {func() { w.do(1, holder(seat), CheckIn{}) }},
		SeatLeft:     {func() { w.do(1, holder(seat), Leave{}) }},
		SeatRemoved:  {func() { w.do(1, desk, Remove{Seat: seat}) }},
	}
	admit := func() { w.do(1, another, Admit{Seat: seat}) }
	steps[SeatAdmitted] = append(steps[SeatWaiting], admit)
	steps[SeatHeld] = append(steps[SeatAdmitted], func() { w.do(1, another, Hold{Seat: seat}) })
	for _, step := range steps[state] {
		step()
	}
	if w.state(1, target) != state {
		t.Fatalf("the seat is %s", w.state(1, target))
	}
	return w
}

// effect applies an action in a role and says what it did, in the words of effects. It looks after
// what holds for every action too.
func effect(w *world, role Role, action func(SeatID) Action, target int) string {
	actor := holder(seatID(1, target))
	if role.Staff() {
		actor = Actor{Staff: doctor.Staff, Name: doctor.Name, Role: role}
	} else if role == system {
		actor = server
	}
	before := snapshotOf(w, 1)
	out, err := w.room.Apply(Command{
		Actor: actor, Visit: visitID(1), Do: action(seatID(1, target)), Client: "page", ID: 1,
	}, w.now.Add(time.Second))
	if frozen(w.t, w.visit(1)) != before.content {
		w.t.Error("Apply changed the visit it was given")
	}
	if refusal := (*Error)(nil); errors.As(err, &refusal) {
		return "!" + string(refusal.Code)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	if len(out.Visits) == 0 {
		return "-"
	}
	if out.Visit.Version != before.version+1 {
		w.t.Errorf("version %d after %d", out.Visit.Version, before.version)
	}
	s, _ := out.Visit.Seat(seatID(1, target))
	if s.State == w.state(1, target) {
		return "="
	}
	return string(s.State)
}

type snapshot struct {
	version uint64
	content string
}

func snapshotOf(w *world, v int) snapshot {
	return snapshot{version: w.visit(v).Version, content: frozen(w.t, w.visit(v))}
}

// TestActions_OfStaffWithASeat tries what staff do with their own seat in each state that it can be in.
func TestActions_OfStaffWithASeat(t *testing.T) {
	steps := map[SeatState]func(*world){
		SeatExpected: func(w *world) {
			w.do(1, another, HandOver{To: doctor.Staff, ToName: doctor.Name, Role: doctor.Role})
		},
		SeatAdmitted: func(w *world) { w.do(1, doctor, Join{}) },
		SeatHeld: func(w *world) {
			w.do(1, doctor, Join{})
			w.do(1, doctor, Hold{})
			w.wait(3)
			w.do(3, doctor, Admit{seatID(3, 0)})
			w.do(3, doctor, Hold{})
		},
		SeatLeft: func(w *world) { w.do(1, doctor, Join{}); w.do(1, doctor, Leave{}) },
	}
	give := HandOver{To: desk.Staff, ToName: desk.Name, Role: desk.Role}
	for state, want := range map[SeatState]struct {
		join, leave, resume SeatState
		give                error
	}{
		SeatExpected: {SeatAdmitted, SeatLeft, SeatAdmitted, ErrNotAdmitted},
		SeatAdmitted: {SeatAdmitted, SeatLeft, SeatAdmitted, nil},
		SeatHeld:     {SeatAdmitted, SeatLeft, SeatAdmitted, ErrNotAdmitted},
		SeatLeft:     {SeatAdmitted, SeatLeft, SeatAdmitted, ErrNotAdmitted},
	} {
		begin := func(t *testing.T) *world {
			w := newWorld(t, about)
			w.wait(1)
			w.do(1, another, Admit{seatID(1, 0)})
			steps[state](w)
			if got := w.staffState(1, doctor); got != state {
				t.Fatalf("the seat is %s", got)
			}
			return w
		}
		t.Run(string(state), func(t *testing.T) {
			for do, then := range map[Action]SeatState{Join{}: want.join, Leave{}: want.leave} {
				w := begin(t)
				w.do(1, doctor, do)
				if got := w.staffState(1, doctor); got != then {
					t.Errorf("%s: %s, want %s", do.Name(), got, then)
				}
			}
			w := begin(t)
			if w.state(1, 0) == SeatAdmitted {
				w.do(1, another, Hold{})
			}
			w.do(1, doctor, Resume{})
			if got := w.staffState(1, doctor); got != want.resume {
				t.Errorf("resume: %s, want %s", got, want.resume)
			}
			w = begin(t)
			if err := w.try(1, doctor, give); !errors.Is(err, want.give) {
				t.Errorf("hand_over: %v, want %v", err, want.give)
			}
		})
	}
}

func TestMay_UnknownRolesMayNothing(t *testing.T) {
	for name := range example {
		for _, role := range []Role{"", "system", "doctor"} {
			if May(role, name) {
				t.Errorf("%q may %s", role, name)
			}
		}
	}
	for _, role := range Roles() {
		if May(role, "fly") || May(role, "") {
			t.Errorf("%s may do what is not an action", role)
		}
	}
}

func TestApply_WhoIsNotWhoTheySay(t *testing.T) {
	w := newWorld(t, about)
	w.wait(1, 2)
	w.do(1, doctor, Admit{Seat: seatID(1, 0)})
	staffSeat, _ := w.visit(1).StaffSeat(doctor.Staff)
	for name, c := range map[string]struct {
		actor Actor
		want  error
	}{
		"a patient who claims to be a clinician":  {Actor{Seat: seatID(1, 0), Role: Clinician}, ErrForbidden},
		"staff of a role that is no staff's":      {Actor{Staff: "x", Role: Specialist}, ErrForbidden},
		"a seat of staff without a staff sign-in": {holder(staffSeat.ID), ErrForbidden},
		"a seat of another visit":                 {holder(seatID(2, 0)), ErrNoSeat},
		"nobody":                                  {Actor{}, ErrNoSeat},
	} {
		if err := w.try(1, c.actor, Hold{}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.refused(3, doctor, Hold{}, ErrNoVisit)
}

func TestApply_SeatsOfStaffAreTheirOwnBusiness(t *testing.T) {
	w := newWorld(t, about)
	w.wait(1)
	w.do(1, doctor, Admit{Seat: seatID(1, 0)})
	own, _ := w.visit(1).StaffSeat(doctor.Staff)
	for _, do := range []Action{
		Admit{own.ID}, Hold{own.ID}, Resume{own.ID}, Return{own.ID}, Remove{own.ID}, Say{Text: "x", Thread: own.ID},
	} {
		w.refused(1, another, do, ErrForbidden)
	}
	w.refused(1, server, Reissue{own.ID}, ErrForbidden)
	w.refused(1, another, Admit{"none"}, ErrNoSeat)
}
