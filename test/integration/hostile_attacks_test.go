package integration

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/anteroom/anteroom/internal/auth"
	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/signaling/wire"
	"github.com/anteroom/anteroom/test/client"
)

// endless sends one message in more and more frames.
func endless(t *testing.T, a *attack) string {
	ws := a.open(t)
	w := get(ws.NextWriter(websocket.TextMessage))(t)
	go func() { // ends when the server closes, or the test
		for {
			if _, err := w.Write([]byte(strings.Repeat(" ", 4096))); err != nil {
				return
			}
		}
	}()
	return ending(ws)
}

func binaryMessage(t *testing.T, a *attack) string {
	ws := a.open(t)
	must(t, ws.WriteMessage(websocket.BinaryMessage, []byte(`{"t":"ping","id":2}`)))
	return ending(ws)
}

// checkedIn joins the waiting room first, where a media connection is asked for.
func checkedIn(text string) func(t *testing.T, a *attack) string {
	return func(t *testing.T, a *attack) string {
		ws := a.open(t)
		must(t, ws.WriteMessage(websocket.TextMessage, []byte(`{"t":"check_in","id":2}`)))
		if got := answer(ws, 2); got != "ok" {
			return "check_in: " + got
		}
		must(t, ws.WriteMessage(websocket.TextMessage, []byte(text)))
		return answer(ws, 3)
	}
}

// greet says hello with a handle on a new socket and answers how it is refused.
func (a *attack) greet(t *testing.T, handle string) string {
	t.Helper()
	ws := get(a.page.Dial(within(t)))(t)
	defer ws.Close()
	must(t, ws.WriteMessage(websocket.TextMessage, a.hello(handle)))
	return refusal(ws)
}

func helloOfOthers(t *testing.T, a *attack) string {
	other := get(client.Join(within(t), a.clinic.visit(t, "Maria").Seats[0].Link, client.Options{}))(t)
	return a.greet(t, other.Joined.Handle)
}

// keys are the server's own, read as somebody could who has its disk: to make what has expired.
func (a *attack) keys(t *testing.T) *auth.Keys {
	t.Helper()
	return get(auth.New(get(auth.LoadSecret(filepath.Join(a.data, "secret"), rand.Reader))(t)))(t)
}

func expiredCookie(t *testing.T, a *attack) string {
	keys := a.keys(t)
	_, token, _ := strings.Cut(a.seat.Link, "#")
	id := get(keys.ParseToken(token, time.Now()))(t)
	answered, request := httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodPost, a.url, nil)
	handle := get(keys.SetCookie(answered, request, id, time.Now().Add(-1000*time.Hour)))(t)
	header := http.Header{"Origin": {a.url}}
	for _, c := range answered.Result().Cookies() {
		header.Add("Cookie", c.Name+"="+c.Value)
	}
	dialer := websocket.Dialer{Subprotocols: []string{wire.Subprotocol}}
	ws, _, err := dialer.DialContext(within(t), strings.Replace(a.url, "http", "ws", 1)+"/v1/signal", header)
	must(t, err)
	defer ws.Close()
	must(t, ws.WriteMessage(websocket.TextMessage, a.hello(handle)))
	return refusal(ws)
}

// revoke makes the attacker's link dead.
func (a *attack) revoke(t *testing.T) {
	t.Helper()
	_, token, _ := strings.Cut(a.seat.Link, "#")
	id := get(a.keys(t).ParseToken(token, time.Now()))(t)
	status, answered := a.request(t, http.MethodDelete, "/v1/visits/"+string(id.Visit)+"/seats/"+a.seat.ID+"/link", nil)
	if status >= 300 {
		t.Fatalf("revoke: %d %s", status, answered)
	}
}

func revokedCookie(t *testing.T, a *attack) string {
	a.revoke(t)
	return a.greet(t, a.page.Joined.Handle)
}

// join is the code with which a link is refused.
func join(t *testing.T, link string) string {
	t.Helper()
	_, err := client.Join(within(t), link, client.Options{})
	return string(client.Code(err))
}

func revokedLink(t *testing.T, a *attack) string {
	a.revoke(t)
	return join(t, a.seat.Link)
}

func expiredLink(t *testing.T, a *attack) string {
	id, link := a.clinic.staffLink(t, "Dr. Late", wire.RoleClinician)
	_, token, _ := strings.Cut(link, "#")
	keys := a.keys(t)
	who := get(keys.ParseToken(token, time.Now()))(t)
	if who.Staff != rooms.StaffID(id) {
		t.Fatalf("the link is %s's", who.Staff)
	}
	old := get(keys.StaffToken(who, time.Now().Add(-time.Minute)))(t)
	return join(t, auth.StaffLink(a.url, old))
}

func otherSite(t *testing.T, a *attack) string {
	dialer := websocket.Dialer{Subprotocols: []string{wire.Subprotocol}}
	_, resp, err := dialer.DialContext(within(t), strings.Replace(a.url, "http", "ws", 1)+"/v1/signal", http.Header{"Origin": {"https://evil.example"}})
	if err == nil || resp == nil {
		return "let in"
	}
	return resp.Status[:3]
}

// reservedBits sends a frame that claims to be compressed (RFC 6455 section 5.2), which nobody agreed to.
func reservedBits(t *testing.T, a *attack) string {
	ws := a.open(t)
	get(ws.NetConn().Write([]byte{0xc1, 0x80, 1, 2, 3, 4}))(t)
	return ending(ws)
}

func tenThousand(t *testing.T, a *attack) string {
	ws := a.open(t)
	go func() { // the server stops to read long before the end
		message := []byte(`{"t":"ping","id":2}`)
		for range 10_000 {
			if ws.WriteMessage(websocket.TextMessage, message) != nil {
				return
			}
		}
	}()
	return ending(ws)
}

// host is the address of the web port.
func (a *attack) host(t *testing.T) string {
	t.Helper()
	return get(url.Parse(a.url))(t).Host
}
