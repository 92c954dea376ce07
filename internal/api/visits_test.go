package api

import (
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
)

func TestCreateVisit_AnswersOneLinkAPerson(t *testing.T) {
	w := newWorld(t)
	body := w.ours.visit()
	body["externalId"] = "A-17"
	body["reason"] = "Cough"
	body["scheduledAt"] = "2026-03-01T10:30:00+01:00"
	body["lengthMinutes"] = 20
	body["expected"] = []string{w.ours.staff}
	body["patient"] = m{"name": "Alex Morgan", "birthDate": "1984-03-12", "language": "pt-BR", "interpreter": true}
	body["guests"] = []m{{"role": "specialist", "name": "Dr. Haddad"}, {"role": "interpreter", "name": "Rui", "language": "pt"}}
	v := w.ask(w.ours.key, "POST", "/v1/visits", body).want(201)

	for path, want := range map[string]string{
		"phase": "scheduled", "externalId": "A-17", "reason": "Cough", "scheduledAt": "2026-03-01T09:30:00Z",
		"lengthMinutes": "20", "room": w.ours.room,
	} {
		if got := v.str(path); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
	if v.str("expected", 0) != w.ours.staff || v.str("seats", 0, "interpreter") != "true" || v.str("seats", 2, "language") != "pt" {
		t.Errorf("%s", v.text)
	}
	links := map[string]bool{}
	for i, role := range []string{"patient", "specialist", "interpreter"} {
		if v.str("seats", i, "role") != role || v.str("seats", i, "state") != "expected" {
			t.Errorf("seat %d: %s", i, v.text)
		}
		link := v.str("seats", i, "link")
		links[link] = true
		if !strings.HasPrefix(link, public+"/join#") {
			t.Errorf("link %q", link)
		}
		w.ask("", "POST", "/v1/join", m{"token": v.token("seats", i, "link")}).want(200)
	}
	if len(links) != 3 {
		t.Errorf("%d links", len(links))
	}
	if again := w.ask(w.ours.key, "GET", "/v1/visits/"+v.str("id"), nil).want(200); again.text != v.text {
		t.Errorf("read %s, made %s", again.text, v.text)
	}
}

func TestCreateVisit_LongestNames_AreTaken(t *testing.T) {
	w := newWorld(t)
	body := w.ours.visit()
	longest := strings.Repeat("é", 120)
	body["patient"], body["guests"] = m{"name": longest}, []m{{"role": "observer", "name": longest}}
	if v := w.ask(w.ours.key, "POST", "/v1/visits", body).want(201); v.str("seats", 1, "name") != longest {
		t.Error("not as it was given")
	}
}

func TestCreateVisit_BadValues_AreRefused(t *testing.T) {
	w := newWorld(t)
	with := func(field string, value any) m {
		b := w.ours.visit()
		b[field] = value
		return b
	}
	guests := make([]m, 16)
	for i := range guests {
		guests[i] = m{"role": "observer", "name": "x"}
	}
	for name, body := range map[string]m{
		"no room":               {"patient": m{"name": "x"}},
		"unknown room":          with("room", "none"),
		"another clinic's room": with("room", w.theirs.room),
		"no patient":            {"room": w.ours.room},
		"patient without name":  with("patient", m{"name": ""}),
		"blank name":            with("patient", m{"name": " "}),
		"long name":             with("patient", m{"name": strings.Repeat("x", 121)}),
		"name of two lines":     with("patient", m{"name": "a\nb"}),
		"birth date":            with("patient", m{"name": "x", "birthDate": "1984-02-30"}),
		"birth date to come":    with("patient", m{"name": "x", "birthDate": "2026-04-01"}),
		"language":              with("patient", m{"name": "x", "language": "not a tag"}),
		"long reason":           with("reason", strings.Repeat("x", 501)),
		"date":                  with("scheduledAt", "tomorrow"),
		"date of long ago":      with("scheduledAt", "1026-03-01T09:30:00Z"),
		"length":                with("lengthMinutes", 1441),
		"unknown staff":         with("expected", []string{"none"}),
		"another clinic's":      with("expected", []string{w.theirs.staff}),
		"guest without role":    with("guests", []m{{"name": "x"}}),
		"guest as patient":      with("guests", []m{{"role": "patient", "name": "x"}}),
		"guest as clinician":    with("guests", []m{{"role": "clinician", "name": "x"}}),
		"guest without name":    with("guests", []m{{"role": "observer", "name": ""}}),
		"too many guests":       with("guests", guests),
		"external identifier":   with("externalId", "a\x00b"),
		"unknown field":         with("phase", "active"),
	} {
		t.Run(name, func(t *testing.T) {
			w := *w
			w.t = t
			w.ask(w.ours.key, "POST", "/v1/visits", body).want(422, "bad_value")
		})
	}
}

func TestCreateVisit_Repeated_AnswersTheSameVisit(t *testing.T) {
	other := func(b m) m {
		b = maps.Clone(b)
		b["reason"] = "other"
		return b
	}
	w := newWorld(t)
	plain := w.ours.visit()
	external := maps.Clone(plain)
	external["externalId"] = "A-1"
	w.ask(w.ours.key, "POST", "/v1/visits", plain, "Idempotency-Key", "k1").want(201)
	w.ask(w.ours.key, "POST", "/v1/visits", external).want(201)
	both := maps.Clone(plain)
	both["externalId"] = "A-2"
	w.ask(w.ours.key, "POST", "/v1/visits", both, "Idempotency-Key", "k2").want(201)

	for name, c := range map[string]struct {
		key    string
		body   m
		status int
	}{
		"same key":                          {"k1", plain, 200},
		"same key, other body":              {"k1", other(plain), 422},
		"other key":                         {"k3", plain, 201},
		"no key":                            {"", plain, 201},
		"same identifier":                   {"", external, 200},
		"same identifier, other body":       {"", other(external), 422},
		"same identifier, other key":        {"k4", external, 200},
		"same identifier, key of another":   {"k1", external, 422},
		"both the same":                     {"k2", both, 200},
		"key of a visit with an identifier": {"k2", plain, 422},
	} {
		t.Run(name, func(t *testing.T) {
			w := *w
			w.t = t
			a := w.ask(w.ours.key, "POST", "/v1/visits", c.body, "Idempotency-Key", c.key).want(c.status)
			if replayed := a.header.Get("Idempotent-Replayed"); (replayed == "true") != (c.status == 200) {
				t.Errorf("Idempotent-Replayed: %q", replayed)
			}
			if c.status == 422 {
				a.want(422, "idempotency_mismatch")
			}
			if c.status == 200 && a.str("seats", 0, "link") == "" {
				t.Errorf("no link in %s", a.text)
			}
		})
	}
}

func TestCreateVisit_OtherClinicsKeys_AreApart(t *testing.T) {
	w := newWorld(t)
	ours, theirs := w.ours.visit(), w.theirs.visit()
	ours["externalId"], theirs["externalId"] = "A-1", "A-1"
	first := w.ask(w.ours.key, "POST", "/v1/visits", ours, "Idempotency-Key", "k").want(201)
	second := w.ask(w.theirs.key, "POST", "/v1/visits", theirs, "Idempotency-Key", "k").want(201)
	if first.str("id") == second.str("id") {
		t.Error("one visit for two clinics")
	}
}

func TestCreateVisit_AtOnce_IsOneVisit(t *testing.T) {
	w := newWorld(t)
	body := w.ours.visit()
	body["externalId"] = "A-1"
	const n = 20
	answers := make([]*answer, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			answers[i] = w.ask(w.ours.key, "POST", "/v1/visits", body, "Idempotency-Key", fmt.Sprint("k", i%3))
		})
	}
	wg.Wait()
	ids, made := map[string]bool{}, 0
	for _, a := range answers {
		ids[a.str("id")] = true
		if a.status == 201 {
			made++
		} else {
			a.want(200)
		}
	}
	all := w.ask(w.ours.key, "GET", "/v1/visits?room="+w.ours.room, nil).want(200)
	if items, _ := all.get("items").([]any); len(ids) != 1 || made != 1 || len(items) != 1 {
		t.Errorf("%d ids, %d made, %d there", len(ids), made, len(items))
	}
}

func TestCreateVisit_CrashAfterReserving_IsMadeByTheRepeat(t *testing.T) {
	w := newWorld(t)
	body := w.ours.visit()
	body["externalId"] = "A-1"
	w.hub.failWith(fmt.Errorf("%w: stopped", store.ErrUnavailable))
	a := w.ask(w.ours.key, "POST", "/v1/visits", body, "Idempotency-Key", "k").want(503, "retry")
	if a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	w.hub.failWith(nil)
	made := w.ask(w.ours.key, "POST", "/v1/visits", body, "Idempotency-Key", "k").want(201)
	again := w.ask(w.ours.key, "POST", "/v1/visits", body, "Idempotency-Key", "k").want(200)
	if made.text != again.text {
		t.Errorf("made %s, again %s", made.text, again.text)
	}
}

func TestCreateVisit_KeyAfterADay_IsForgotten_IdentifierIsNot(t *testing.T) {
	w := newWorld(t)
	plain, external := w.ours.visit(), w.ours.visit()
	external["externalId"] = "A-1"
	w.ask(w.ours.key, "POST", "/v1/visits", plain, "Idempotency-Key", "k").want(201)
	w.ask(w.ours.key, "POST", "/v1/visits", external).want(201)
	w.clock.add(IdempotencyAge + time.Second)
	if err := w.store.Expire(t.Context(), w.clock.now().Add(-IdempotencyAge)); err != nil {
		t.Fatal(err)
	}
	w.ask(w.ours.key, "POST", "/v1/visits", plain, "Idempotency-Key", "k").want(201)
	w.ask(w.ours.key, "POST", "/v1/visits", external).want(200)
}

func TestVisit_AfterErasure_SaysThatItWas(t *testing.T) {
	w := newWorld(t)
	body := w.ours.visit()
	body["externalId"] = "A-1"
	v := w.ask(w.ours.key, "POST", "/v1/visits", body).want(201)
	path := "/v1/visits/" + v.str("id")
	w.ask(w.ours.key, "POST", path+"/cancel", nil).want(200)
	w.command(v, rooms.Actor{System: true}, rooms.Erase{})

	for name, a := range map[string]*answer{
		"read": w.ask(w.ours.key, "GET", path, nil).want(200), "made again": w.ask(w.ours.key, "POST", "/v1/visits", body).want(200),
	} {
		if a.str("erasedAt") == "" || a.str("phase") != "cancelled" || strings.Contains(a.text, "Alex") || a.str("seats", 0, "link") != "" {
			t.Errorf("%s: %s", name, a.text)
		}
	}
	w.ask("", "POST", "/v1/join", m{"token": v.token("seats", 0, "link")}).want(410, "visit_over")
}

func TestListVisits_PagesByRoomAndPhase(t *testing.T) {
	w := newWorld(t)
	var want []string
	for i := range 7 {
		v := w.createVisit()
		if i%2 == 1 {
			w.ask(w.ours.key, "POST", "/v1/visits/"+v.str("id")+"/cancel", nil).want(200)
		} else {
			want = append(want, v.str("id"))
		}
		w.clock.add(time.Second)
	}
	var got []string
	after := ""
	for pages := 1; ; pages++ {
		a := w.ask(w.ours.key, "GET", "/v1/visits?phase=scheduled&limit=2&room="+w.ours.room+"&after="+after, nil).want(200)
		items, _ := a.get("items").([]any)
		for i := range items {
			got = append(got, a.str("items", i, "id"))
			if a.str("items", i, "seats", 0, "link") != "" {
				t.Error("links without being asked")
			}
		}
		if after = a.str("next"); after == "" {
			break
		}
		if pages > 4 {
			t.Fatal("no end")
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	all := w.ask(w.ours.key, "GET", "/v1/visits?links=true&room="+w.ours.room, nil).want(200)
	if all.str("items", 0, "seats", 0, "link") == "" || all.str("items", 1, "seats", 0, "link") != "" || all.str("next") != "" {
		t.Errorf("with links: %s", all.text)
	}
	for query, status := range map[string]int{
		"": 422, "?room=none": 404, "?room=" + w.theirs.room: 404, "?room=" + w.ours.room + "&phase=gone": 422,
		"?room=" + w.ours.room + "&limit=101": 422, "?room=" + w.ours.room + "&limit=0": 422,
	} {
		w.ask(w.ours.key, "GET", "/v1/visits"+query, nil).want(status)
	}
}

func TestCommands_OnAVisit(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		admit  bool
		before string // a command that was given before
		path   string
		body   m
		status int
		code   string
	}{
		"cancel":                     {path: "/cancel", body: m{"reason": "ill"}, status: 200},
		"cancel without reason":      {path: "/cancel", status: 200},
		"cancel again":               {before: "/cancel", path: "/cancel", status: 200},
		"cancel under way":           {admit: true, path: "/cancel", status: 409, code: "already_admitted"},
		"cancel what has ended":      {before: "/end", path: "/cancel", status: 410, code: "visit_over"},
		"cancel with a long reason":  {path: "/cancel", body: m{"reason": strings.Repeat("x", 501)}, status: 422, code: "bad_value"},
		"end":                        {admit: true, path: "/end", body: m{"disposition": "done"}, status: 200},
		"end again":                  {before: "/end", path: "/end", body: m{"disposition": "done"}, status: 200},
		"end without disposition":    {path: "/end", body: m{}, status: 422, code: "bad_value"},
		"end with an unknown one":    {path: "/end", body: m{"disposition": "x"}, status: 422, code: "bad_value"},
		"end what was cancelled":     {before: "/cancel", path: "/end", body: m{"disposition": "done"}, status: 410, code: "visit_over"},
		"invite":                     {path: "/guests", body: m{"role": "caregiver", "name": "Sam"}, status: 201},
		"invite under way":           {admit: true, path: "/guests", body: m{"role": "caregiver", "name": "Sam"}, status: 201},
		"invite a clinician":         {path: "/guests", body: m{"role": "clinician", "name": "Sam"}, status: 422, code: "bad_value"},
		"invite nobody":              {path: "/guests", body: m{"role": "caregiver", "name": " "}, status: 422, code: "bad_value"},
		"invite after the end":       {before: "/end", path: "/guests", body: m{"role": "caregiver", "name": "Sam"}, status: 410, code: "visit_over"},
		"link of no seat":            {path: "/seats/none/link", status: 404, code: "no_seat"},
		"link after the end":         {before: "/end", path: "/seats/SEAT/link", status: 410, code: "visit_over"},
		"link of the patient's seat": {path: "/seats/SEAT/link", status: 201},
	} {
		t.Run(name, func(t *testing.T) {
			w := *w
			w.t = t
			v := w.createVisit()
			path := "/v1/visits/" + v.str("id")
			if c.admit {
				w.admitPatient(v)
				defer w.ask(w.ours.key, "POST", path+"/end", m{"disposition": "done"}) // a clinician is in one visit at a time
			}
			switch c.before {
			case "/cancel":
				w.ask(w.ours.key, "POST", path+c.before, nil).want(200)
			case "/end":
				w.ask(w.ours.key, "POST", path+c.before, m{"disposition": "done"}).want(200)
			}
			var body any
			if c.body != nil {
				body = c.body
			}
			a := w.ask(w.ours.key, "POST", path+strings.Replace(c.path, "SEAT", v.str("seats", 0, "id"), 1), body).want(c.status)
			if c.code != "" {
				a.want(c.status, c.code)
			}
		})
	}
}

func TestInvite_WithOneKey_IsOneSeat(t *testing.T) {
	w := newWorld(t)
	path := "/v1/visits/" + w.createVisit().str("id")
	guest := m{"role": "caregiver", "name": "Sam"}
	first := w.ask(w.ours.key, "POST", path+"/guests", guest, "Idempotency-Key", "k").want(201)
	again := w.ask(w.ours.key, "POST", path+"/guests", guest, "Idempotency-Key", "k").want(201)
	other := w.ask(w.ours.key, "POST", path+"/guests", guest, "Idempotency-Key", "k2").want(201)
	if first.text != again.text || first.text == other.text {
		t.Errorf("first %s, again %s, other %s", first.text, again.text, other.text)
	}
}

func TestVisit_Unknown_IsNotFound(t *testing.T) {
	w := newWorld(t)
	for method, path := range map[string]string{
		"GET": "/v1/visits/none", "POST": "/v1/visits/none/cancel", "DELETE": "/v1/visits/none/seats/none/link",
	} {
		w.ask(w.ours.key, method, path, nil).want(404, "not_found")
	}
}

func TestVisit_InternalError_IsLoggedAndNotTold(t *testing.T) {
	w := newWorld(t)
	path := "/v1/visits/" + w.createVisit().str("id")
	w.hub.failWith(errBroken)
	a := w.ask(w.ours.key, "POST", path+"/cancel", nil).want(500, "internal")
	if strings.Contains(a.text, errBroken.Error()) || w.logs.FilterMessage("api_failed").Len() != 1 {
		t.Errorf("told %s, logged %d times", a.text, w.logs.FilterMessage("api_failed").Len())
	}
}
