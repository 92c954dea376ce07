package rooms

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

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
	if out, err := apply("a", 6, Say{Text: "late", Thread: seatID(1, 0)}); err != nil || out.Repeated || out.Message != 2 {
		t.Errorf("a late message: %+v %v", out, err)
	}
	if _, err := apply("a", 4, Lock{On: true}); !errors.Is(err, ErrStale) {
		t.Errorf("a command that is later still: %v", err)
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
	if out, err := apply("a", 6, Say{Text: "late", Thread: seatID(1, 0)}); err != nil || !out.Repeated || out.Message != 2 {
		t.Errorf("a message that is forgotten as a command is said again: %+v %v", out, err)
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
