package integration

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/anteroom/anteroom/signaling/wire"
)

const halfOpen = 450 // of each kind; one address may have 1,024 connections

// slowly is done all at once, because each takes as long as the server's patience. The visit goes on beside all of it, and
// somebody new comes in.
func slowly(t *testing.T, p *process, c *clinic, b *beside) {
	var all sync.WaitGroup
	b.unharmed(t, "slowly", func() {
		for name, test := range map[string]struct {
			do   func(t *testing.T, a *attack) string
			want string
		}{
			"a socket that says nothing":         {silentSocket, "close 4001"},
			"a socket without a hello":           {noHello, "close 4001"},
			"a message of a byte a second":       {byteASecond, "close 4001"},
			"an upgrade of a byte a second":      {upgradeASecond, "cut"},
			"a body of a byte a second":          {bodyASecond, "408"},
			"a socket that never reads":          {neverReads, "let go"},
			"half-open connections and upgrades": {halfOpened, "all cut"},
		} {
			a := newAttack(t, c, p)
			all.Go(func() {
				if got := test.do(t, a); got != test.want {
					t.Errorf("%s: %q, not %q", name, got, test.want)
				}
			})
		}
		newcomer := arrive(t, c.visit(t, "Omar Haddad").Seats[0].Link)
		all.Wait()
		if !newcomer.Connected() {
			t.Error("who came meanwhile was cut")
		}
	})
	const silent = 2 // of those above
	for limit, least := range map[string]uint64{"silence_seconds": silent, "hello_seconds": 1, "first_byte_seconds": halfOpen} {
		if n := p.hits(t, limit); n < least {
			t.Errorf("%s was met %d times", limit, n)
		}
	}
	// What is written to who never reads is stuck; so may be what they write, and then they are silent first.
	if n := p.hits(t, "write_seconds") + p.hits(t, "queued_messages") + p.hits(t, "silence_seconds") - silent; n == 0 {
		t.Error("who never read was not let go for that")
	}
}

// hits is how often a limit was met.
func (p *process) hits(t *testing.T, limit string) uint64 {
	t.Helper()
	return p.metric(t, `anteroom_limit_hits_total{limit="`+limit+`"}`)
}

func silentSocket(t *testing.T, a *attack) string { return ending(a.open(t)) }

func noHello(t *testing.T, a *attack) string {
	ws := get(a.page.Dial(within(t)))(t)
	defer ws.Close()
	return ending(ws)
}

// drip begins to send a text, a byte a second, until it cannot be sent or the test ends.
func drip(t *testing.T, to net.Conn, text string) {
	t.Helper()
	var dripping sync.WaitGroup
	dripping.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for i := range len(text) {
			if _, err := to.Write([]byte{text[i]}); err != nil {
				return
			}
			select {
			case <-tick.C:
			case <-t.Context().Done():
				return
			}
		}
	})
	t.Cleanup(dripping.Wait)
}

func byteASecond(t *testing.T, a *attack) string {
	ws := a.open(t)
	frame := "\x81\xfe\x00\xff\x00\x00\x00\x00" + strings.Repeat(" ", 255) // a text of 255 bytes, masked with zeros
	drip(t, ws.NetConn(), frame)
	return ending(ws)
}

// dial opens a bare connection to the web port.
func (a *attack) dial(t *testing.T) net.Conn {
	t.Helper()
	var d net.Dialer
	c := get(d.DialContext(within(t), "tcp", a.host(t)))(t)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// cut reads to the end of a connection.
func cut(c net.Conn) string {
	_ = c.SetReadDeadline(time.Now().Add(patience))
	n, err := io.Copy(io.Discard, c)
	if timeout, ok := err.(net.Error); ok && timeout.Timeout() { //nolint:errorlint // as package net gives it
		return "still open"
	}
	if n > 0 {
		return fmt.Sprintf("answered %d bytes", n)
	}
	return "cut"
}

func upgradeASecond(t *testing.T, a *attack) string {
	c := a.dial(t)
	get(io.WriteString(c, "GET /v1/signal HTTP/1.1\r\nHost: "+a.host(t)+"\r\nUpgrade: websocket\r\n"))(t)
	drip(t, c, "X-Slow: "+strings.Repeat("x", 1000))
	return cut(c)
}

func bodyASecond(t *testing.T, a *attack) string {
	c := a.dial(t)
	get(io.WriteString(c, "POST /v1/join HTTP/1.1\r\nHost: "+a.host(t)+"\r\nOrigin: "+a.url+"\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"))(t)
	drip(t, c, `{"token":"`+strings.Repeat("x", 1000))
	_ = c.SetReadDeadline(time.Now().Add(patience))
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return err.Error()
	}
	_ = resp.Body.Close()
	return fmt.Sprint(resp.StatusCode)
}

// neverReads has much to be told and takes none of it, while it says that it is there. No code can reach it; the server
// lets go, and others see it reconnecting.
func neverReads(t *testing.T, a *attack) string {
	doctor := a.clinic.clinician(t, "Dr. Wait")
	ws := a.open(t)
	must(t, ws.NetConn().(*net.TCPConn).SetReadBuffer(4096))
	gone := make(chan struct{})
	go func() { // ends when the server has let go
		defer close(gone)
		tick := time.NewTicker(time.Second / 20) // as often as is allowed
		defer tick.Stop()
		text := strings.Repeat("\U0001F600", wire.MaxChatRunes)
		for id := 2; ; id++ {
			message := fmt.Sprintf(`{"t":"chat","id":%d,"d":{"text":%q}}`, id, text)
			if id == 2 {
				message = `{"t":"check_in","id":2}`
			}
			_ = ws.SetWriteDeadline(time.Now().Add(patience))
			if ws.WriteMessage(websocket.TextMessage, []byte(message)) != nil {
				return
			}
			if id > wire.MaxUnanswered {
				<-tick.C
			}
		}
	}()
	_, err := doctor.WaitList(t.Context(), func(rows []wire.Row) bool {
		for _, r := range rows {
			if r.Seat == a.seat.ID && r.State == wire.SeatWaiting && r.Link == wire.LinkReconnecting {
				return true
			}
		}
		return false
	})
	must(t, err)
	<-gone
	return "let go"
}

// halfOpened begins many connections that say nothing, and many upgrades that stop in their middle.
func halfOpened(t *testing.T, a *attack) string {
	var open []net.Conn
	for i := range 2 * halfOpen {
		c := a.dial(t)
		if i%2 == 1 {
			get(io.WriteString(c, "GET /v1/signal HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhl"))(t)
		}
		open = append(open, c)
	}
	for i, c := range open {
		if got := cut(c); got != "cut" {
			return fmt.Sprintf("%d: %s", i, got)
		}
	}
	return "all cut"
}
