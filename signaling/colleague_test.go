package signaling

import (
	"encoding/json"
	"testing"
	"testing/synctest"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/signaling/wire"
)

func TestList_AColleagueWhoComes_TakesNoNewsFromOthers(t *testing.T) {
	stillWorld(t, func(t *testing.T, w *world) {
		first, second := w.visit("Maria"), w.visit("John")
		doctor, _ := w.open(w.staff())
		maria, _ := w.open(first)
		told(t, doctor, first.Seat, wire.LinkConnected)
		w.open(second)
		told(t, doctor, second.Seat, wire.LinkConnected) // the next list is due in a while
		w.must(maria.ws.Close())
		synctest.Wait()
		w.doctor.ID, w.doctor.Name = rooms.StaffID(newID()), "Dr Lee"
		w.must(w.store.PutStaff(t.Context(), w.doctor))
		w.open(w.staff()) // in between, and is told all
		told(t, doctor, first.Seat, wire.LinkReconnecting)
	})
}

// told reads until the list says how somebody's page is.
func told(t *testing.T, staff *page, seat rooms.SeatID, link wire.Link) {
	t.Helper()
	for {
		m, err := staff.next()
		if err != nil {
			t.Fatalf("staff are not told that %s is %s: %v", seat, link, err)
		}
		if m.T != wire.EventList {
			continue
		}
		var l wire.List
		if err := json.Unmarshal(m.D, &l); err != nil {
			t.Fatal(err)
		}
		for _, row := range l.Rows {
			if row.Seat == string(seat) && row.Link == link {
				return
			}
		}
	}
}
