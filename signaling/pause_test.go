package signaling

import (
	"encoding/json"
	"testing"

	"github.com/anteroom/anteroom/internal/auth"
	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/sfu"
	"github.com/anteroom/anteroom/signaling/wire"
)

func TestPause_OfPictures_IsToldToThePageThatGetsNoneAndToNobodyElse(t *testing.T) {
	var staff []rooms.Staff
	for _, id := range []rooms.StaffID{"doctor", "colleague"} {
		staff = append(staff, rooms.Staff{ID: id, Name: string(id), Role: rooms.Clinician, Rooms: []rooms.RoomID{"room"}})
	}
	v := lineVisit(1,
		rooms.Seat{Role: rooms.Patient, State: rooms.SeatAdmitted},
		rooms.Seat{Role: rooms.Clinician, Staff: "doctor", State: rooms.SeatAdmitted})
	v.Phase = rooms.PhaseActive
	l := newLineActor(t, staff, v)
	patient := l.join(identityOf(v, 0))
	for _, s := range staff {
		l.join(auth.Identity{Kind: auth.Staff, Staff: s.ID})
	}
	old, now := &peer{id: "old", Peer: &sfu.Peer{}}, &peer{id: "now", Peer: &sfu.Peer{}}
	patient.peer = now
	l.settle()
	for _, s := range l.pages {
		took(s)
	}
	rows := l.a.list.version

	tell := func(of *peer, paused bool) []message {
		l.a.media.put(patient, of, func(r *report) { r.paused = &paused })
		for _, r := range l.a.media.take() {
			r.apply(l.a)
		}
		l.settle()
		for _, s := range l.pages[1:] {
			if got := took(s); len(got) > 0 {
				t.Errorf("%s got %s", s.who.Staff, got[0].D)
			}
		}
		if l.a.list.version != rows {
			t.Error("a row of the list was made anew")
		}
		return took(patient)
	}
	for _, c := range []struct {
		of     *peer
		paused bool
		views  int
	}{
		{old, true, 0}, // of a connection that was replaced
		{now, true, 1},
		{now, true, 0},
		{now, false, 1},
	} {
		got := tell(c.of, c.paused)
		if len(got) != c.views {
			t.Fatalf("%+v: %d messages", c, len(got))
		}
		var view wire.View
		if c.views > 0 && (json.Unmarshal(got[0].D, &view) != nil || view.Paused != c.paused) {
			t.Errorf("%+v: %s", c, got[0].D)
		}
	}
	tell(now, true)
	patient.peer = &peer{id: "next", Peer: &sfu.Peer{}}
	l.a.alone[patient] = struct{}{}
	l.settle()
	var view wire.View
	if got := took(patient); len(got) != 1 || json.Unmarshal(got[0].D, &view) != nil || view.Paused {
		t.Errorf("a new connection begins paused: %+v", got)
	}
}
