package rooms

import (
	"errors"
	"strings"
	"testing"
	"time"
)

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
