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
	case name == ActCreate:
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

func TestOpen_ARevokedLinkIsRefusedUntilReissued(t *testing.T) {
	w := newWorld(t, about)
	w.create(1)
	w.do(1, server, Revoke{seatID(1, 0)})
	w.refused(1, holder(seatID(1, 0)), Open{}, ErrForbidden)
	w.do(1, server, Reissue{seatID(1, 0)})
	w.do(1, holder(seatID(1, 0)), Open{})
	if s := w.visit(1).Patient(); s.LinkGen != 2 || s.LinkRevoked {
		t.Errorf("%+v", s)
	}
}

func TestCheckIn_Times(t *testing.T) {
	w := newWorld(t, about)
	w.create(1)
	p := holder(seatID(1, 0))
	w.do(1, p, Open{})
	arrived := w.now
	w.do(1, p, CheckIn{})
	waiting := w.now
	w.do(1, doctor, Admit{seatID(1, 0)})
	admitted := w.now
	w.do(1, doctor, Return{seatID(1, 0)})
	s := w.visit(1).Patient()
	if !s.ArrivedAt.Equal(arrived) || !s.WaitingSince.Equal(waiting) || !s.AdmittedAt.Equal(admitted) {
		t.Errorf("%+v", s)
	}
	w.do(1, p, Leave{})
	w.do(1, p, Open{})
	w.do(1, p, CheckIn{})
	if s := w.visit(1).Patient(); !s.ArrivedAt.Equal(arrived) || !s.WaitingSince.Equal(w.now) {
		t.Errorf("after leaving: %+v", s)
	}
}

func TestCheckIn_AGuestBeforeThePatient(t *testing.T) {
	w := newWorld(t, about)
	w.create(1)
	w.do(1, doctor, guest(1, 1, Specialist))
	w.do(1, holder(seatID(1, 1)), CheckIn{})
	w.is(1, PhaseScheduled, SeatExpected, SeatWaiting)
	w.queueIs(1)
	w.do(1, doctor, Admit{seatID(1, 1)}) // the pre-brief
	w.is(1, PhaseActive, SeatExpected, SeatAdmitted)
	w.queueIs()
	w.do(1, holder(seatID(1, 0)), CheckIn{})
	w.is(1, PhaseActive, SeatWaiting, SeatAdmitted)
	w.queueIs(1)
	w.do(1, doctor, Leave{})
	w.is(1, PhaseWaiting, SeatWaiting, SeatHeld)
}

func TestAdmit_FiftyClinicians_OneWins(t *testing.T) {
	w := newWorld(t, about)
	w.wait(1)
	for n := range 50 {
		a := Actor{Staff: StaffID(testID(100 + n)), Name: fmt.Sprintf("Dr %d", n), Role: Clinician}
		err := w.try(1, a, Admit{seatID(1, 0)})
		if n == 0 {
			if err != nil || !w.last.Opens || w.last.Seat != seatID(1, 0) {
				t.Fatalf("%v %+v", err, w.last)
			}
			continue
		}
		if e := (*Error)(nil); !errors.As(err, &e) || !errors.Is(e, ErrAlreadyAdmitted) || e.By != "Dr 0" {
			t.Fatalf("%d: %v", n, err)
		}
	}
	w.is(1, PhaseActive, SeatAdmitted)
	if v := w.visit(1); len(v.Seats) != 2 || v.StartedAt.IsZero() || v.Seats[0].AdmittedBy != v.Seats[1].Staff {
		t.Errorf("%+v", v)
	}
}

func TestAdmit_StaffInAnotherVisit(t *testing.T) {
	w := newWorld(t, about)
	w.wait(1, 2)
	w.do(1, doctor, guest(1, 1, Specialist))
	w.do(1, holder(seatID(1, 1)), CheckIn{})
	w.do(1, doctor, Admit{seatID(1, 0)})
	w.do(1, doctor, Admit{seatID(1, 1)})
	w.refused(2, doctor, Admit{seatID(2, 0)}, ErrInOtherVisit)

	w.do(1, doctor, Hold{seatID(1, 0)})
	w.do(2, doctor, Admit{seatID(2, 0)})
	if len(w.last.Visits) != 2 || w.last.Visit.ID != visitID(2) {
		t.Errorf("%+v", w.last)
	}
	w.is(1, PhaseHeld, SeatHeld, SeatHeld) // the specialist is not left alone
	if got := w.staffState(1, doctor); got != SeatHeld {
		t.Errorf("the doctor has not stepped away: %s", got)
	}
	w.refused(1, doctor, Resume{}, ErrInOtherVisit)
	w.refused(1, doctor, Join{}, ErrInOtherVisit)
	w.do(2, doctor, Hold{})
	w.do(1, doctor, Resume{})
	w.is(1, PhaseActive, SeatAdmitted, SeatAdmitted)
	w.is(2, PhaseHeld, SeatHeld)
	if w.staffState(1, doctor) != SeatAdmitted || w.staffState(2, doctor) != SeatHeld {
		t.Error("the doctor is not back")
	}
	w.do(1, doctor, End{DispositionDone})
	w.do(2, doctor, Resume{seatID(2, 0)})
}

func TestJoin_AColleagueComesToAVisitUnderWay(t *testing.T) {
	w := newWorld(t, about)
	w.wait(1)
	w.refused(1, another, Join{}, ErrNotAdmitted)
	w.do(1, doctor, Admit{seatID(1, 0)})
	w.do(1, another, Join{})
	if !w.last.Opens || len(Routes(w.visit(1))) != 6 {
		t.Errorf("%+v", w.last)
	}
	w.do(1, another, Join{})
	if len(w.last.Visits) != 0 {
		t.Error("joined twice")
	}
	w.do(1, doctor, Leave{})
	w.is(1, PhaseActive, SeatAdmitted)
	w.do(1, another, Leave{})
	w.is(1, PhaseHeld, SeatHeld)
	w.refused(1, desk, Leave{}, ErrNoSeat)
}

func TestHold_EverybodyAndOne(t *testing.T) {
	w := newWorld(t, about)
	w.wait(1)
	w.do(1, doctor, guest(1, 1, Specialist))
	w.do(1, holder(seatID(1, 1)), CheckIn{})
	w.do(1, doctor, Admit{seatID(1, 0)})
	w.do(1, doctor, Admit{seatID(1, 1)})
	w.do(1, doctor, Hold{seatID(1, 0)})
	w.is(1, PhaseHeld, SeatHeld, SeatAdmitted)
	if len(Routes(w.visit(1))) != 2 {
		t.Error("the debrief does not go on")
	}
	w.do(1, doctor, Hold{})
	w.is(1, PhaseHeld, SeatHeld, SeatHeld)
	w.refused(1, doctor, Hold{}, ErrNotAdmitted)
	w.do(1, doctor, Resume{})
	w.is(1, PhaseActive, SeatAdmitted, SeatAdmitted)
	w.refused(1, doctor, Resume{}, ErrNotHeld)
	w.do(1, doctor, Hold{seatID(1, 1)})
	w.is(1, PhaseActive, SeatAdmitted, SeatHeld)
	w.do(1, server, Hold{})
	w.is(1, PhaseHeld, SeatHeld, SeatHeld)
}

func TestReturn_KeepsThePlaceAndFreesTheStaff(t *testing.T) {
	w := newWorld(t, about)
	w.wait(1, 2)
	w.do(1, doctor, Admit{seatID(1, 0)})
	w.queueIs(2)
	w.do(1, doctor, Return{seatID(1, 0)})
	w.queueIs(1, 2)
	w.is(1, PhaseWaiting, SeatWaiting)
	if got := w.staffState(1, doctor); got != SeatLeft {
		t.Errorf("the doctor is %s", got)
	}
	w.do(2, doctor, Admit{seatID(2, 0)})
}

func TestReturn_StaffStayWithAGuest(t *testing.T) {
	w := newWorld(t, about)
	w.wait(1)
	w.do(1, doctor, guest(1, 1, Specialist))
	w.do(1, holder(seatID(1, 1)), CheckIn{})
	w.do(1, doctor, Admit{seatID(1, 1)})
	w.do(1, doctor, Admit{seatID(1, 0)})
	w.do(1, doctor, Return{seatID(1, 0)})
	w.is(1, PhaseActive, SeatWaiting, SeatAdmitted)
	if got := w.staffState(1, doctor); got != SeatAdmitted {
		t.Errorf("the doctor is %s", got)
	}
}

func TestReturn_StaffStayWithAPatientOnHold(t *testing.T) {
	w := newWorld(t, about)
	w.wait(1)
	w.do(1, doctor, guest(1, 1, Specialist))
	w.do(1, holder(seatID(1, 1)), CheckIn{})
	w.do(1, doctor, Admit{seatID(1, 0)})
	w.do(1, doctor, Admit{seatID(1, 1)})
	w.do(1, doctor, Hold{seatID(1, 0)})
	w.do(1, doctor, Return{seatID(1, 1)})
	w.is(1, PhaseHeld, SeatHeld, SeatWaiting)
	if got := w.staffState(1, doctor); got != SeatAdmitted {
		t.Errorf("the doctor is %s", got)
	}
}

func TestRemove_IsForGood(t *testing.T) {
	w := newWorld(t, about)
	w.wait(1)
	w.do(1, doctor, Admit{seatID(1, 0)})
	w.do(1, doctor, Remove{seatID(1, 0)})
	if s := w.visit(1).Patient(); s.LinkGen != 1 || len(Routes(w.visit(1))) != 0 {
		t.Errorf("%+v", s)
	}
	for _, do := range []Action{Open{}, CheckIn{}, Leave{}, Say{Text: "x"}} {
		w.refused(1, holder(seatID(1, 0)), do, ErrRemoved)
	}
	w.refused(1, doctor, Admit{seatID(1, 0)}, ErrRemoved)
	w.do(1, doctor, End{DispositionWrongPerson})
	w.is(1, PhaseEnded, SeatRemoved)
}

func TestHandOver(t *testing.T) {
	w := newWorld(t, about)
	w.create(1)
	give := HandOver{To: another.Staff, ToName: another.Name, Role: another.Role}
	w.do(1, holder(seatID(1, 0)), CheckIn{})
	w.do(1, desk, Admit{seatID(1, 0)}) // rooming
	w.refused(1, doctor, give, ErrNotAdmitted)
	for _, bad := range []HandOver{
		{}, {To: desk.Staff, ToName: "x", Role: FrontDesk}, {To: another.Staff, Role: Clinician}, {To: another.Staff, ToName: "x", Role: Specialist},
	} {
		w.refused(1, desk, bad, ErrBadValue)
	}
	w.do(1, desk, give)
	if w.last.Opens {
		t.Error("opens")
	}
	w.is(1, PhaseHeld, SeatHeld)
	if w.staffState(1, desk) != SeatLeft || w.staffState(1, another) != SeatExpected {
		t.Error(w.staffState(1, desk), w.staffState(1, another))
	}
	if v := w.visit(1); !slices.Equal(v.Expected, []StaffID{another.Staff}) {
		t.Errorf("expected are %v", v.Expected)
	}
	w.do(1, another, Join{})
	w.is(1, PhaseHeld, SeatHeld)
	w.do(1, another, Resume{})
	w.is(1, PhaseActive, SeatAdmitted)

	w.do(1, doctor, Join{})
	w.do(1, another, HandOver{To: desk.Staff, ToName: desk.Name, Role: desk.Role})
	w.is(1, PhaseHeld, SeatHeld) // whoever else is there
}

func TestInvite(t *testing.T) {
	w := newWorld(t, about)
	w.create(1)
	for name, bad := range map[string]Seat{
		"a patient":       {ID: seatID(1, 1), Role: Patient, Name: "x"},
		"a clinician":     {ID: seatID(1, 1), Role: Clinician},
		"an unknown role": {ID: seatID(1, 1), Role: "friend"},
		"no id":           {Role: Observer},
		"a taken id":      {ID: seatID(1, 0), Role: Observer},
		"a long name":     {ID: seatID(1, 1), Role: Observer, Name: strings.Repeat("é", MaxName+1)},
		"a birth date":    {ID: seatID(1, 1), Role: Observer, BirthDate: "1970-01-01"},
		"no language":     {ID: seatID(1, 1), Role: Observer, Language: "x_y"},
	} {
		if err := w.try(1, doctor, Invite{bad}); !errors.Is(err, ErrBadValue) {
			t.Errorf("%s: %v", name, err)
		}
	}
	crafted := Seat{
		ID: seatID(1, 1), Role: Interpreter, Name: "Ivy", Language: "pt-BR", State: SeatAdmitted, Staff: "x",
		LinkGen: 9, AdmittedBy: "x", AdmittedAt: w.now,
	}
	w.do(1, doctor, Invite{crafted})
	if s, _ := w.visit(1).Seat(seatID(1, 1)); *s != (Seat{
		ID: seatID(1, 1), Role: Interpreter, Name: "Ivy", Language: "pt-BR", State: SeatExpected, CreatedAt: w.now,
	}) {
		t.Errorf("%+v", s)
	}
	if w.last.Seat != seatID(1, 1) || w.last.Opens {
		t.Errorf("%+v", w.last)
	}
	for n := 2; n < MaxSeats; n++ {
		w.do(1, doctor, guest(1, n, Observer))
	}
	w.refused(1, doctor, guest(1, MaxSeats, Observer), ErrFull)
}

func TestLock_NobodyBypassesItByAnInvitation(t *testing.T) {
	w := newWorld(t, about)
	w.wait(1)
	w.do(1, doctor, Lock{On: true})
	w.refused(1, doctor, guest(1, 1, Observer), ErrLocked)
	w.refused(1, server, guest(1, 1, Observer), ErrLocked)
	w.do(1, doctor, Admit{seatID(1, 0)})
	w.do(1, doctor, Lock{On: true})
	if len(w.last.Visits) != 0 {
		t.Error("locked twice")
	}
	w.do(1, doctor, Lock{})
	w.do(1, doctor, guest(1, 1, Observer))
}

func TestStaffSeats_AreBounded(t *testing.T) {
	w := newWorld(t, about)
	w.wait(1)
	w.do(1, doctor, Admit{seatID(1, 0)})
	for n := range MaxStaff - 1 {
		w.do(1, Actor{Staff: StaffID(testID(200 + n)), Name: "x", Role: Clinician}, Join{})
	}
	w.refused(1, another, Join{}, ErrFull)
	w.do(1, doctor, Leave{})
	renamed := doctor
	renamed.Name = "Dr Clark"
	w.do(1, renamed, Join{}) // who has a seat comes back to it
	if s, _ := w.visit(1).StaffSeat(doctor.Staff); s.Name != renamed.Name {
		t.Errorf("%+v", s)
	}
}

func TestEnd_ClosesEverything(t *testing.T) {
	w := newWorld(t, about)
	w.wait(1)
	w.do(1, doctor, guest(1, 1, Observer))
	w.do(1, doctor, Admit{seatID(1, 0)})
	w.do(1, holder(seatID(1, 0)), Leave{})
	left := w.now
	w.refused(1, doctor, End{}, ErrBadValue)
	w.refused(1, doctor, End{"fine"}, ErrBadValue)
	w.do(1, doctor, End{DispositionFollowUp})
	w.is(1, PhaseEnded, SeatLeft, SeatLeft)
	if v := w.visit(1); v.Disposition != DispositionFollowUp || !v.EndedAt.Equal(w.now) || Routes(v) != nil {
		t.Errorf("%+v", v)
	}
	if s := w.visit(1).Patient(); !s.LeftAt.Equal(left) {
		t.Error("who had left before leaves again")
	}
	w.wait(2)
	w.do(2, doctor, Admit{seatID(2, 0)}) // the doctor is free again
}

func TestCancelAndNoShow_OfAVisitUnderWayNameWhoHasIt(t *testing.T) {
	w := newWorld(t, about)
	w.wait(1)
	w.refused(1, doctor, Cancel{Reason: "two\nlines"}, ErrBadValue)
	w.do(1, doctor, Admit{seatID(1, 0)})
	for _, do := range []Action{NoShow{}, Cancel{}} {
		if e := (*Error)(nil); !errors.As(w.try(1, desk, do), &e) || e.By != doctor.Name {
			t.Errorf("%s: %v", do.Name(), e)
		}
	}
}

func TestSay(t *testing.T) {
	w := newWorld(t, about)
	w.wait(1)
	p := holder(seatID(1, 0))
	w.refused(1, p, Say{Text: "to all"}, ErrNotAdmitted)
	w.do(1, p, Say{Text: "to staff", Thread: seatID(1, 0)})
	w.do(1, doctor, Say{Text: "to the patient", Thread: seatID(1, 0)})
	w.do(1, doctor, guest(1, 1, Caregiver))
	w.refused(1, p, Say{Text: "to the guest", Thread: seatID(1, 1)}, ErrForbidden)
	w.do(1, doctor, Admit{seatID(1, 0)})
	w.do(1, p, Say{Text: "to all"})
	for _, bad := range []string{"", " \n", "a\x00b", "a\xffb", strings.Repeat("é", MaxText+1), strings.Repeat("a", 1<<20)} {
		w.refused(1, p, Say{Text: bad}, ErrBadValue)
	}
	w.do(1, p, Say{Text: strings.Repeat("日", MaxText)})
	chat := w.visit(1).Chat
	for i, m := range chat {
		if m.N != i+1 {
			t.Errorf("message %d has number %d", i, m.N)
		}
	}
	if first := chat[0]; first.From != seatID(1, 0) || first.Name != "Pat" || first.Thread != seatID(1, 0) || first.Role != Patient {
		t.Errorf("%+v", first)
	}
	if second := chat[1]; second.FromStaff != doctor.Staff || second.Name != doctor.Name {
		t.Errorf("%+v", second)
	}
	for w.visit(1).LastMessage < MaxMessages {
		w.do(1, doctor, Say{Text: "more"})
	}
	w.refused(1, doctor, Say{Text: "too much"}, ErrFull)
}

func TestErase_LeavesNothingPersonal(t *testing.T) {
	w := newWorld(t, about)
	in := newVisitOf(1)
	const marker = "MARKER"
	in.External, in.Reason = marker, marker
	in.Seats[0].Name, in.Seats[0].BirthDate, in.Seats[0].Language = marker, "1971-12-13", "xx-MARKER"
	in.Seats[0].Interpreter = true
	w.do(1, server, Create{in})
	w.do(1, holder(seatID(1, 0)), CheckIn{})
	w.wait(2)
	w.do(1, doctor, Move{Reason: marker})
	who := Actor{Staff: doctor.Staff, Name: marker, Role: Clinician}
	w.do(1, who, guest(1, 1, Caregiver))
	w.do(1, who, Say{Text: marker, Thread: seatID(1, 0)})
	w.do(1, who, Cancel{Reason: marker})
	w.refused(2, server, Erase{}, ErrForbidden)
	w.do(1, server, Erase{})
	v := w.visit(1)
	content := frozen(t, v)
	for _, personal := range []string{marker, "1971", "Interpreter\":true", doctor.Name} {
		if strings.Contains(content, personal) {
			t.Errorf("%s is in %s", personal, content)
		}
	}
	if !v.ErasedAt.Equal(w.now) || v.Phase != PhaseCancelled || v.EndedAt.IsZero() || v.Patient().WaitingSince.IsZero() {
		t.Errorf("%+v", v)
	}
	w.do(1, server, Erase{})
	if len(w.last.Visits) != 0 {
		t.Error("erased twice")
	}
	w.room.Remove(visitID(1))
	w.refused(1, server, Erase{}, ErrNoVisit)
}

func TestCreate(t *testing.T) {
	w := newWorld(t, about)
	for name, change := range map[string]func(*Visit){
		"another room":            func(v *Visit) { v.Room = "x" },
		"another clinic":          func(v *Visit) { v.Clinic = "x" },
		"another id":              func(v *Visit) { v.ID = visitID(2) },
		"no patient":              func(v *Visit) { v.Seats[0].Role = Observer },
		"two patients":            func(v *Visit) { v.Seats = append(v.Seats, Seat{ID: seatID(1, 1), Role: Patient, Name: "x"}) },
		"a patient without name":  func(v *Visit) { v.Seats[0].Name = "" },
		"staff":                   func(v *Visit) { v.Seats = append(v.Seats, Seat{ID: seatID(1, 1), Role: Clinician}) },
		"a seat's id twice":       func(v *Visit) { v.Seats = append(v.Seats, Seat{ID: seatID(1, 0), Role: Observer}) },
		"a seat's id of no form":  func(v *Visit) { v.Seats[0].ID = "seat" },
		"an impossible birthday":  func(v *Visit) { v.Seats[0].BirthDate = "1970-02-30" },
		"a birthday to come":      func(v *Visit) { v.Seats[0].BirthDate = "2026-03-06" },
		"a birthday too long ago": func(v *Visit) { v.Seats[0].BirthDate = "1800-01-01" },
		"a language of no form":   func(v *Visit) { v.Seats[0].Language = "1en" },
		"a negative length":       func(v *Visit) { v.Length = -1 },
		"a length of days":        func(v *Visit) { v.Length = MaxLength + 1 },
		"a schedule long ago":     func(v *Visit) { v.ScheduledAt = time.Unix(0, 0) },
		"a reason too long":       func(v *Visit) { v.Reason = strings.Repeat("x", MaxLine+1) },
		"an external of lines":    func(v *Visit) { v.External = "a\nb" },
	} {
		in := newVisitOf(1)
		change(&in)
		if err := w.try(1, server, Create{in}); !errors.Is(err, ErrBadValue) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, change := range map[string]func(*Visit){
		"too many seats":    func(v *Visit) { v.Seats = make([]Seat, MaxSeats+1) },
		"too many expected": func(v *Visit) { v.Expected = make([]StaffID, MaxStaff+1) },
	} {
		in := newVisitOf(1)
		change(&in)
		if err := w.try(1, server, Create{in}); !errors.Is(err, ErrFull) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.refused(1, doctor, Create{newVisitOf(1)}, ErrForbidden)

	in := newVisitOf(1)
	in.Phase, in.Version, in.Locked, in.Rank, in.StartedAt = PhaseActive, 9, true, 5, w.now
	w.do(1, server, Create{in})
	if v := w.visit(1); v.Phase != PhaseScheduled || v.Version != 1 || v.Locked || v.Rank != 0 || !v.StartedAt.IsZero() {
		t.Errorf("%+v", v)
	}
	again := newVisitOf(1)
	again.Reason = "another"
	w.do(1, server, Create{again})
	if !w.last.Repeated || w.last.Visit != w.visit(1) || w.visit(1).Reason != "" {
		t.Errorf("%+v", w.last)
	}
}

func TestApply_ARepeatedCommandIsAnsweredAndNotApplied(t *testing.T) {
	w := newWorld(t, about)
	w.create(1)
	apply := func(client string, id uint64, do Action) (Outcome, error) {
		out, err := w.room.Apply(Command{Actor: doctor, Client: client, ID: id, Visit: visitID(1), Do: do}, w.now)
		w.room.Install(out.Visits...)
		return out, err
	}
	if _, err := apply("a", 5, guest(1, 1, Observer)); err != nil {
		t.Fatal(err)
	}
	if out, err := apply("a", 7, Say{Text: "x", Thread: seatID(1, 0)}); err != nil || out.Message != 1 {
		t.Fatal(out, err)
	}
	for id, want := range map[uint64]Outcome{5: {Seat: seatID(1, 1)}, 7: {Seat: seatID(1, 0), Message: 1}} {
		out, err := apply("a", id, End{DispositionDone})
		if err != nil || !out.Repeated || len(out.Visits) != 0 || out.Seat != want.Seat || out.Message != want.Message {
			t.Errorf("%d: %+v %v", id, out, err)
		}
	}
	if _, err := apply("a", 6, Lock{On: true}); !errors.Is(err, ErrStale) {
		t.Errorf("a late command: %v", err)
	}
	if out, err := apply("b", 5, Lock{On: true}); err != nil || out.Repeated {
		t.Errorf("another client's: %v", err)
	}
	for n := range uint64(3 * MaxSeen) {
		if _, err := apply("b", 6+n, Lock{On: n%2 == 1}); err != nil {
			t.Fatal(err)
		}
	}
	if len(w.visit(1).Seen) != MaxSeen {
		t.Errorf("%d remembered", len(w.visit(1).Seen))
	}
	if _, err := apply("a", 5, Lock{}); !errors.Is(err, ErrStale) {
		t.Errorf("a forgotten command of a client: %v", err)
	}
	if out, err := apply("a", 7, Lock{}); err != nil || !out.Repeated {
		t.Errorf("a client's newest is forgotten: %v", err)
	}
	if _, err := apply("", 1, Lock{}); err != nil {
		t.Error(err)
	}
	for _, bad := range []Command{{Client: strings.Repeat("x", 65), ID: 1}, {Client: "x"}} {
		if _, err := w.room.Apply(bad, w.now); !errors.Is(err, ErrBadValue) {
			t.Error(err)
		}
	}
}

func TestApply_TimesAreKeptAsJSONGivesThemBack(t *testing.T) {
	r := NewRoom(about, nil)
	now := time.Now().In(time.FixedZone("", 3600)) // with a monotonic reading
	in := newVisitOf(1)
	in.ScheduledAt, in.Expected = now, []StaffID{doctor.Staff}
	for _, cmd := range []Command{
		{Actor: server, Do: Create{in}}, {Actor: holder(seatID(1, 0)), Do: CheckIn{}}, {Actor: doctor, Do: Admit{seatID(1, 0)}},
	} {
		cmd.Visit = in.ID
		out, err := r.Apply(cmd, now)
		if err != nil {
			t.Fatal(err)
		}
		mustRoundTrip(t, out.Visit)
		r.Install(out.Visits...)
	}
	in.Expected[0] = "changed"
	if v, _ := r.Visit(in.ID); v.Expected[0] != doctor.Staff {
		t.Error("shares a slice with the command")
	}
}

func TestRemember_ManyClientsStayBounded(t *testing.T) {
	var seen []Applied
	for n := range 3 * MaxSeen {
		seen = remember(seen, Applied{Client: fmt.Sprint(n), ID: 1})
	}
	if len(seen) != MaxSeen || seen[0].Client != fmt.Sprint(2*MaxSeen) {
		t.Errorf("%d, from %s", len(seen), seen[0].Client)
	}
}

func TestError_NamesNobody(t *testing.T) {
	err := error(&Error{Code: "already_admitted", Detail: "detail", By: "Dr Adams"})
	if err.Error() != "rooms: already_admitted: detail" || ErrFull.Error() != "rooms: full" {
		t.Error(err)
	}
	wrapped := fmt.Errorf("hub: %w", err)
	if !errors.Is(wrapped, ErrAlreadyAdmitted) || errors.Is(wrapped, ErrFull) || errors.Is(wrapped, errors.ErrUnsupported) {
		t.Error("errors.Is")
	}
}
