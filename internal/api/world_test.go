package api

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/anteroom/anteroom/internal/auth"
	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/rooms/store/bolt"
	"github.com/anteroom/anteroom/rooms/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const public = "https://visit.example"

// clock is set by hand.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// world is an API over a real store, with two clinics.
type world struct {
	t       testing.TB
	clock   *clock
	store   *storetest.FaultyStore
	hub     *simpleHub
	keys    *auth.Keys
	handler http.Handler
	logs    *observer.ObservedLogs
	root    string
	ours    tenant
	theirs  tenant
}

// tenant is a clinic with a key, a room and a clinician.
type tenant struct {
	clinic, key, room, staff string
}

func newWorld(t testing.TB, change ...func(*Config)) *world {
	t.Helper()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "anteroom.db"), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	w := &world{t: t, clock: &clock{at: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}, store: storetest.Faulty(db)}
	w.hub = newSimpleHub(w.store, w.clock.now)
	if w.keys, err = auth.New(bytes.Repeat([]byte("k"), auth.SecretSize)); err != nil {
		t.Fatal(err)
	}
	var hash [32]byte
	if w.root, hash, err = auth.NewAPIKey(rand.Reader); err != nil {
		t.Fatal(err)
	}
	core, logs := observer.New(zap.DebugLevel)
	w.logs = logs
	cfg := Config{
		Store: w.store, Hub: w.hub, Keys: w.keys, RootKey: hash, Logger: zap.New(core), Version: "test",
		PublicURL:  func(*http.Request) string { return public },
		ClientAddr: func(r *http.Request) netip.Addr { return netip.MustParseAddrPort(r.RemoteAddr).Addr() },
		Now:        w.clock.now, Random: rand.Reader,
	}
	for _, f := range change {
		f(&cfg)
	}
	if w.handler, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	w.ours, w.theirs = w.tenant("Ours"), w.tenant("Theirs")
	return w
}

func (w *world) tenant(name string) tenant {
	w.t.Helper()
	var n tenant
	n.clinic = w.ask(w.root, "POST", "/v1/clinics", m{"name": name}).want(201).str("id")
	n.key = w.ask(w.root, "POST", "/v1/clinics/"+n.clinic+"/keys", m{"name": "tests"}).want(201).str("key")
	n.room = w.ask(n.key, "POST", "/v1/rooms", m{"name": name + " room"}).want(201).str("id")
	n.staff = w.ask(n.key, "POST", "/v1/staff", m{"name": name + " clinician", "role": "clinician", "rooms": []string{n.room}}).want(201).str("id")
	return n
}

type m map[string]any

// answer is a response, read.
type answer struct {
	t      testing.TB
	what   string
	status int
	header http.Header
	text   string
	cookie []*http.Cookie
}

// ask sends a request; headers are name, value pairs. A string body is sent as it is.
func (w *world) ask(key, method, path string, body any, headers ...string) *answer {
	w.t.Helper()
	var text string
	switch b := body.(type) {
	case nil:
	case string:
		text = b
	default:
		j, err := json.Marshal(b)
		if err != nil {
			w.t.Fatal(err)
		}
		text = string(j)
	}
	r := httptest.NewRequest(method, path, strings.NewReader(text))
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	res := rec.Result()
	return &answer{
		t: w.t, what: method + " " + path, status: res.StatusCode, header: res.Header,
		text: rec.Body.String(), cookie: res.Cookies(),
	}
}

// want fails unless the status is as wanted and errors are problems.
func (a *answer) want(status int, code ...string) *answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("%s: status %d, want %d: %s", a.what, a.status, status, a.text)
	}
	if status >= 400 && a.header.Get("Content-Type") != "application/problem+json" {
		a.t.Errorf("%s: content type %q", a.what, a.header.Get("Content-Type"))
	}
	if len(code) > 0 && a.str("code") != code[0] {
		a.t.Errorf("%s: code %q, want %q: %s", a.what, a.str("code"), code[0], a.text)
	}
	return a
}

// get follows a path of keys and indices into the body.
func (a *answer) get(path ...any) any {
	a.t.Helper()
	var v any
	if err := json.Unmarshal([]byte(a.text), &v); err != nil {
		a.t.Fatalf("%s: %v: %s", a.what, err, a.text)
	}
	for _, p := range path {
		switch p := p.(type) {
		case string:
			o, _ := v.(map[string]any)
			v = o[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				a.t.Fatalf("%s: no element %d in %s", a.what, p, a.text)
			}
			v = l[p]
		}
	}
	return v
}

func (a *answer) str(path ...any) string {
	a.t.Helper()
	if v := a.get(path...); v != nil {
		return fmt.Sprint(v)
	}
	return ""
}

func (a *answer) token(path ...any) string {
	a.t.Helper()
	_, token, ok := strings.Cut(a.str(path...), "#")
	if !ok {
		a.t.Fatalf("no link at %v of %s", path, a.text)
	}
	return token
}

func (n tenant) visit() m {
	return m{"room": n.room, "patient": m{"name": "Alex Morgan", "birthDate": "1984-03-12"}}
}

func (w *world) createVisit() *answer {
	w.t.Helper()
	return w.ask(w.ours.key, "POST", "/v1/visits", w.ours.visit()).want(201)
}

// command does something to a visit as a person would.
func (w *world) command(visit *answer, actor rooms.Actor, do rooms.Action) {
	w.t.Helper()
	_, err := w.hub.Do(w.t.Context(), rooms.RoomID(visit.str("room")), rooms.Command{
		Actor: actor, Client: rooms.NewID(w.clock.now(), rand.Reader), ID: 1, Visit: rooms.VisitID(visit.str("id")), Do: do,
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) admitPatient(visit *answer) {
	w.t.Helper()
	patient := rooms.SeatID(visit.str("seats", 0, "id"))
	w.command(visit, rooms.Actor{Seat: patient}, rooms.CheckIn{})
	w.command(visit, rooms.Actor{Staff: rooms.StaffID(w.ours.staff), Name: "C", Role: rooms.Clinician}, rooms.Admit{Seat: patient})
}

var _ store.Store = (*storetest.FaultyStore)(nil)
