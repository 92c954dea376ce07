package integration

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/anteroom/anteroom/signaling/wire"
	"github.com/anteroom/anteroom/test/client"
)

// line is a socket on which a test says every word itself and sees every frame.
type line struct {
	page   *client.Client
	ws     *websocket.Conn
	hello  wire.Hello
	lastID uint64
	events []json.RawMessage // that nobody has looked at
	over   bool              // the connection has ended
}

// newLine opens a link and says hello, as a client that a test calls by name.
func newLine(t *testing.T, name, link string, device wire.Device) *line {
	t.Helper()
	l := &line{page: get(client.Join(within(t), link, client.Options{}))(t)}
	t.Cleanup(l.page.Close)
	l.hello = wire.Hello{Handle: l.page.Joined.Handle, Client: "client-of-the-" + name, Tab: "tab-of-the-one-" + name, Device: device}
	l.dial(t)
	if got := l.ask(t, wire.TypeHello, l.hello); !isOK(got) {
		t.Fatalf("hello: %s", got)
	}
	if got := l.ask(t, wire.TypePing, wire.Ping{NextMS: wire.MaxPingMS}); !isOK(got) { // nobody pings on it
		t.Fatalf("ping: %s", got)
	}
	return l
}

func (l *line) dial(t *testing.T) {
	t.Helper()
	l.ws = get(l.page.Dial(within(t)))(t)
	t.Cleanup(func() { _ = l.ws.Close() })
}

// ask sends a request and answers its reply, without the id, or how the connection ended. Events that come before are kept.
func (l *line) ask(t *testing.T, kind wire.Type, d any) string {
	t.Helper()
	l.lastID++
	must(t, l.ws.WriteJSON(wire.Request{T: kind, ID: l.lastID, D: get(json.Marshal(d))(t)}))
	for {
		_ = l.ws.SetReadDeadline(time.Now().Add(patience))
		_, frame, err := l.ws.ReadMessage()
		if end := (*websocket.CloseError)(nil); errors.As(err, &end) {
			l.over = true
			return fmt.Sprint("close ", end.Code)
		}
		must(t, err)
		var m map[string]json.RawMessage
		must(t, json.Unmarshal(frame, &m))
		if _, event := m["t"]; event {
			l.events = append(l.events, frame)
			continue
		}
		if string(m["re"]) != fmt.Sprint(l.lastID) {
			t.Fatalf("an answer to nothing: %s", frame)
		}
		delete(m, "re")
		return string(get(json.Marshal(m))(t))
	}
}

func isOK(reply string) bool {
	var m struct {
		D   json.RawMessage
		Err *wire.Error
	}
	return json.Unmarshal([]byte(reply), &m) == nil && m.Err == nil && m.D != nil
}

// news are the events that have come until the waiting room's owner has answered something that changes nothing.
func (l *line) news(t *testing.T) []json.RawMessage {
	t.Helper()
	if got := l.ask(t, wire.TypeMedia, wire.Media{Audio: wire.MediaOff, Video: wire.MediaOff}); !isOK(got) {
		t.Fatalf("media: %s", got)
	}
	events := l.events
	l.events = nil
	return events
}

// waitRow asks on until a list says that a row is as wanted.
func (l *line) waitRow(t *testing.T, wanted func(wire.Row) bool) {
	t.Helper()
	for ctx := within(t); ctx.Err() == nil; {
		_ = l.ws.SetReadDeadline(time.Now().Add(patience))
		_, frame, err := l.ws.ReadMessage()
		must(t, err)
		var m struct {
			T wire.Type
			D wire.List
		}
		if json.Unmarshal(frame, &m) != nil || m.T != wire.EventList {
			continue
		}
		for _, r := range m.D.Rows {
			if wanted(r) {
				return
			}
		}
	}
	t.Fatal("no such row")
}

// offers makes a media connection, over which nothing comes, and answers its name.
func (l *line) offers(t *testing.T) (peer string) {
	t.Helper()
	p, offer, err := client.NewPeer(client.DesktopSlots)
	must(t, err)
	p.Close()
	var reply struct{ D wire.Answer }
	must(t, json.Unmarshal([]byte(l.ask(t, wire.TypeOffer, wire.Offer{SDP: offer})), &reply))
	return reply.D.Peer
}
