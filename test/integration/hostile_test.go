package integration

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/anteroom/anteroom/signaling/wire"
	"github.com/anteroom/anteroom/test/client"
)

// attack is what an attack is done with: a seat or desk of its own, and the server.
type attack struct {
	*process
	clinic *clinic
	seat   seat // of a visit that is the attacker's own
	page   *client.Client
}

// newAttack gives an attacker a link of their own.
func newAttack(t *testing.T, c *clinic, p *process) *attack {
	t.Helper()
	v := c.visit(t, "Mallory")
	a := &attack{process: p, clinic: c, seat: v.Seats[0]}
	a.page = get(client.Join(within(t), a.seat.Link, client.Options{}))(t)
	t.Cleanup(a.page.Close)
	return a
}

// open is the attacker's socket, and the welcome on it.
func (a *attack) open(t *testing.T) *websocket.Conn {
	t.Helper()
	ws := get(a.page.Dial(within(t)))(t)
	t.Cleanup(func() { _ = ws.Close() })
	must(t, ws.WriteMessage(websocket.TextMessage, a.hello(a.page.Joined.Handle)))
	if got := answer(ws, 1); got != "ok" {
		t.Fatalf("hello: %s", got)
	}
	return ws
}

func (a *attack) hello(handle string) []byte {
	d, _ := json.Marshal(wire.Hello{Handle: handle, Client: rand.Text(), Tab: rand.Text(), Device: wire.DevicePhone})
	return fmt.Appendf(nil, `{"t":"hello","id":1,"d":%s}`, d)
}

// answer reads up to the answer of a request, or to the end: "ok", an error's code, "close CODE" or "cut".
func answer(ws *websocket.Conn, id uint64) string {
	for {
		_ = ws.SetReadDeadline(time.Now().Add(patience))
		var m struct {
			Re  uint64
			Err *wire.Error
		}
		err := ws.ReadJSON(&m)
		if end := (*websocket.CloseError)(nil); errors.As(err, &end) && end.Code != websocket.CloseAbnormalClosure {
			return fmt.Sprint("close ", end.Code)
		}
		switch {
		case err != nil:
			return "cut"
		case m.Re == id && m.Err != nil:
			return string(m.Err.Code)
		case m.Re == id:
			return "ok"
		}
	}
}

// ending is how a connection ends, whatever is answered before.
func ending(ws *websocket.Conn) string { return answer(ws, math.MaxUint64) }

// refusal is an error's code and then how the connection ends.
func refusal(ws *websocket.Conn) string { return answer(ws, 1) + ", " + ending(ws) }

func says(text string) func(t *testing.T, a *attack) string {
	return func(t *testing.T, a *attack) string {
		ws := a.open(t)
		must(t, ws.WriteMessage(websocket.TextMessage, []byte(text)))
		return ending(ws)
	}
}

func asks(text string) func(t *testing.T, a *attack) string {
	return func(t *testing.T, a *attack) string {
		ws := a.open(t)
		must(t, ws.WriteMessage(websocket.TextMessage, []byte(text)))
		return answer(ws, 2)
	}
}

// What a hostile client does to the signaling and to the REST API, and what it is told. Beside each of them a visit is under
// way, which must not notice.
//
// What hostile packets do to the media port is asked in sfu and sfu/transport: floods of RTP, RTCP and STUN, half-open DTLS
// handshakes, streams without end. Who tries many tokens is in internal/api (TestJoin…), forged and renamed tokens are in
// internal/auth, silent and slow TLS is in internal/edge, bounds of TURN are in turn, and the bounds of what waits for a slow
// reader are in signaling (TestOutbox…).
func TestHostile_IsToldWhy_AndTheVisitBesideLosesNothing(t *testing.T) {
	p := startProcess(t)
	c := newClinic(t, &p.server)
	b := newBeside(t, c)
	for _, test := range []struct {
		name string
		do   func(t *testing.T, a *attack) string
		want string
	}{
		{"a message too long", says(`{"t":"media","id":2,"d":"` + strings.Repeat("x", wire.MaxMessageBytes) + `"}`), "close 4014"},
		{"a message without end", endless, "close 4014"},
		{"a binary message", binaryMessage, "close 4014"},
		{"broken UTF-8", says("{\"t\":\"chat\",\"id\":2,\"d\":{\"text\":\"\xff\"}}"), "close 4014"},
		{"half a surrogate pair", asks(`{"t":"chat","id":2,"d":{"text":"\ud800"}}`), "ok"}, // JSON allows it; it is read as U+FFFD
		{"deep nesting", says(`{"t":"media","id":2,"d":` + strings.Repeat(`{"a":`, 10_000) + "1" + strings.Repeat("}", 10_000) + `}`), "close 4014"},
		{"nesting as deep as is read", asks(`{"t":"media","id":2,"d":` + strings.Repeat(`[`, 9_000) + strings.Repeat("]", 9_000) + `}`), "bad_message"},
		{"no JSON", says("GET / HTTP/1.1"), "close 4014"},
		{"the same field twice", asks(`{"t":"dance","t":"media","id":2,"d":{"audio":"on","video":"on"}}`), "ok"},
		{"an id beyond numbers", says(`{"t":"ping","id":99999999999999999999}`), "close 4014"},
		{"an unknown type", asks(`{"t":"dance","id":2}`), "unknown_type"},
		{"an offer of nonsense", checkedIn(`{"t":"offer","id":3,"d":{"sdp":"v=0\r\n"}}`), "bad_offer"},
		{"an offer of a thousand streams", checkedIn(fmt.Sprintf(`{"t":"offer","id":3,"d":{"sdp":%q}}`, "v=0\r\n"+strings.Repeat("m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n", 1000))), "bad_offer"},
		{"a visit of others", asks(`{"t":"chat","id":2,"d":{"visit":"01jdzzzzzzzzzzzzzzzzzzzzzz","text":"hello"}}`), "no_visit"},
		{"a handle of others", helloOfOthers, "no_session, close 4011"},
		{"a cookie that has expired", expiredCookie, "no_session, close 4011"},
		{"a cookie of a revoked link", revokedCookie, "no_session, close 4011"},
		{"a link that has expired", expiredLink, "link_expired"},
		{"a link that was revoked", revokedLink, "link_revoked"},
		{"a page of another site", otherSite, "403"},
		{"reserved bits of a frame", reservedBits, "close 1002"},
		{"a body too large", body(`{"token":"` + strings.Repeat("x", 64<<10) + `"}`), "413 too_large"},
		{"a body deeply nested", body(`{"token":` + strings.Repeat("[", 30_000) + strings.Repeat("]", 30_000) + `}`), "400 bad_request"},
		{"a body of broken UTF-8", body("{\"token\":\"\xff\xfe\"}"), "401 link_unknown"},
		{"10,000 messages at once", tenThousand, "close 4002"},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := newAttack(t, c, p)
			b.unharmed(t, test.name, func() {
				if got := test.do(t, a); got != test.want {
					t.Errorf("%q, not %q", got, test.want)
				}
			})
		})
	}
	t.Run("slowly", func(t *testing.T) { slowly(t, p, c, b) })
}

func body(text string) func(t *testing.T, a *attack) string {
	return func(t *testing.T, a *attack) string {
		r := get(http.NewRequestWithContext(within(t), http.MethodPost, a.url+"/v1/join", strings.NewReader(text)))(t)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Origin", a.url)
		resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
		must(t, err)
		defer resp.Body.Close()
		var problem struct{ Code string }
		must(t, json.NewDecoder(resp.Body).Decode(&problem))
		return fmt.Sprint(resp.StatusCode, " ", problem.Code)
	}
}
