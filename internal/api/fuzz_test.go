package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"go.uber.org/zap"
)

// bodied is one of the API's that has a body.
type bodied struct{ method, path, key string }

// operations reads them from the API's own description, so that none is forgotten, and puts in what there is.
func (w *world) operations() []bodied {
	w.t.Helper()
	visit := w.createVisit()
	there := strings.NewReplacer("{clinic}", w.ours.clinic, "{room}", w.ours.room, "{staff}", w.ours.staff,
		"{visit}", visit.str("id"), "{seat}", visit.str("seats", 0, "id"))
	var description struct {
		Paths map[string]map[string]struct{ RequestBody *struct{} }
	}
	if err := json.Unmarshal([]byte(w.ask("", "GET", "/openapi.json", nil).want(200).text), &description); err != nil {
		w.t.Fatal(err)
	}
	var all []bodied
	for path, methods := range description.Paths {
		for method, is := range methods {
			if is.RequestBody == nil {
				continue
			}
			o := bodied{strings.ToUpper(method), there.Replace(path), w.ours.key}
			if strings.Contains(o.path, "{") {
				w.t.Fatalf("nothing is known to put into %s", o.path)
			}
			if strings.HasPrefix(path, "/v1/clinics") {
				o.key = w.root
			}
			all = append(all, o)
		}
	}
	slices.SortFunc(all, func(a, b bodied) int { return strings.Compare(a.method+a.path, b.method+b.path) })
	if len(all) < 8 {
		w.t.Fatalf("found %d operations with a body", len(all))
	}
	return all
}

// FuzzBodies: whatever a body is, of whatever request, it is done or refused with a code; never is it our fault. "@ours" and
// "@theirs" in a body stand for rooms, which have other identifiers in each process of a fuzz test.
func FuzzBodies(f *testing.F) {
	w := newWorld(f, func(c *Config) { c.Logger, c.Dev = zap.NewNop(), true }) // in development nobody tries too often
	w.logs = nil
	rooms := strings.NewReplacer("@ours", w.ours.room, "@theirs", w.theirs.room)
	all := w.operations()
	seeds := []string{
		``, `{}`, `null`, `[]`, `{"name":"Riverside","phone":"555 0100"}`, `{"name":"A\u0000B"}`, `{"name":"` + strings.Repeat("x", 300) + `"}`,
		`{"token":"a.b.c"}`, `{"hours":1e99}`, `{"hours":-1}`, `{"name":"Dr","role":"clinician","rooms":["@ours"]}`,
		`{"room":"@ours","patient":{"name":"Alex","birthDate":"1984-03-12"},"guests":[{"role":"interpreter","name":"Rui","language":"pt"}]}`,
		`{"room":"@theirs","patient":{"name":"Alex"}}`, `{"disposition":"done"}`, `{"reason":"ill"}`, `{"role":"specialist","name":"Dr. Chen"}`,
		`{"scheduledAt":"9999-99-99T99:99:99Z"}`, "{\"name\":\"\xff\"}", `{"name":{"name":{"name":[]}}}`, `{"retentionHours":99999999999999999999}`,
	}
	for i := range all {
		for _, seed := range seeds {
			f.Add(uint8(i), []byte(seed)) //nolint:gosec // few
		}
	}
	f.Fuzz(func(t *testing.T, index uint8, body []byte) {
		o := all[int(index)%len(all)]
		r := httptest.NewRequest(o.method, o.path, strings.NewReader(rooms.Replace(string(body))))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+o.key)
		r.RemoteAddr = "127.0.0.1:1"
		rec := httptest.NewRecorder()
		w.handler.ServeHTTP(rec, r)
		if rec.Code < 400 {
			return
		}
		var p Problem
		if err := json.Unmarshal(rec.Body.Bytes(), &p); err != nil || p.Status != rec.Code || p.Code == "" || rec.Code >= http.StatusInternalServerError {
			t.Errorf("%s %s with %q: %d %s, %v", o.method, o.path, body, rec.Code, rec.Body, err)
		}
	})
}
