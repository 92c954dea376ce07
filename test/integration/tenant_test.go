package integration

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/anteroom/anteroom/signaling/wire"
)

// tenant is a clinic with everything that has an id, and lines of its people: a patient in a visit with the doctor, one who
// waits, one who has not come yet.
type tenant struct {
	*clinic
	ids      ids
	external string // its own identifier of the visit
	doctor   *line
	patient  *line // in the visit
	waiting  *line
	lateLink string // of who has not come yet
	deskLink string // of a member of staff who has no line
}

// ids are a tenant's, by what REST's paths and the fields of signaling call them.
type ids map[string]string

// newTenant makes a clinic and brings everybody to where they are. Nothing happens in it afterwards by itself.
func newTenant(t *testing.T, l *local, name string) *tenant {
	t.Helper()
	root := &server{url: l.url, key: l.root}
	made := call[struct{ ID string }](t, root, http.MethodPost, "/v1/clinics", object{"name": name})
	key := call[struct{ ID, Key string }](t, root, http.MethodPost, "/v1/clinics/"+made.ID+"/keys", object{"name": "tests"})
	n := &tenant{clinic: newClinic(t, &server{url: l.url, key: key.Key}), external: "an appointment"}
	doctorID, doctorLink := n.staffLink(t, name+"'s doctor", wire.RoleClinician)
	deskID, deskLink := n.staffLink(t, name+"'s desk", wire.RoleStaff)
	n.deskLink = deskLink

	v := call[visit](t, n.server, http.MethodPost, "/v1/visits",
		object{"room": n.room, "patient": object{"name": name + "'s patient"}, "externalId": n.external, "expected": []string{doctorID}})
	waits, late := n.visit(t, name+"'s next"), n.visit(t, name+"'s last")
	n.lateLink = late.Seats[0].Link
	n.ids = ids{
		"clinic": made.ID, "key": key.ID, "room": n.room, "staff": doctorID, "visit": v.ID, "seat": v.Seats[0].ID,
		"to": deskID, "thread": v.Seats[0].ID, "before": waits.ID,
	}
	n.doctor = newLine(t, "doctor", doctorLink, wire.DeviceDesktop)
	n.patient = newLine(t, "patient", v.Seats[0].Link, wire.DevicePhone)
	n.waiting = newLine(t, "waiting", waits.Seats[0].Link, wire.DevicePhone)
	for _, step := range []struct {
		by   *line
		kind wire.Type
		d    any
	}{
		{n.patient, wire.TypeCheckIn, wire.Empty{}},
		{n.doctor, wire.TypeAdmit, wire.Target{Visit: v.ID, Seat: v.Seats[0].ID}},
		{n.waiting, wire.TypeCheckIn, wire.Empty{}},
		{n.doctor, wire.TypeChat, wire.Chat{Visit: v.ID, Text: "Good morning"}},
		{n.doctor, wire.TypeLock, wire.Lock{Visit: v.ID, On: true}}, // after which the list has nothing more to say
	} {
		if got := step.by.ask(t, step.kind, step.d); !isOK(got) {
			t.Fatalf("%s: %s", step.kind, got)
		}
	}
	n.doctor.waitRow(t, func(r wire.Row) bool { return r.Visit == v.ID && r.Locked })
	n.noNews(t)
	return n
}

func (n *tenant) lines() []*line { return []*line{n.doctor, n.patient, n.waiting} }

// noNews forgets what everybody was told.
func (n *tenant) noNews(t *testing.T) {
	t.Helper()
	for _, l := range n.lines() {
		l.news(t)
	}
}

// told are the events that have come to anybody since.
func (n *tenant) told(t *testing.T) (events []string) {
	t.Helper()
	for _, l := range n.lines() {
		for _, e := range l.news(t) {
			events = append(events, string(e))
		}
	}
	return events
}

// answer is what a REST request is answered, without what differs from one request to the next.
type restAnswer struct {
	status int
	header string
	body   string
}

// ask sends a REST request with a key.
func (s *server) ask(t *testing.T, method, path string, body any, header http.Header) restAnswer {
	t.Helper()
	r := s.newRequest(t, method, path, body)
	for name, values := range header {
		r.Header[name] = values
	}
	resp := get((&http.Transport{DisableKeepAlives: true}).RoundTrip(r))(t)
	defer resp.Body.Close()
	text := get(io.ReadAll(resp.Body))(t)
	resp.Header.Del("Date")
	resp.Header.Del("X-Request-Id")
	var all strings.Builder
	_ = resp.Header.Write(&all) // sorted; a Builder never fails
	return restAnswer{resp.StatusCode, all.String(), string(text)}
}
