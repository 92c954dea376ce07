package signaling

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/anteroom/anteroom/internal/auth"
	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/signaling/wire"
)

func TestServe_UpgradeIsRefused(t *testing.T) {
	w := newWorld(t, nil)
	own := w.server.URL
	for name, test := range map[string]struct {
		origin, protocol string
		want             int
	}{
		"no origin":       {"", wire.Subprotocol, http.StatusForbidden},
		"another site":    {"https://evil.example", wire.Subprotocol, http.StatusForbidden},
		"no subprotocol":  {own, "", http.StatusBadRequest},
		"another one":     {own, "chat", http.StatusBadRequest},
		"the own page":    {own, wire.Subprotocol, http.StatusSwitchingProtocols},
		"a known portal":  {"https://portal.example", wire.Subprotocol, http.StatusSwitchingProtocols},
		"portal by http":  {"http://portal.example", wire.Subprotocol, http.StatusForbidden},
		"portal's suffix": {"https://portal.example.evil", wire.Subprotocol, http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			header := http.Header{}
			if test.origin != "" {
				header.Set("Origin", test.origin)
			}
			dialer := websocket.Dialer{}
			if test.protocol != "" {
				dialer.Subprotocols = []string{test.protocol}
			}
			ws, resp, err := dialer.DialContext(w.ctx(), strings.Replace(own, "http", "ws", 1), header)
			if err == nil {
				_ = ws.Close()
			}
			if resp == nil || resp.StatusCode != test.want {
				t.Errorf("%v, %v", resp, err)
			}
		})
	}
}

func TestServe_SocketsAreBounded(t *testing.T) {
	w := newWorld(t, nil)
	w.hub.maxSockets = 1
	w.open(w.visit("Maria"))
	dialer := websocket.Dialer{Subprotocols: []string{wire.Subprotocol}}
	_, resp, err := dialer.DialContext(w.ctx(), strings.Replace(w.server.URL, "http", "ws", 1), http.Header{"Origin": {w.server.URL}})
	if err == nil || resp == nil || resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
		t.Errorf("%v, %v", resp, err)
	}
}

func TestHello_IsRefused(t *testing.T) {
	w := newWorld(t, nil)
	maria := w.visit("Maria")
	revoked := w.visit("John")
	_, err := w.do(revoked.Visit, rooms.Revoke{Seat: revoked.Seat})
	w.must(err)
	unknown := maria
	unknown.Seat = rooms.SeatID(newID())
	for name, test := range map[string]struct {
		who   auth.Identity
		first wire.Type
		wrong func(*wire.Hello)
		code  wire.Code
		close wire.CloseCode
	}{
		"something else first": {maria, wire.TypePing, nil, wire.CodeHelloFirst, wire.CloseBadMessage},
		"no handle":            {maria, wire.TypeHello, func(h *wire.Hello) { h.Handle = "" }, wire.CodeBadMessage, wire.CloseBadMessage},
		"another's handle":     {maria, wire.TypeHello, func(h *wire.Hello) { h.Handle = "abcdefghij" }, wire.CodeNoSession, wire.CloseNoSession},
		"a short client":       {maria, wire.TypeHello, func(h *wire.Hello) { h.Client = "x" }, wire.CodeBadMessage, wire.CloseBadMessage},
		"an odd tab":           {maria, wire.TypeHello, func(h *wire.Hello) { h.Tab = strings.Repeat("ä", 20) }, wire.CodeBadMessage, wire.CloseBadMessage},
		"no such device":       {maria, wire.TypeHello, func(h *wire.Hello) { h.Device = "fridge" }, wire.CodeBadMessage, wire.CloseBadMessage},
		"a revoked link":       {revoked, wire.TypeHello, nil, wire.CodeNoSession, wire.CloseNoSession},
		"no such seat":         {unknown, wire.TypeHello, nil, wire.CodeNoSession, wire.CloseNoSession},
		"not their room":       {w.staff(), wire.TypeHello, func(h *wire.Hello) { h.Room = newID() }, wire.CodeForbidden, wire.CloseNoSession},
	} {
		t.Run(name, func(t *testing.T) {
			p := w.in(t).dial(test.who)
			hello := p.hello()
			if test.wrong != nil {
				test.wrong(&hello)
			}
			if got := code(p.ask(test.first, hello, nil)); got != test.code {
				t.Errorf("code %q", got)
			}
			if got := p.closeCode(); got != test.close {
				t.Errorf("close %d", got)
			}
		})
	}
}

// unreadable is a store that cannot say who works here.
type unreadable struct{ store.Store }

func (unreadable) Staff(context.Context, rooms.StaffID) (rooms.Staff, error) {
	return rooms.Staff{}, store.ErrUnavailable
}

func TestHello_OfStaffWhileTheStoreCannotBeRead_ComesBack(t *testing.T) {
	w := newWorld(t, func(s store.Store) store.Store { return unreadable{s} })
	p := w.dial(w.staff())
	if err := p.ask(wire.TypeHello, p.hello(), nil); code(err) != wire.CodeRetry || !err.Retry {
		t.Errorf("%+v", err)
	}
	if got := p.closeCode(); got != wire.CloseBusy {
		t.Errorf("close %d: staff would have to sign in again", got)
	}
}

func TestHello_TheStoreHasLostWhoWorksHere_StaffAreNotSignedOut(t *testing.T) {
	i := newInstances(t, 1)
	w := i.hubs[0]
	w.open(w.staff()) // the owner has met them
	i.lost.Store(true)
	stranger := w.dial(w.staff())
	if got := code(stranger.ask(wire.TypeHello, stranger.hello(), nil)); got != wire.CodeRetry {
		t.Errorf("%q instead of %q", got, wire.CodeRetry)
	}
	if got := stranger.closeCode(); got != wire.CloseBusy {
		t.Errorf("closed with %d instead of %d", got, wire.CloseBusy)
	}
	known := w.dial(w.staff())
	hello := known.hello()
	hello.Room, hello.Takeover = string(w.room.ID), true
	if err := known.ask(wire.TypeHello, hello, nil); err != nil {
		t.Errorf("whom the owner of the room knows is refused: %+v", err)
	}
}

func TestHello_CitesMessagesOfManyVisits(t *testing.T) {
	w := newWorld(t, nil)
	p := w.dial(w.staff())
	hello := p.hello()
	hello.Messages = map[string]int{}
	for range 1000 { // a day's, of which the server has none any more
		hello.Messages[newID()] = 1
	}
	if err := p.ask(wire.TypeHello, hello, nil); err != nil {
		t.Fatal(err)
	}
	a, err := w.hub.actorOf(w.ctx(), w.room.ID)
	w.must(err)
	said := make(chan int, 1)
	a.post(asked(func(a *actor) { said <- len(a.atDesk[w.doctor.ID].said) }))
	if n := <-said; n != 0 {
		t.Errorf("%d visits that are gone are remembered", n)
	}
}

// asked is an event that looks at the actor.
type asked func(*actor)

func (e asked) apply(a *actor) { e(a) }

func TestConn_BadMessages(t *testing.T) {
	w := newWorld(t, nil)
	for name, send := range map[string]func(*websocket.Conn) error{
		"no JSON":          text("hello"),
		"unknown field":    text(`{"t":"ping","id":2,"x":1}`),
		"no id":            text(`{"t":"ping"}`),
		"two values":       text(`{"t":"ping","id":2}{}`),
		"broken UTF-8":     text("{\"t\":\"\xff\",\"id\":2}"),
		"a binary message": func(ws *websocket.Conn) error { return ws.WriteMessage(websocket.BinaryMessage, []byte("{}")) },
		"too long":         text(`{"t":"` + strings.Repeat("x", wire.MaxMessageBytes) + `","id":2}`),
		"very deep":        text(`{"t":"media","id":2,"d":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`),
	} {
		t.Run(name, func(t *testing.T) {
			w := w.in(t)
			p, _ := w.open(w.visit("Maria"))
			w.must(send(p.ws))
			if got := p.closeCode(); got != wire.CloseBadMessage {
				t.Errorf("close %d", got)
			}
		})
	}
}

func text(s string) func(*websocket.Conn) error {
	return func(ws *websocket.Conn) error { return ws.WriteMessage(websocket.TextMessage, []byte(s)) }
}

func TestConn_RequestsAreRefused(t *testing.T) {
	w := newWorld(t, nil)
	p, _ := w.open(w.visit("Maria"))
	for name, test := range map[string]struct {
		send wire.Type
		d    any
		want wire.Code
	}{
		"unknown type":      {"dance", wire.Empty{}, wire.CodeUnknownType},
		"a second hello":    {wire.TypeHello, p.hello(), wire.CodeHelloFirst},
		"unknown data":      {wire.TypeMedia, map[string]int{"x": 1}, wire.CodeBadMessage},
		"no such media":     {wire.TypeMedia, wire.Media{Audio: "loud", Video: wire.MediaOn}, wire.CodeBadValue},
		"staff's request":   {wire.TypeAdmit, wire.Target{Seat: newID()}, wire.CodeForbidden},
		"another's visit":   {wire.TypeChat, wire.Chat{Visit: newID(), Text: "hello"}, wire.CodeNoVisit},
		"an empty message":  {wire.TypeChat, wire.Chat{}, wire.CodeBadValue},
		"a pace too slow":   {wire.TypePing, wire.Ping{NextMS: wire.MaxPingMS + 1}, wire.CodeBadValue},
		"a pace backwards":  {wire.TypePing, wire.Ping{NextMS: -1}, wire.CodeBadValue},
		"a ping of more":    {wire.TypePing, map[string]int{"x": 1}, wire.CodeBadMessage},
		"an early offer":    {wire.TypeOffer, wire.Offer{SDP: "v=0"}, wire.CodeNotYet},
		"staff's other one": {wire.TypePrepare, wire.Prepare{On: true}, wire.CodeForbidden},
	} {
		if got := code(p.ask(test.send, test.d, nil)); got != test.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestConn_TooManyRequests(t *testing.T) {
	w := newWorld(t, nil)
	p, _ := w.open(w.visit("Maria"))
	for range requestBurst + 2*refusalsToShut {
		p.lastID++
		if p.ws.WriteJSON(wire.Request{T: wire.TypePing, ID: p.lastID}) != nil {
			break // closed already
		}
	}
	refused := 0
	for {
		m, err := p.read()
		if err != nil {
			if !websocket.IsCloseError(err, int(wire.CloseBusy)) {
				t.Errorf("ended by %v", err)
			}
			break
		}
		if m.Err != nil && m.Err.Code == wire.CodeTooMany {
			refused++
		}
	}
	if refused != refusalsToShut {
		t.Errorf("%d were refused", refused)
	}
}

func TestConn_SilenceEndsIt(t *testing.T) {
	w := newWorld(t, nil)
	p, _ := w.open(w.visit("Maria"))
	if got := p.closeCode(); got != wire.CloseSilent {
		t.Errorf("close %d", got)
	}
}
