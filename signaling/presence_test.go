package signaling

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/anteroom/anteroom/internal/auth"
	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/signaling/wire"
)

func TestPresence_AShiftThatComesAtOnceIsOneChange(t *testing.T) {
	var staff []rooms.Staff
	for i := range 20 {
		id := rooms.StaffID(fmt.Sprint("staff", i))
		staff = append(staff, rooms.Staff{ID: id, Name: string(id), Role: rooms.Clinician, Rooms: []rooms.RoomID{"room"}})
	}
	l := newLineActor(t, staff)
	l.join(auth.Identity{Kind: auth.Staff, Staff: "staff0"})
	l.settle()
	first := l.pages[0]
	took(first)
	for _, s := range staff[1:] {
		l.join(auth.Identity{Kind: auth.Staff, Staff: s.ID})
		l.a.settle(l.now) // in the same moment
		if got := took(first); len(got) > 0 && s.ID != "staff1" {
			t.Errorf("told of each: %d messages", len(got))
		}
	}
	l.settle()
	got := took(first)
	var view wire.View
	if len(got) != 1 || json.Unmarshal(got[0].D, &view) != nil {
		t.Fatalf("%+v", got)
	}
	for _, c := range view.Colleagues {
		if !c.Here {
			t.Errorf("%s is not here", c.ID)
		}
	}
	gone{l.pages[1].conn, l.pages[1]}.apply(l.a)
	l.settle()
	if got := took(first); len(got) != 1 || json.Unmarshal(got[0].D, &view) != nil || view.Colleagues[0].Here {
		t.Errorf("%+v", got)
	}
}
