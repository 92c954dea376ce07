package integration

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/anteroom/anteroom/signaling/wire"
	"github.com/anteroom/anteroom/test/client"
)

// server is a running server, as its REST API sees callers.
type server struct {
	url string
	key string // of a clinic
}

// call sends a REST request and reads its answer into one of T.
func call[T any](t *testing.T, s *server, method, path string, body any) T {
	t.Helper()
	status, answer := s.request(t, method, path, body)
	if status >= 300 {
		t.Fatalf("%s %s: status %d, %s", method, path, status, answer)
	}
	var out T
	if len(answer) > 0 {
		must(t, json.Unmarshal(answer, &out))
	}
	return out
}

func (s *server) request(t *testing.T, method, path string, body any) (int, []byte) {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	resp := get(transport.RoundTrip(s.newRequest(t, method, path, body)))(t)
	defer resp.Body.Close()
	return resp.StatusCode, get(io.ReadAll(resp.Body))(t)
}

func (s *server) newRequest(t *testing.T, method, path string, body any) *http.Request {
	t.Helper()
	var text []byte
	if body != nil {
		text = get(json.Marshal(body))(t)
	}
	r := get(http.NewRequestWithContext(within(t), method, s.url+path, bytes.NewReader(text)))(t)
	r.Header.Set("Authorization", "Bearer "+s.key)
	r.Header.Set("Content-Type", "application/json")
	return r
}

// clinic is a waiting room of its own, so that tests do not meet.
type clinic struct {
	*server
	room string
}

type object map[string]any

// and is an object with one field more.
func (o object) and(field string, value any) object {
	o[field] = value
	return o
}

func newClinic(t *testing.T, s *server) *clinic {
	t.Helper()
	room := call[struct{ ID string }](t, s, http.MethodPost, "/v1/rooms", object{"name": t.Name()[:min(100, len(t.Name()))]})
	return &clinic{server: s, room: room.ID}
}

// guest is somebody who is invited from the beginning.
type guest struct{ Role, Name string }

// visit is a visit as it was made: the patient's link first, then the guests'.
type visit struct {
	ID    string
	Seats []seat
}

type seat struct {
	ID, Role, Name, State, Link string
}

// visit makes a visit; the patient's name is what tests find it by.
func (c *clinic) visit(t *testing.T, patient string, guests ...guest) visit {
	t.Helper()
	body := object{"room": c.room, "patient": object{"name": patient, "birthDate": "1950-02-03"}, "reason": "Cough"}
	list := []object{}
	for _, g := range guests {
		list = append(list, object{"role": g.Role, "name": g.Name})
	}
	body["guests"] = list
	v := call[visit](t, c.server, http.MethodPost, "/v1/visits", body)
	if len(v.Seats) != 1+len(guests) {
		t.Fatalf("a visit of %d people has %d seats", 1+len(guests), len(v.Seats))
	}
	return v
}

// read is a visit as the REST API shows it now.
func (c *clinic) read(t *testing.T, id string) (v struct {
	visit
	Phase, Disposition string
},
) {
	t.Helper()
	return call[struct {
		visit
		Phase, Disposition string
	}](t, c.server, http.MethodGet, "/v1/visits/"+id, nil)
}

// staffLink adds a member of staff and answers their id and a link.
func (c *clinic) staffLink(t *testing.T, name string, role wire.Role) (id, link string) {
	t.Helper()
	member := call[struct{ ID string }](t, c.server, http.MethodPost, "/v1/staff",
		object{"name": name, "role": role, "rooms": []string{c.room}})
	made := call[struct{ Link string }](t, c.server, http.MethodPost, "/v1/staff/"+member.ID+"/link", object{})
	return member.ID, made.Link
}

// open opens a link on a device and says hello.
func open(t *testing.T, link string, device wire.Device) *client.Client {
	t.Helper()
	c := get(client.Join(within(t), link, client.Options{Device: device}))(t)
	t.Cleanup(c.Close)
	must(t, c.Connect(within(t)))
	return c
}

// clinician signs a new member of staff in.
func (c *clinic) clinician(t *testing.T, name string) *client.Client {
	t.Helper()
	_, link := c.staffLink(t, name, wire.RoleClinician)
	return open(t, link, wire.DeviceDesktop)
}

// arrive opens a link on a telephone and joins the waiting room.
func arrive(t *testing.T, link string) *client.Client {
	t.Helper()
	c := open(t, link, wire.DevicePhone)
	must(t, c.CheckIn(within(t)))
	waitState(t, c, wire.SeatWaiting)
	return c
}

// waitState waits until a page shows its person's state.
func waitState(t *testing.T, c *client.Client, state wire.SeatState) wire.View {
	t.Helper()
	view, err := c.WaitView(within(t), func(v wire.View) bool { return v.Me.State == state })
	if err != nil {
		t.Fatalf("state %q instead of %q: %v", view.Me.State, state, err)
	}
	return view
}

// row waits until staff see a seat in a state.
func row(t *testing.T, staff *client.Client, seat string, state wire.SeatState) wire.Row {
	t.Helper()
	var found wire.Row
	_, err := staff.WaitList(within(t), func(rows []wire.Row) bool {
		for _, r := range rows {
			if r.Seat == seat {
				found = r
			}
		}
		return found.State == state
	})
	if err != nil {
		t.Fatalf("the row's state is %q, not %q: %v", found.State, state, err)
	}
	return found
}
