package api

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/anteroom/anteroom/internal/auth"
	"github.com/anteroom/anteroom/rooms"
)

func TestJoin_ALink_BecomesACookieOfThatSeat(t *testing.T) {
	w := newWorld(t)
	v := w.createVisit()
	a := w.ask("", "POST", "/v1/join", m{"token": v.token("seats", 0, "link")}).want(200)
	if a.str("kind") != "seat" || a.str("rooms") != "[]" || len(a.cookie) != 1 {
		t.Fatalf("%s %v", a.text, a.cookie)
	}
	c := a.cookie[0]
	if c.Name != "anteroom-"+a.str("handle") || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode {
		t.Errorf("cookie %+v", c)
	}
	r := httptest.NewRequest("GET", "/v1/signal", nil)
	r.AddCookie(c)
	id, err := w.keys.Identify(r, a.str("handle"), w.clock.now())
	if err != nil || string(id.Seat) != v.str("seats", 0, "id") || string(id.Visit) != v.str("id") || string(id.Room) != w.ours.room {
		t.Errorf("%+v, %v", id, err)
	}
}

func TestJoin_ThatLetsNobodyIn_SaysWhy(t *testing.T) {
	w := newWorld(t)
	staff := auth.Identity{Kind: auth.Staff, Clinic: rooms.ClinicID(w.ours.clinic), Staff: rooms.StaffID(w.ours.staff)}
	expired, _ := w.keys.StaffToken(staff, w.clock.now().Add(-time.Minute))
	staff.Staff = "nobody"
	nobody, _ := w.keys.StaffToken(staff, w.clock.now().Add(time.Minute))
	unknownVisit, _ := w.keys.SeatToken(auth.Identity{Kind: auth.Seat, Clinic: "c", Room: "r", Visit: "v", Seat: "s"})
	known := w.createVisit()
	unknownSeat, _ := w.keys.SeatToken(auth.Identity{
		Kind: auth.Seat, Clinic: rooms.ClinicID(w.ours.clinic), Room: rooms.RoomID(w.ours.room), Visit: rooms.VisitID(known.str("id")), Seat: "s",
	})
	after := func(method, path string, body any) string {
		v := w.createVisit()
		path = strings.Replace(path, "SEAT", v.str("seats", 0, "id"), 1)
		w.ask(w.ours.key, method, "/v1/visits/"+v.str("id")+path, body)
		return v.token("seats", 0, "link")
	}
	removed := w.createVisit()
	w.command(removed, rooms.Actor{System: true}, rooms.Remove{Seat: rooms.SeatID(removed.str("seats", 0, "id"))})

	for name, c := range map[string]struct {
		token  string
		status int
		code   string
	}{
		"nonsense":            {"nonsense", 401, "link_unknown"},
		"tampered":            {known.token("seats", 0, "link") + "x", 401, "link_unknown"},
		"unknown visit":       {unknownVisit, 401, "link_unknown"},
		"unknown seat":        {unknownSeat, 401, "link_unknown"},
		"unknown staff":       {nobody, 401, "link_unknown"},
		"expired staff link":  {expired, 401, "link_expired"},
		"revoked":             {after("DELETE", "/seats/SEAT/link", nil), 401, "link_revoked"},
		"issued anew":         {after("POST", "/seats/SEAT/link", nil), 401, "link_revoked"},
		"removed":             {removed.token("seats", 0, "link"), 401, "link_revoked"},
		"cancelled":           {after("POST", "/cancel", nil), 410, "visit_over"},
		"ended":               {after("POST", "/end", m{"disposition": "done"}), 410, "visit_over"},
		"empty":               {"", 422, "bad_value"},
		"longer than a token": {strings.Repeat("x", 1025), 422, "bad_value"},
	} {
		t.Run(name, func(t *testing.T) {
			w := *w
			w.t = t
			a := w.ask("", "POST", "/v1/join", m{"token": c.token}).want(c.status, c.code)
			if len(a.cookie) > 0 || (len(c.token) > 8 && strings.Contains(a.text, c.token)) {
				t.Errorf("cookies %v, body %s", a.cookie, a.text)
			}
		})
	}
}

func TestLink_IssuedAnew_WorksAfterRevocation(t *testing.T) {
	w := newWorld(t)
	v := w.createVisit()
	path := "/v1/visits/" + v.str("id")
	link := path + "/seats/" + v.str("seats", 0, "id") + "/link"
	w.ask(w.ours.key, "DELETE", link, nil).want(204)
	read := w.ask(w.ours.key, "GET", path, nil).want(200)
	if read.str("seats", 0, "link") != "" || read.str("seats", 0, "linkRevoked") != "true" {
		t.Errorf("revoked: %s", read.text)
	}
	anew := w.ask(w.ours.key, "POST", link, nil).want(201)
	w.ask("", "POST", "/v1/join", m{"token": anew.token("link")}).want(200)
	if read := w.ask(w.ours.key, "GET", path, nil).want(200); read.str("seats", 0, "link") != anew.str("link") {
		t.Errorf("read %s, issued %s", read.text, anew.text)
	}
}

func TestJoin_FromPagesOfOtherSites(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Origins = []string{"https://portal.example"} })
	token := w.createVisit().token("seats", 0, "link")
	for name, c := range map[string]struct {
		headers []string
		status  int
		allowed string
	}{
		"same origin":                 {[]string{"Sec-Fetch-Site", "same-origin"}, 200, ""},
		"same origin, old browser":    {[]string{"Origin", "http://example.com"}, 200, ""},
		"no browser":                  {nil, 200, ""},
		"another site":                {[]string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, 403, ""},
		"another site, old browser":   {[]string{"Origin", "https://evil.example"}, 403, ""},
		"a sibling":                   {[]string{"Sec-Fetch-Site", "same-site", "Origin", "https://evil.visit.example"}, 403, ""},
		"a portal that is configured": {[]string{"Sec-Fetch-Site", "cross-site", "Origin", "https://portal.example"}, 200, "https://portal.example"},
	} {
		t.Run(name, func(t *testing.T) {
			w := *w
			w.t = t
			a := w.ask("", "POST", "/v1/join", m{"token": token}, c.headers...).want(c.status)
			if got := a.header.Get("Access-Control-Allow-Origin"); got != c.allowed {
				t.Errorf("allowed %q", got)
			}
		})
	}
	asked := w.ask("", "OPTIONS", "/v1/join", nil, "Origin", "https://portal.example").want(204)
	if asked.header.Get("Access-Control-Allow-Headers") != "Content-Type" {
		t.Errorf("preflight: %v", asked.header)
	}
	if other := w.ask(w.ours.key, "GET", "/v1/rooms", nil, "Origin", "https://portal.example").want(200); other.header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("a portal may read the rest of the API")
	}
}

func TestJoin_TooOften_IsRefusedByAddress(t *testing.T) {
	w := newWorld(t)
	bad := m{"token": "guess"}
	tries := 0
	for w.ask("", "POST", "/v1/join", bad).status == 401 {
		if tries++; tries > JoinBurst {
			t.Fatal("no limit")
		}
	}
	if tries != JoinBurst/joinFailure {
		t.Errorf("%d guesses", tries)
	}
	token := w.createVisit().token("seats", 0, "link")
	a := w.ask("", "POST", "/v1/join", m{"token": token}).want(429, "too_many")
	if a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	w.clock.add(time.Second)
	w.ask("", "POST", "/v1/join", m{"token": token}).want(200)
}

func TestLimiter_CountsAddressesApart_AndForgets(t *testing.T) {
	at := time.Unix(0, 0)
	l := newLimiter(func() time.Time { return at })
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	if !l.take(a, JoinBurst) || l.take(a, 1) || !l.take(b, 1) {
		t.Error("addresses are not apart")
	}
	if l.take(netip.MustParseAddr("::ffff:192.0.2.1"), 1) {
		t.Error("IPv4 in IPv6 is another address")
	}
	one, other, far := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2"), netip.MustParseAddr("2001:db8:1::1")
	if !l.take(one, JoinBurst) || l.take(other, 1) || !l.take(far, 1) {
		t.Error("IPv6 is not counted by /64")
	}
	at = at.Add(-time.Hour) // the clock goes back
	if l.take(a, 1) {
		t.Error("a clock that goes back fills the bucket")
	}
	for i := range 3 * MaxAddresses {
		l.take(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 1)
	}
	if n := len(l.buckets); n > MaxAddresses {
		t.Errorf("%d addresses remembered", n)
	}
}

func TestDemo_IsTheSameVisitUntilItIsOver(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.Dev = true
		if err := PrepareDemo(t.Context(), c.Store, auth.HashAPIKey("dev"), c.Now()); err != nil {
			t.Fatal(err)
		}
	})
	first := w.ask("", "GET", "/v1/demo", nil).want(200)
	for person, kind := range map[string]string{"patient": "seat", "specialist": "seat", "clinician": "staff"} {
		a := w.ask("", "POST", "/v1/join", m{"token": first.token(person, "link")}).want(200)
		if a.str("kind") != kind || first.str(person, "name") == "" {
			t.Errorf("%s: %s", person, a.text)
		}
	}
	if again := w.ask("", "GET", "/v1/demo", nil).want(200); again.str("patient", "link") != first.str("patient", "link") {
		t.Error("another visit while the first is not over")
	}
	visits := w.ask("dev", "GET", "/v1/visits?room="+string(demoRoom), nil).want(200)
	w.ask("dev", "POST", "/v1/visits/"+visits.str("items", 0, "id")+"/cancel", nil).want(200)
	if fresh := w.ask("", "GET", "/v1/demo", nil).want(200); fresh.str("patient", "link") == first.str("patient", "link") {
		t.Error("the visit is over and offered again")
	}
	if err := PrepareDemo(t.Context(), w.store, auth.HashAPIKey("dev"), w.clock.now()); err != nil {
		t.Errorf("prepared again: %v", err)
	}
}

func TestDemo_OutsideDevelopment_IsNotThere(t *testing.T) {
	newWorld(t).ask("", "GET", "/v1/demo", nil).want(404, "not_found")
}
