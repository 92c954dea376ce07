package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.uber.org/zap/zapcore"

	"github.com/anteroom/anteroom/internal/auth"
	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
)

// operation is one line of the description.
type operation struct {
	method, path string
	key          bool
}

func operations(w *world) []operation {
	var all []operation
	paths, _ := w.ask("", "GET", "/openapi.json", nil).want(200).get("paths").(map[string]any)
	for path, item := range paths {
		for method, op := range item.(map[string]any) {
			_, key := op.(map[string]any)["security"]
			all = append(all, operation{strings.ToUpper(method), path, key})
		}
	}
	return all
}

// filled is an operation's path with the things of a clinic.
func filled(path string, n tenant, visit *answer) string {
	return strings.NewReplacer("{clinic}", n.clinic, "{room}", n.room, "{staff}", n.staff, "{key}", "none",
		"{visit}", visit.str("id"), "{seat}", visit.str("seats", 0, "id")).Replace(path)
}

// bodyFor is something that passes validation where an operation needs a body.
func bodyFor(o operation, n tenant) any {
	if o.method == "PATCH" {
		return m{}
	}
	if o.method != "POST" {
		return nil
	}
	switch last := o.path[strings.LastIndexByte(o.path, '/')+1:]; last {
	case "clinics", "keys", "rooms":
		return m{"name": "x"}
	case "staff":
		return m{"name": "x", "role": "staff", "rooms": []string{}}
	case "visits":
		return n.visit()
	case "end":
		return m{"disposition": "done"}
	case "guests":
		return m{"role": "observer", "name": "x"}
	}
	return nil
}

func TestAccess_WithoutAGoodKey_IsUnauthorized(t *testing.T) {
	w := newWorld(t)
	visit := w.createVisit()
	keys := w.ask(w.ours.key, "GET", "/v1/clinics/"+w.ours.clinic+"/keys", nil).want(200)
	disabled := w.ask(w.ours.key, "POST", "/v1/clinics/"+w.ours.clinic+"/keys", m{"name": "old"}).want(201)
	w.ask(disabled.str("key"), "GET", "/v1/rooms", nil).want(200)
	w.ask(w.ours.key, "DELETE", "/v1/clinics/"+w.ours.clinic+"/keys/"+disabled.str("id"), nil).want(204)
	for _, o := range operations(w) {
		if !o.key {
			continue
		}
		path := filled(o.path, w.ours, visit)
		for name, header := range map[string]string{
			"none": "", "unknown": "Bearer anteroom_nobody", "not the key but its id": "Bearer " + keys.str("items", 0, "id"),
			"another scheme": "Basic " + w.ours.key, "empty": "Bearer ", "disabled": "Bearer " + disabled.str("key"),
		} {
			a := w.ask("", o.method, path, bodyFor(o, w.ours), "Authorization", header)
			if a.status != 401 || a.str("code") != "unauthorized" || a.header.Get("WWW-Authenticate") != "Bearer" {
				t.Errorf("%s %s with key %s: %d %s", o.method, o.path, name, a.status, a.text)
			}
		}
	}
}

func TestAccess_RootMakesClinicsAndKeys_AndNothingElse(t *testing.T) {
	w := newWorld(t)
	visit := w.createVisit()
	for _, o := range operations(w) {
		if !o.key {
			continue
		}
		a := w.ask(w.root, o.method, filled(o.path, w.ours, visit), bodyFor(o, w.ours))
		if may := strings.HasPrefix(o.path, "/v1/clinics"); may == (a.status == 403) {
			t.Errorf("%s %s: %d %s", o.method, o.path, a.status, a.text)
		}
	}
	w.ask(w.ours.key, "POST", "/v1/clinics", m{"name": "Mine"}).want(403, "forbidden")
}

func TestAccess_AnotherClinicsThings_AreNotThere(t *testing.T) {
	w := newWorld(t)
	visit := w.createVisit()
	before := w.ask(w.ours.key, "GET", "/v1/visits/"+visit.str("id"), nil).want(200)
	for _, o := range operations(w) {
		if !o.key || !strings.Contains(o.path, "{") {
			continue
		}
		theirs := w.ask(w.theirs.key, o.method, filled(o.path, w.ours, visit), bodyFor(o, w.theirs))
		none := w.ask(w.theirs.key, o.method, filled(o.path, tenant{"none", "", "none", "none"}, &answer{
			t: t, text: `{"id":"none","seats":[{"id":"none"}]}`,
		}), bodyFor(o, w.theirs))
		if theirs.status != 404 || theirs.text != none.text {
			t.Errorf("%s %s: %d %s; what is not there: %s", o.method, o.path, theirs.status, theirs.text, none.text)
		}
	}
	if after := w.ask(w.ours.key, "GET", "/v1/visits/"+visit.str("id"), nil).want(200); after.text != before.text {
		t.Errorf("changed by another clinic: %s", after.text)
	}
}

func TestAccess_StoreDown_IsRetry(t *testing.T) {
	down := false
	w := newWorld(t, func(c *Config) { c.Store = lostKeys{c.Store, &down} })
	down = true
	a := w.ask(w.ours.key, "GET", "/v1/rooms", nil).want(503, "retry")
	if a.header.Get("Retry-After") != "1" {
		t.Errorf("headers %v", a.header)
	}
}

// lostKeys cannot be reached for keys while down.
type lostKeys struct {
	store.Store
	down *bool
}

func (k lostKeys) KeyByHash(ctx context.Context, hash [32]byte) (rooms.APIKey, error) {
	if *k.down {
		return rooms.APIKey{}, store.ErrUnavailable
	}
	return k.Store.KeyByHash(ctx, hash)
}

func TestPersonalData_IsInNoLogAndNoError(t *testing.T) {
	w := newWorld(t)
	const marker = "Zaphod"
	mark := func(s string) string { return marker + s }
	visit := m{
		"room": w.ours.room, "externalId": mark("-1"), "reason": mark(" cough"),
		"patient": m{"name": mark(" B"), "language": "en"}, "guests": []m{{"role": "caregiver", "name": mark(" G")}},
	}
	v := w.ask(w.ours.key, "POST", "/v1/visits", visit, "Idempotency-Key", mark("k")).want(201)
	path := "/v1/visits/" + v.str("id")
	token := v.token("seats", 0, "link")
	w.ask("", "POST", "/v1/join", m{"token": token}).want(200)
	var errorsTold []*answer
	for _, body := range []any{
		m{"room": w.ours.room, "patient": m{"name": mark("\n")}},
		m{"room": w.ours.room, "patient": m{"name": strings.Repeat(marker, 50)}},
		m{"room": w.ours.room, "patient": m{"name": "x", "birthDate": marker, "language": mark("!")}},
		m{"room": w.ours.room, "patient": m{"name": "x"}, "scheduledAt": marker},
		m{"room": w.ours.room, "patient": marker},
		m{"room": marker, "patient": m{"name": "x"}},
		marker, `{"patient":"` + marker, `["` + marker + `"]`,
	} {
		errorsTold = append(errorsTold, w.ask(w.ours.key, "POST", "/v1/visits", body))
	}
	w.hub.failWith(errors.New("disk"))
	errorsTold = append(errorsTold, w.ask(w.ours.key, "POST", path+"/cancel", m{"reason": mark("r")}).want(500))
	w.hub.failWith(nil)
	errorsTold = append(errorsTold,
		w.ask(w.ours.key, "POST", "/v1/visits", m{"room": w.ours.room, "externalId": mark("-1"), "patient": m{"name": "x"}}).want(422),
		w.ask("", "POST", "/v1/join", m{"token": marker}).want(401),
		w.ask(mark("key"), "GET", path, nil).want(401),
		w.ask(w.ours.key, "GET", "/v1/visits?room="+w.ours.room+"&phase="+marker, nil).want(422))
	for _, a := range errorsTold {
		if a.status < 400 || strings.Contains(a.text, marker) {
			t.Errorf("%s: %d %s", a.what, a.status, a.text)
		}
	}
	if w.logs.Len() == 0 {
		t.Fatal("nothing was logged")
	}
	encoder := zapcore.NewJSONEncoder(zapcore.EncoderConfig{MessageKey: "m"})
	for _, e := range w.logs.All() {
		line, err := encoder.EncodeEntry(e.Entry, e.Context)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{marker, token, w.ours.key, w.root} {
			if strings.Contains(line.String(), secret) {
				t.Errorf("logged: %s", line)
			}
		}
	}
}

func TestPersonalData_IsNotKeptInReservations(t *testing.T) {
	var seen []store.Reservation
	w := newWorld(t, func(c *Config) { c.Store = reservations{c.Store, &seen} })
	visit := w.ours.visit()
	visit["externalId"] = "MRN-4711"
	w.ask(w.ours.key, "POST", "/v1/visits", visit, "Idempotency-Key", "Alex Morgan").want(201)
	if len(seen) != 2 {
		t.Fatalf("%d reservations", len(seen))
	}
	text, _ := json.Marshal(visit)
	for _, r := range seen {
		if strings.Contains(r.Key, "4711") || strings.Contains(r.Key, "Alex") || r.BodyHash == auth.HashAPIKey(string(text)) {
			t.Errorf("%+v", r)
		}
	}
}

type reservations struct {
	store.Store
	seen *[]store.Reservation
}

func (r reservations) Reserve(ctx context.Context, in store.Reservation) (store.Reservation, bool, error) {
	*r.seen = append(*r.seen, in)
	return r.Store.Reserve(ctx, in)
}

func TestPanic_IsAnsweredAndLoggedWithoutItsValue(t *testing.T) {
	counted := 0
	w := newWorld(t, func(c *Config) { c.Panicked = func() { counted++ } })
	id := w.createVisit().str("id")
	w.hub.mu.Lock()
	w.hub.rooms[rooms.RoomID(w.ours.room)] = nil
	w.hub.mu.Unlock()
	a := w.ask(w.ours.key, "GET", "/v1/visits/"+id, nil).want(500, "internal")
	if logged := w.logs.FilterMessage("api_panic").Len(); logged != 1 || counted != 1 {
		t.Errorf("%s; logged %d times, counted %d", a.text, logged, counted)
	}
}

func TestDescription_HasEveryRoute(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Dev = true })
	described := map[string]bool{}
	for _, o := range operations(w) {
		described[o.method+" "+o.path] = true
	}
	for _, route := range []string{
		"POST /v1/clinics", "GET /v1/clinics", "GET /v1/clinics/{clinic}", "PATCH /v1/clinics/{clinic}",
		"POST /v1/clinics/{clinic}/keys", "GET /v1/clinics/{clinic}/keys", "DELETE /v1/clinics/{clinic}/keys/{key}",
		"POST /v1/rooms", "GET /v1/rooms", "GET /v1/rooms/{room}", "PATCH /v1/rooms/{room}",
		"POST /v1/staff", "GET /v1/staff", "GET /v1/staff/{staff}", "PATCH /v1/staff/{staff}",
		"POST /v1/staff/{staff}/link", "DELETE /v1/staff/{staff}/link",
		"POST /v1/visits", "GET /v1/visits", "GET /v1/visits/{visit}", "POST /v1/visits/{visit}/cancel",
		"POST /v1/visits/{visit}/end", "POST /v1/visits/{visit}/guests",
		"POST /v1/visits/{visit}/seats/{seat}/link", "DELETE /v1/visits/{visit}/seats/{seat}/link",
		"POST /v1/join", "GET /v1/demo",
	} {
		if !described[route] {
			t.Errorf("%s is not described", route)
		}
		delete(described, route)
	}
	if len(described) > 0 {
		t.Errorf("described and not in this list: %v", described)
	}
}

func TestDescription_IsWhole(t *testing.T) {
	w := newWorld(t)
	a := w.ask("", "GET", "/openapi.json", nil).want(200)
	if a.str("openapi") != "3.1.0" || a.str("components", "securitySchemes", "key", "scheme") != "bearer" {
		t.Errorf("%s", a.text[:200])
	}
	if a.get("components", "schemas", "Problem", "properties", "code") == nil || strings.Contains(a.text, "ErrorDetail") {
		t.Error("errors are not described as they are")
	}
	schemas, _ := a.get("components", "schemas").(map[string]any)
	for _, part := range strings.Split(a.text, `"$ref": "#/components/schemas/`)[1:] {
		name, _, _ := strings.Cut(part, `"`)
		if _, ok := schemas[name]; !ok {
			t.Errorf("no schema %s", name)
		}
	}
}

func TestDocs_NeedNothingFromElsewhere(t *testing.T) {
	w := newWorld(t)
	page := w.ask("", "GET", "/docs", nil).want(200)
	for _, no := range []string{"<script", "style=", "src=", "http:", "https:"} {
		if strings.Contains(page.text, no) {
			t.Errorf("the page has %q", no)
		}
	}
	if !strings.Contains(page.header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Error("no policy")
	}
	for _, o := range operations(w) {
		if want := fmt.Sprintf("<b>%s</b> %s", o.method, o.path); !strings.Contains(page.text, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	for _, part := range strings.Split(page.text, `href="#`)[1:] {
		id, _, _ := strings.Cut(part, `"`)
		if !strings.Contains(page.text, `id="`+id+`"`) {
			t.Errorf("a link to nowhere: %s", id)
		}
	}
	if css := w.ask("", "GET", "/docs.css", nil).want(200); css.header.Get("Content-Type") != "text/css; charset=utf-8" {
		t.Errorf("style: %v", css.header)
	}
}
