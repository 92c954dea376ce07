package integration

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/anteroom/anteroom/signaling/wire"
)

// signalNames are what a request of a type may name, by the document's table and the wire types it names.
func signalNames(t *testing.T, src wireSource, kind wire.Type, row string) (all []string) {
	t.Helper()
	for _, name := range words(strings.Split(row, "|")[1]) {
		for _, field := range src.fields[name] {
			field = strings.TrimSuffix(field, "?")
			if signalIDs[field] != "" {
				all = append(all, field)
			} else if !slices.Contains(signalPlain, field) {
				t.Errorf("%s: is %q an id?", kind, field)
			}
		}
	}
	return all
}

// TestIsolation_Signaling_WhatIsAnotherClinics_IsAnsweredLikeWhatIsNotThere has a clinician and a patient name what is another
// clinic's, in every place of every request that takes an id.
func TestIsolation_Signaling_WhatIsAnotherClinics_IsAnsweredLikeWhatIsNotThere(t *testing.T) {
	l := startLocal(t)
	ours, theirs := newTenant(t, l, "Ours"), newTenant(t, l, "Theirs")
	all := routes(t, &l.server)
	before := theirs.shown(t, all)
	src := readWire(t)
	tried := 0
	for kind, row := range table(t, "Requests") {
		if kind == string(wire.TypeHello) {
			continue // below
		}
		build, ok := signals[wire.Type(kind)]
		if !ok {
			t.Errorf("no example of %s", kind)
			continue
		}
		for _, variant := range variants(signalNames(t, src, wire.Type(kind), row)) {
			their, nobody := ours.naming(theirs, variant, signalIDs)
			for who, by := range map[string]*line{"clinician": ours.doctor, "patient": ours.patient} {
				got := by.ask(t, wire.Type(kind), build(their))
				want := by.ask(t, wire.Type(kind), build(nobody))
				unread := kind == string(wire.TypeJoin) && slices.Equal(variant, []string{"seat"}) // of a join
				if got != want || isOK(got) && !unread {
					t.Errorf("%s of a %s with another's %v: %s\nwith nobody's: %s", kind, who, variant, got, want)
				}
				tried++
			}
		}
	}
	if tried < 60 {
		t.Errorf("only %d requests were tried", tried)
	}
	if after := theirs.shown(t, all); after != before {
		t.Errorf("changed:\n%s\n%s", before, after)
	}
	if told := theirs.told(t); len(told) > 0 {
		t.Errorf("told: %v", told)
	}
}

// TestIsolation_Hello_WhatIsAnotherClinics_IsAnsweredLikeWhatIsNotThere has somebody say hello who names another clinic's waiting
// room, cookie, media connection, visits. What the server reads for it must be the same too.
func TestIsolation_Hello_WhatIsAnotherClinics_IsAnsweredLikeWhatIsNotThere(t *testing.T) {
	w := &watch{rooms: true}
	l := startWatched(t, w)
	ours, theirs := newTenant(t, l, "Ours"), newTenant(t, l, "Theirs")
	names := map[string]func(h *wire.Hello, id string){ // the fields of hello that name something
		"handle":   func(h *wire.Hello, id string) { h.Handle = id },
		"room":     func(h *wire.Hello, id string) { h.Room = id },
		"peer":     func(h *wire.Hello, id string) { h.Peer = id },
		"messages": func(h *wire.Hello, id string) { h.Messages = map[string]int{id: 1} },
		"seen":     func(h *wire.Hello, id string) { h.Seen = &wire.Seen{Epoch: 1, Visit: id, Version: 9} },
		"client":   func(h *wire.Hello, id string) { h.Client = id },
		"tab":      func(h *wire.Hello, id string) { h.Tab = id },
	}
	plain := []string{"device", "takeover", "sdp", "list"} // numbers of lists begin with a server's start, and each room counts its own
	for _, field := range readWire(t).fields["Hello"] {
		if name := strings.TrimSuffix(field, "?"); names[name] == nil && !slices.Contains(plain, name) {
			t.Errorf("hello: does %q name anything?", field)
		}
	}
	peer := theirs.doctor.offers(t)
	theirs.noNews(t)
	for who, link := range map[string]string{"staff": ours.deskLink, "patient": ours.lateLink} {
		page := newLine(t, "other-"+who, link, wire.DeviceDesktop)
		for name, id := range map[string]string{
			"handle": theirs.doctor.hello.Handle, "room": theirs.ids["room"], "peer": peer, "messages": theirs.ids["visit"], "seen": theirs.ids["visit"],
			"client": theirs.doctor.hello.Client, "tab": theirs.doctor.hello.Tab,
		} {
			var got [2]string
			for i, id := range []string{id, none(id)} {
				page.dial(t)
				hello := page.hello
				hello.Takeover = true
				names[name](&hello, id)
				page.lastID = 0
				w.take()
				reply := page.ask(t, wire.TypeHello, hello)
				got[i] = withoutTimes(t, reply) + "; " + w.take()
				if !isOK(reply) {
					got[i] += "; " + ending(page.ws)
				}
			}
			if got[0] != got[1] {
				t.Errorf("hello of %s with another's %s: %s\nwith nobody's: %s", who, name, got[0], got[1])
			}
		}
	}
	if told := theirs.told(t); len(told) > 0 {
		t.Errorf("told: %v", told)
	}
}

// withoutTimes is a welcome without what differs from one to the next; anything else as it is.
func withoutTimes(t *testing.T, reply string) string {
	t.Helper()
	var m struct {
		D   map[string]json.RawMessage
		Err json.RawMessage
	}
	if json.Unmarshal([]byte(reply), &m) != nil || m.D == nil {
		return reply
	}
	for _, field := range []string{"session", "now", "iceServers"} {
		delete(m.D, field)
	}
	var view map[string]json.RawMessage
	must(t, json.Unmarshal(m.D["view"], &view))
	delete(view, "version")
	m.D["view"] = get(json.Marshal(view))(t)
	return string(get(json.Marshal(m.D))(t))
}
