package api

import (
	"testing"

	"github.com/anteroom/anteroom/rooms"
)

// transferred brings a visit to another waiting room, as the owner of its room does.
func (w *world) transferred(visit *answer, to rooms.RoomID) rooms.VisitID {
	w.t.Helper()
	id := rooms.VisitID(visit.str("id"))
	w.command(visit, rooms.Actor{Staff: rooms.StaffID(w.ours.staff), Name: "C", Role: rooms.FrontDesk}, rooms.Transfer{To: to})
	moving, err := w.hub.Visit(w.t.Context(), rooms.RoomID(visit.str("room")), id)
	if err != nil {
		w.t.Fatal(err)
	}
	w.ask(w.ours.key, "POST", "/v1/visits/"+string(id)+"/cancel", nil).want(503)
	system := rooms.Actor{System: true}
	next := moving.Forward.Visit
	for _, step := range []struct {
		room rooms.RoomID
		cmd  rooms.Command
	}{
		{to, rooms.Command{Actor: system, Visit: next, Do: rooms.Receive{Visit: *moving}}},
		{moving.Room, rooms.Command{Actor: system, Visit: id, Do: rooms.Depart{Visit: next}}},
	} {
		if _, err := w.hub.Do(w.t.Context(), step.room, step.cmd); err != nil {
			w.t.Fatal(err)
		}
	}
	return next
}

func TestTransfer_AVisitIsFoundByEveryIDItHad(t *testing.T) {
	w := newWorld(t)
	body := w.ours.visit()
	body["externalId"] = "A-17"
	v := w.ask(w.ours.key, "POST", "/v1/visits", body).want(201)
	other := w.ask(w.ours.key, "POST", "/v1/rooms", m{"name": "Dermatology"}).want(201).str("id")
	second := w.transferred(v, rooms.RoomID(other))
	at := w.ask(w.ours.key, "GET", "/v1/visits/"+v.str("id"), nil).want(200)
	if at.str("id") != string(second) || at.str("room") != other || at.str("seats", 0, "id") != v.str("seats", 0, "id") {
		t.Errorf("after one transfer: %s", at.text)
	}
	third := w.transferred(at, rooms.RoomID(w.ours.room))
	for _, id := range []string{v.str("id"), string(second), string(third)} {
		if got := w.ask(w.ours.key, "GET", "/v1/visits/"+id, nil).want(200); got.str("id") != string(third) || got.str("externalId") != "A-17" {
			t.Errorf("by %s: %s", id, got.text)
		}
	}
	if again := w.ask(w.ours.key, "POST", "/v1/visits", body).want(200); again.str("id") != string(third) {
		t.Errorf("made again: %s", again.text)
	}
	for room, want := range map[string]string{w.ours.room: string(third), other: ""} {
		page := w.ask(w.ours.key, "GET", "/v1/visits?room="+room, nil).want(200)
		items, _ := page.get("items").([]any)
		if n := len(items); (want != "") != (n == 1) || n > 1 || n == 1 && page.str("items", 0, "id") != want {
			t.Errorf("room %s lists %s", room, page.text)
		}
	}
	// Links of all three let the patient in, until the visit is over; a new one ends them all.
	for _, made := range []*answer{v, at} {
		w.ask("", "POST", "/v1/join", m{"token": made.token("seats", 0, "link")}).want(200)
	}
	w.ask(w.ours.key, "POST", "/v1/visits/"+v.str("id")+"/seats/"+v.str("seats", 0, "id")+"/link", nil).want(201)
	w.ask("", "POST", "/v1/join", m{"token": v.token("seats", 0, "link")}).want(401)
	w.ask(w.ours.key, "POST", "/v1/visits/"+v.str("id")+"/cancel", nil).want(200)
	w.ask(w.theirs.key, "GET", "/v1/visits/"+string(third), nil).want(404)
}
