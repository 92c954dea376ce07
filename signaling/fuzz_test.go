package signaling

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"go.uber.org/zap"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/signaling/wire"
)

// FuzzEnvelope: a message is refused as one that is not the protocol's, or is a request that reads the same when it is written
// again.
func FuzzEnvelope(f *testing.F) {
	for _, seed := range []string{
		`{"t":"ping","id":1}`, `{"t":"chat","id":18446744073709551615,"d":{"text":"Zo\u00eb"}}`, `{"T":"ping","ID":2,"d":null}`,
		`{"t":"ping","id":1}{}`, `{"t":"ping","id":0}`, `{"t":"ping","id":1e3}`, `{"t":"ping","id":-1}`, `{"t":1,"id":"1"}`,
		"{\"t\":\"\xff\",\"id\":1}", `{"t":"\ud800","id":1}`, `[]`, `null`, ``, ` {"t":"a","id":1,"d":[[[[[[]]]]]]} `, "\ufeff{}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := readRequest(data)
		if err != nil {
			if !errors.Is(err, errBadEnvelope) {
				t.Fatal(err)
			}
			return
		}
		if r.T == "" || r.ID == 0 || !utf8.ValidString(string(r.T)) || !utf8.Valid(r.D) {
			t.Fatalf("taken: %+v", r)
		}
		again, err := readRequest(encode(r))
		var was, is bytes.Buffer
		if err != nil || again.T != r.T || again.ID != r.ID || len(r.D) > 0 && (json.Compact(&was, r.D) != nil || json.Compact(&is, again.D) != nil) {
			t.Fatalf("%+v reads again as %+v, %v", r, again, err)
		}
	})
}

// FuzzHello: what is taken for a hello keeps the bounds that the rest of the server counts on.
func FuzzHello(f *testing.F) {
	good, err := json.Marshal(wire.Hello{
		Handle: "abcdefghij", Client: strings.Repeat("c", 16), Tab: strings.Repeat("t", 64), Device: wire.DevicePhone, Room: "r",
		Takeover: true, Peer: "p", SDP: "v=0", Messages: map[string]int{"v": 3}, List: 7,
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"handle":"","client":"short","tab":"\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4","device":"fridge"}`))
	f.Add([]byte(`{"messages":{"v":1e400}}`))
	f.Add([]byte(`{"messages":null,"list":-1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var h wire.Hello
		if decodeStrict(data, &h) != nil || !validHello(h) {
			return
		}
		for _, id := range []string{h.Client, h.Tab} {
			if len(id) < 16 || len(id) > 64 || strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
				t.Errorf("taken: %q", id)
			}
		}
		if h.Handle == "" || len(h.Handle) > 64 || h.Device != wire.DevicePhone && h.Device != wire.DeviceDesktop {
			t.Errorf("taken: %+v", h)
		}
	})
}

// FuzzRequest: whatever the data of a request is, of whatever type and whoever sends it, the answer is a code that the document
// names for it or a decision that the store can keep; and the rules' own answer is never our fault.
func FuzzRequest(f *testing.F) {
	kinds := slices.Sorted(maps.Keys(commands))
	kinds = append(kinds, slices.Sorted(maps.Keys(requests))...)
	known := func(fill string) string { // the same in every process, for a fuzz test is several
		return rooms.NewID(time.Unix(1_700_000_000, 0), strings.NewReader(strings.Repeat(fill, 16)))
	}
	visit, seat, colleague := rooms.VisitID(known("v")), rooms.SeatID(known("s")), rooms.StaffID(known("c"))
	for i, kind := range kinds {
		data, err := json.Marshal(examples[kind](scene{visit: visit, seat: seat, to: colleague}))
		if err != nil {
			f.Fatal(err)
		}
		for who := range uint8(2) {
			f.Add(uint8(i), who, data) //nolint:gosec // few
		}
		f.Add(uint8(i), uint8(0), []byte(`{"visit":"`+string(visit)+`","seat":"`+string(seat)+`","reason":"\u202e","text":"\u0000","name":"","on":1}`)) //nolint:gosec // few
	}
	f.Fuzz(func(t *testing.T, index, who uint8, data []byte) {
		a, s := fuzzedRoom(t, visit, seat, colleague, who%2 == 0)
		kind := kinds[int(index)%len(kinds)]
		if handle, ok := requests[kind]; ok {
			if err := handle(a, s, data); err != nil && err.Code == wire.CodeInternal {
				t.Errorf("%s: %+v", kind, err)
			}
			return
		}
		c, err := commands[kind](a, s, data)
		if err != nil {
			if err.Code != wire.CodeBadMessage && err.Code != wire.CodeNoStaff {
				t.Errorf("%s: %+v", kind, err)
			}
			return
		}
		out, refused := a.room.Apply(rooms.Command{Actor: a.actorOf(s), Client: "c", ID: 1, Visit: c.visit, Do: c.do}, time.Unix(1_700_000_300, 0))
		if refused != nil {
			if code := wireError(refused).Code; code == wire.CodeInternal {
				t.Errorf("%s: %v", kind, refused)
			}
			return
		}
		for _, v := range out.Visits {
			kept, err := json.Marshal(v)
			var back rooms.Visit
			if err != nil || json.Unmarshal(kept, &back) != nil || !bytes.Equal(encode(&back), kept) {
				t.Errorf("%s: the store would not give back %s", kind, kept)
			}
		}
	})
}

// fuzzedRoom is a room with one waiting patient, and the session of whoever sends.
func fuzzedRoom(t *testing.T, visit rooms.VisitID, seat rooms.SeatID, colleague rooms.StaffID, staff bool) (*actor, *session) {
	t.Helper()
	about := rooms.WaitingRoom{ID: "room", Clinic: "clinic", Name: "Oncology"}
	room, now := rooms.NewRoom(about, nil), time.Unix(1_700_000_000, 0)
	for _, cmd := range []rooms.Command{
		{Actor: rooms.Actor{System: true}, Do: rooms.Create{Visit: rooms.Visit{
			ID: visit, Room: about.ID, Clinic: about.Clinic, Seats: []rooms.Seat{{ID: seat, Role: rooms.Patient, Name: "Maria"}},
		}}},
		{Actor: rooms.Actor{Seat: seat}, Do: rooms.CheckIn{}},
	} {
		cmd.Visit = visit
		out, err := room.Apply(cmd, now)
		if err != nil {
			t.Fatal(err)
		}
		room.Install(out.Visits...)
	}
	v, _ := room.Visit(visit)
	doctor := rooms.Staff{ID: "doctor", Name: "Dr Osei", Role: rooms.Clinician, Rooms: []rooms.RoomID{about.ID}}
	other := rooms.Staff{ID: colleague, Name: "Dr Lee", Role: rooms.Clinician, Rooms: []rooms.RoomID{about.ID}}
	h := &Hub{log: zap.NewNop(), now: time.Now}
	h.metrics = newMetrics(h)
	a := newActor(h, directory{about: about, staff: []rooms.Staff{doctor, other}}, []*rooms.Visit{v})
	s := &session{}
	s.who.Kind, s.who.Visit, s.who.Seat = "seat", visit, seat
	if staff {
		s.who.Kind, s.who.Staff, s.who.Seat = "staff", doctor.ID, ""
	}
	a.setSession(s)
	return a, s
}
