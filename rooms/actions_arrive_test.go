package rooms

import "testing"

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
