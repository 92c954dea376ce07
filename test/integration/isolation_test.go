package integration

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/anteroom/anteroom/signaling/wire"
)

// route is one operation of the REST API, from its own description.
type route struct {
	id, method, path string
	needsKey         bool
	queries          []string
	fields           []string // of the body, those within it too
}

// routes reads the description that the server gives of itself, so that none is forgotten.
func routes(t *testing.T, s *server) (all []route) {
	t.Helper()
	type schema struct {
		Ref        string `json:"$ref"`
		Items      *json.RawMessage
		Properties map[string]json.RawMessage
	}
	type operation struct {
		OperationID string
		Security    []any
		Parameters  []struct{ Name, In string }
		RequestBody struct {
			Content map[string]struct{ Schema json.RawMessage }
		}
	}
	var description struct {
		Paths      map[string]map[string]operation
		Components struct {
			Schemas map[string]json.RawMessage
		}
	}
	must(t, json.Unmarshal([]byte(s.ask(t, http.MethodGet, "/openapi.json", nil, nil).body), &description))
	var fieldsOf func(raw json.RawMessage) []string
	fieldsOf = func(raw json.RawMessage) (names []string) {
		var of schema
		must(t, json.Unmarshal(raw, &of))
		if of.Ref != "" {
			return fieldsOf(description.Components.Schemas[of.Ref[strings.LastIndexByte(of.Ref, '/')+1:]])
		}
		if of.Items != nil {
			names = fieldsOf(*of.Items)
		}
		for name, property := range of.Properties {
			names = append(append(names, name), fieldsOf(property)...)
		}
		return names
	}
	for path, methods := range description.Paths {
		for method, op := range methods {
			r := route{id: op.OperationID, method: strings.ToUpper(method), path: path, needsKey: len(op.Security) > 0}
			for _, p := range op.Parameters {
				if p.In == "query" {
					r.queries = append(r.queries, p.Name)
				}
			}
			if body, ok := op.RequestBody.Content["application/json"]; ok {
				r.fields = fieldsOf(body.Schema)
			}
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b route) int { return strings.Compare(a.id, b.id) })
	return all
}

// What a request may name, by the kind of its id, and what it says besides: all fields are one or the other.
var (
	restIDs = map[string]string{
		"clinic": "clinic", "key": "key", "room": "room", "staff": "staff", "visit": "visit", "seat": "seat", // of paths
		"after": "visit", "expected": "staff", "rooms": "room", // of queries and bodies
	}
	restPlain = []string{
		"name", "phone", "order", "retentionHours", "usualWait", "from", "to", "role", "disabled", "hours", "externalId", "patient",
		"reason", "scheduledAt", "lengthMinutes", "guests", "birthDate", "language", "interpreter", "disposition", "phase", "limit", "links",
	}
	signalIDs   = map[string]string{"visit": "visit", "seat": "seat", "thread": "seat", "to": "staff", "before": "visit", "room": "room"}
	signalPlain = []string{"nextMs", "sdp", "audio", "video", "text", "on", "reason", "role", "name", "language", "disposition"}
)

// bodies are valid ones, with a tenant's own ids.
var bodies = map[string]func(ids) object{
	"create-key":        func(ids) object { return object{"name": "x"} },
	"change-clinic":     func(ids) object { return object{} },
	"create-room":       func(ids) object { return object{"name": "x"} },
	"change-room":       func(ids) object { return object{} },
	"create-staff":      func(i ids) object { return object{"name": "x", "role": "staff", "rooms": []string{i["room"]}} },
	"change-staff":      func(i ids) object { return object{"rooms": []string{i["room"]}} },
	"create-staff-link": func(ids) object { return object{} },
	"create-visit": func(i ids) object {
		return object{"room": i["room"], "patient": object{"name": "x"}, "expected": []string{i["staff"]}}
	},
	"cancel-visit": func(ids) object { return object{} },
	"end-visit":    func(ids) object { return object{"disposition": "done"} },
	"invite-guest": func(ids) object { return object{"role": "observer", "name": "x"} },
}

// names are what a request of the route may name.
func (r route) names(t *testing.T) (all []string) {
	t.Helper()
	named := slices.Concat(r.queries, r.fields)
	for part := range strings.SplitSeq(r.path, "/") {
		if strings.HasPrefix(part, "{") {
			named = append(named, strings.Trim(part, "{}"))
		}
	}
	for _, name := range named {
		if _, ok := restIDs[name]; ok {
			all = append(all, name)
		} else if !slices.Contains(restPlain, name) {
			t.Errorf("%s: is %q an id?", r.id, name)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// request sends one of the route with these ids.
func (r route) request(t *testing.T, s *server, i ids, header http.Header) restAnswer {
	t.Helper()
	path := r.path
	for name, id := range i {
		path = strings.ReplaceAll(path, "{"+name+"}", id)
	}
	query := url.Values{}
	for _, name := range r.queries {
		if id, ok := i[name]; ok {
			query.Set(name, id)
		}
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	var body any
	if build, ok := bodies[r.id]; ok {
		filled := build(i)
		for field := range filled {
			switch value := filled[field].(type) {
			case string:
				if id, ok := i[field]; ok && restIDs[field] != "" {
					filled[field] = id
				}
			case []string:
				if id, ok := i[field]; ok {
					value[0] = id
				}
			}
		}
		body = filled
	}
	return s.ask(t, r.method, path, body, header)
}

// variants are each of the names alone, and all together.
func variants(names []string) (all [][]string) {
	for _, name := range names {
		all = append(all, []string{name})
	}
	if len(names) > 1 {
		all = append(all, names)
	}
	return all
}

// naming is the tenant's ids but for some: those are another tenant's, and then nobody's.
func (n *tenant) naming(other *tenant, names []string, kinds map[string]string) (others, nobodys ids) {
	others, nobodys = maps.Clone(n.ids), maps.Clone(n.ids)
	for _, name := range names {
		id := other.ids[kinds[name]]
		others[name], nobodys[name] = id, none(id)
	}
	return others, nobodys
}

// none is an id of the same form, which is not there. It sorts like the one that is.
func none(id string) string {
	last := id[len(id)-1]
	if last == 'z' {
		return id[:len(id)-1] + "y"
	}
	return id[:len(id)-1] + string(last+1)
}

// TestIsolation_REST_WhatIsAnotherClinics_IsAnsweredLikeWhatIsNotThere puts another clinic's ids into every place of every route
// that takes one. Status, headers, body and what the server does for it must be those of an id that nobody has.
func TestIsolation_REST_WhatIsAnotherClinics_IsAnsweredLikeWhatIsNotThere(t *testing.T) {
	w := &watch{}
	l := startWatched(t, w)
	ours, theirs := newTenant(t, l, "Ours"), newTenant(t, l, "Theirs")
	before := theirs.shown(t, routes(t, &l.server))
	tried := 0
	for _, r := range routes(t, &l.server) {
		if !r.needsKey || r.id == "create-clinic" { // which takes no clinic's key
			continue
		}
		if _, ok := bodies[r.id]; !ok && len(r.fields) > 0 {
			t.Errorf("no example of %s", r.id)
			continue
		}
		for _, variant := range variants(r.names(t)) {
			their, nobody := ours.naming(theirs, variant, restIDs)
			w.take()
			got := r.request(t, ours.server, their, nil)
			did := w.take()
			want := r.request(t, ours.server, nobody, nil)
			wanted := w.take()
			if got != want {
				t.Errorf("%s with another's %v: %+v\nwith nobody's: %+v", r.id, variant, got, want)
			}
			if did != wanted {
				t.Errorf("%s with another's %v: the server does %s\nwith nobody's: %s", r.id, variant, did, wanted)
			}
			if cursor := slices.Equal(variant, []string{"after"}); got.status != 404 && got.status != 422 && !cursor {
				t.Errorf("%s with another's %v: %+v", r.id, variant, got)
			}
			tried++
		}
	}
	if tried < 30 {
		t.Errorf("only %d requests were tried", tried)
	}
	if after := theirs.shown(t, routes(t, &l.server)); after != before {
		t.Errorf("changed:\n%s\n%s", before, after)
	}
	if told := theirs.told(t); len(told) > 0 {
		t.Errorf("told: %v", told)
	}
	reportTimes(t, ours, theirs)
}

// A clinic's own identifiers and keys that make requests repeatable are its own: another's were never used here.
func TestIsolation_REST_WhatWasUsedByAnotherClinic_IsNew(t *testing.T) {
	l := startLocal(t)
	ours, theirs := newTenant(t, l, "Ours"), newTenant(t, l, "Theirs")
	header := http.Header{"Idempotency-Key": {"a key"}}
	for _, body := range []object{{"externalId": "MRN 4711"}, {}} {
		for _, n := range []*tenant{theirs, ours} {
			body["room"], body["patient"] = n.room, object{"name": "x"}
			got := n.ask(t, http.MethodPost, "/v1/visits", body, header)
			if got.status != http.StatusCreated {
				t.Errorf("%v: %+v", body, got)
			}
			if again := n.ask(t, http.MethodPost, "/v1/visits", body, header); again.status != http.StatusOK || again.body != got.body {
				t.Errorf("again: %+v, not %+v", again, got)
			}
		}
		header.Set("Idempotency-Key", "another key")
	}
}

// shown is everything that a clinic's key shows it.
func (n *tenant) shown(t *testing.T, all []route) string {
	t.Helper()
	var text strings.Builder
	i := maps.Clone(n.ids)
	delete(i, "after")
	for _, r := range all {
		if r.method == http.MethodGet && r.needsKey {
			fmt.Fprintf(&text, "%s: %v\n", r.id, r.request(t, n.server, i, nil))
		}
	}
	return text.String()
}

// reportTimes measures how long the two answers take. It only tells: machines are noisy, and that the same is done for both has been
// asked already.
func reportTimes(t *testing.T, ours, theirs *tenant) {
	t.Helper()
	var took [2][]time.Duration
	for range 100 {
		for i, id := range []string{theirs.ids["visit"], none(theirs.ids["visit"])} {
			began := time.Now()
			ours.ask(t, http.MethodGet, "/v1/visits/"+id, nil, nil)
			took[i] = append(took[i], time.Since(began))
		}
	}
	slices.Sort(took[0])
	slices.Sort(took[1])
	t.Logf("a visit of another clinic is refused in %v, one that is not there in %v (medians of 100)", took[0][50], took[1][50])
}

// signals are valid data of every request, with a tenant's own ids.
var signals = map[wire.Type]func(ids) object{
	wire.TypePing:     func(ids) object { return object{} },
	wire.TypeOffer:    func(ids) object { return object{"sdp": "v=0"} },
	wire.TypeMedia:    func(ids) object { return object{"audio": "off", "video": "off"} },
	wire.TypeCheckIn:  func(ids) object { return object{} },
	wire.TypeLeave:    func(ids) object { return object{} },
	wire.TypeChat:     func(i ids) object { return i.fields("visit", "thread").and("text", "hello") },
	wire.TypePrepare:  func(i ids) object { return i.fields("visit", "seat").and("on", true) },
	wire.TypeAdmit:    func(i ids) object { return i.fields("visit", "seat") },
	wire.TypeJoin:     func(i ids) object { return i.fields("visit", "seat") },
	wire.TypeHold:     func(i ids) object { return i.fields("visit", "seat") },
	wire.TypeResume:   func(i ids) object { return i.fields("visit", "seat") },
	wire.TypeReturn:   func(i ids) object { return i.fields("visit", "seat") },
	wire.TypeRemove:   func(i ids) object { return i.fields("visit", "seat") },
	wire.TypeNoShow:   func(i ids) object { return i.fields("visit", "seat") },
	wire.TypeHandOver: func(i ids) object { return i.fields("visit", "to") },
	wire.TypeInvite:   func(i ids) object { return i.fields("visit").and("role", "interpreter").and("name", "Ivy") },
	wire.TypeLock:     func(i ids) object { return i.fields("visit").and("on", true) },
	wire.TypeMove:     func(i ids) object { return i.fields("visit", "before").and("reason", "in pain") },
	wire.TypeRooms:    func(ids) object { return object{} },
	wire.TypeTransfer: func(i ids) object { return i.fields("visit", "room").and("reason", "a rash") },
	wire.TypeEnd:      func(i ids) object { return i.fields("visit").and("disposition", "done") },
	wire.TypeCancel:   func(i ids) object { return i.fields("visit").and("reason", "ill") },
}

func (i ids) fields(names ...string) object {
	o := object{}
	for _, name := range names {
		o[name] = i[name]
	}
	return o
}
