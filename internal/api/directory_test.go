package api

import (
	"strings"
	"testing"

	"github.com/anteroom/anteroom/rooms"
)

func TestDirectory_IsMadeReadAndChanged(t *testing.T) {
	w := newWorld(t)
	n := w.ours

	w.ask(n.key, "PATCH", "/v1/clinics/"+n.clinic, m{"phone": "555 0100"}).want(200)
	clinic := w.ask(n.key, "GET", "/v1/clinics/"+n.clinic, nil).want(200)
	if clinic.str("name") != "Ours" || clinic.str("phone") != "555 0100" {
		t.Errorf("clinic %s", clinic.text)
	}

	w.ask(n.key, "PATCH", "/v1/rooms/"+n.room, m{"order": "schedule", "retentionHours": 48, "usualWait": m{"from": 5, "to": 15}}).want(200)
	room := w.ask(n.key, "GET", "/v1/rooms/"+n.room, nil).want(200)
	if room.str("name") != "Ours room" || room.str("order") != "schedule" || room.str("retentionHours") != "48" || room.str("usualWait", "to") != "15" {
		t.Errorf("room %s", room.text)
	}

	w.ask(n.key, "PATCH", "/v1/staff/"+n.staff, m{"role": "staff", "rooms": []string{}}).want(200)
	member := w.ask(n.key, "GET", "/v1/staff/"+n.staff, nil).want(200)
	if member.str("name") != "Ours clinician" || member.str("role") != "staff" || member.str("rooms") != "[]" {
		t.Errorf("staff %s", member.text)
	}
}

func TestDirectory_OwnersOfRoomsAreToldOfChanges(t *testing.T) {
	w := newWorld(t)
	n := w.ours
	other := w.ask(n.key, "POST", "/v1/rooms", m{"name": "Other"}).want(201).str("id")
	for _, c := range []struct {
		name, path string
		body       m
		told       []string
	}{
		{"clinic", "/v1/clinics/" + n.clinic, m{"name": "New"}, []string{n.room, other}},
		{"room", "/v1/rooms/" + n.room, m{"name": "New"}, []string{n.room}},
		{"staff, left and entered", "/v1/staff/" + n.staff, m{"rooms": []string{other}}, []string{n.room, other}},
		{"staff, same rooms", "/v1/staff/" + n.staff, m{"disabled": true}, []string{other}},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := map[string]int{}
			for _, r := range []string{n.room, other} {
				before[r] = w.hub.changes(rooms.RoomID(r))
			}
			w.ask(n.key, "PATCH", c.path, c.body).want(200)
			for r, was := range before {
				told := w.hub.changes(rooms.RoomID(r)) > was
				if want := strings.Contains(strings.Join(c.told, " "), r); told != want {
					t.Errorf("room %s told: %v, want %v", r, told, want)
				}
			}
		})
	}
}

func TestDirectory_Lists_AreOfTheKeysOwnClinic(t *testing.T) {
	w := newWorld(t)
	for path, id := range map[string]string{
		"/v1/clinics": w.ours.clinic, "/v1/rooms": w.ours.room, "/v1/staff": w.ours.staff,
	} {
		a := w.ask(w.ours.key, "GET", path, nil).want(200)
		if items, _ := a.get("items").([]any); len(items) != 1 || a.str("items", 0, "id") != id {
			t.Errorf("%s: %s", path, a.text)
		}
	}
	all := w.ask(w.root, "GET", "/v1/clinics", nil).want(200)
	if items, _ := all.get("items").([]any); len(items) != 2 {
		t.Errorf("root sees %s", all.text)
	}
	keys := w.ask(w.ours.key, "GET", "/v1/clinics/"+w.ours.clinic+"/keys", nil).want(200)
	if strings.Contains(keys.text, "anteroom_") || keys.str("items", 0, "name") != "tests" {
		t.Errorf("keys %s", keys.text)
	}
}

func TestDirectory_BadValues_AreRefused(t *testing.T) {
	w := newWorld(t)
	n := w.ours
	long := strings.Repeat("x", 121)
	for name, c := range map[string]struct {
		key, method, path string
		body              any
		status            int
		code              string
	}{
		"clinic without name":        {w.root, "POST", "/v1/clinics", m{}, 422, "bad_value"},
		"clinic with long name":      {w.root, "POST", "/v1/clinics", m{"name": long}, 422, "bad_value"},
		"clinic with a line break":   {w.root, "POST", "/v1/clinics", m{"name": "a\nb"}, 422, "bad_value"},
		"clinic with blank name":     {w.root, "POST", "/v1/clinics", m{"name": "  "}, 422, "bad_value"},
		"clinic with a bad phone":    {w.root, "POST", "/v1/clinics", m{"name": "x", "phone": "\t"}, 422, "bad_value"},
		"unknown field":              {w.root, "POST", "/v1/clinics", m{"name": "x", "title": "y"}, 422, "bad_value"},
		"key with a line break":      {n.key, "POST", "/v1/clinics/" + n.clinic + "/keys", m{"name": "a\nb"}, 422, "bad_value"},
		"unknown key disabled":       {n.key, "DELETE", "/v1/clinics/" + n.clinic + "/keys/none", nil, 404, "not_found"},
		"room order":                 {n.key, "POST", "/v1/rooms", m{"name": "x", "order": "random"}, 422, "bad_value"},
		"room retention":             {n.key, "POST", "/v1/rooms", m{"name": "x", "retentionHours": -1}, 422, "bad_value"},
		"room wait":                  {n.key, "POST", "/v1/rooms", m{"name": "x", "usualWait": m{"from": 9, "to": 5}}, 422, "bad_value"},
		"room name":                  {n.key, "PATCH", "/v1/rooms/" + n.room, m{"name": "\x00"}, 422, "bad_value"},
		"room unknown":               {n.key, "GET", "/v1/rooms/none", nil, 404, "not_found"},
		"staff role":                 {n.key, "POST", "/v1/staff", m{"name": "x", "role": "patient", "rooms": []string{}}, 422, "bad_value"},
		"staff in no such room":      {n.key, "POST", "/v1/staff", m{"name": "x", "role": "staff", "rooms": []string{"none"}}, 422, "bad_value"},
		"staff in another's room":    {n.key, "POST", "/v1/staff", m{"name": "x", "role": "staff", "rooms": []string{w.theirs.room}}, 422, "bad_value"},
		"staff name":                 {n.key, "PATCH", "/v1/staff/" + n.staff, m{"name": "a\u0007"}, 422, "bad_value"},
		"staff unknown":              {n.key, "GET", "/v1/staff/none", nil, 404, "not_found"},
		"staff link for years":       {n.key, "POST", "/v1/staff/" + n.staff + "/link", m{"hours": 1000}, 422, "bad_value"},
		"not JSON":                   {n.key, "POST", "/v1/rooms", "{", 400, "bad_request"},
		"no body":                    {n.key, "POST", "/v1/rooms", nil, 400, "bad_request"},
		"too large":                  {n.key, "POST", "/v1/rooms", `{"name":"` + strings.Repeat("x", MaxBody) + `"}`, 413, "too_large"},
		"unknown query":              {n.key, "GET", "/v1/rooms?clinic=x", nil, 422, "bad_value"},
		"unknown route":              {n.key, "GET", "/v1/nothing", nil, 404, "not_found"},
		"identifier much too long":   {n.key, "GET", "/v1/rooms/" + long, nil, 422, "bad_value"},
		"clinic changed by no field": {n.key, "PATCH", "/v1/clinics/" + n.clinic, m{"id": "x"}, 422, "bad_value"},
	} {
		t.Run(name, func(t *testing.T) {
			w := *w
			w.t = t
			w.ask(c.key, c.method, c.path, c.body).want(c.status, c.code)
		})
	}
}

func TestStaffLink_OpensUntilItExpiresOrIsRevoked(t *testing.T) {
	w := newWorld(t)
	path := "/v1/staff/" + w.ours.staff + "/link"
	link := w.ask(w.ours.key, "POST", path, m{"hours": 2}).want(201)
	if !strings.HasPrefix(link.str("link"), public+"/staff#") || link.str("expiresAt") != "2026-03-01T11:00:00Z" {
		t.Errorf("link %s", link.text)
	}
	if usual := w.ask(w.ours.key, "POST", path, nil).want(201); usual.str("expiresAt") != "2026-03-01T21:00:00Z" {
		t.Errorf("usual %s", usual.text)
	}
	joined := w.ask("", "POST", "/v1/join", m{"token": link.token("link")}).want(200)
	if joined.str("kind") != "staff" || joined.str("rooms", 0, "id") != w.ours.room || joined.str("rooms", 0, "name") != "Ours room" {
		t.Errorf("joined %s", joined.text)
	}
	w.ask(w.ours.key, "DELETE", path, nil).want(204)
	w.ask("", "POST", "/v1/join", m{"token": link.token("link")}).want(401, "link_revoked")
	again := w.ask(w.ours.key, "POST", path, nil).want(201)
	w.ask("", "POST", "/v1/join", m{"token": again.token("link")}).want(200)
	w.ask(w.ours.key, "PATCH", "/v1/staff/"+w.ours.staff, m{"disabled": true}).want(200)
	w.ask("", "POST", "/v1/join", m{"token": again.token("link")}).want(401, "link_revoked")
	w.ask(w.ours.key, "POST", path, nil).want(409, "disabled")
}

func TestDirectory_BeyondItsBounds_IsFull(t *testing.T) {
	w := newWorld(t)
	path := "/v1/clinics/" + w.ours.clinic + "/keys"
	for range maxKeys - 1 {
		w.ask(w.ours.key, "POST", path, m{"name": "x"}).want(201)
	}
	w.ask(w.ours.key, "POST", path, m{"name": "x"}).want(409, "full")
}
