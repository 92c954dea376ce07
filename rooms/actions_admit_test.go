package rooms

import (
	"errors"
	"fmt"
	"slices"
	"testing"
)

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
