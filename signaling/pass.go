package signaling

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/anteroom/anteroom/internal/auth"
	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/signaling/wire"
)

const (
	// maxReaches is how often a hello looks for the owner of its room before its client is told to come back later.
	maxReaches = 3
	// passSilence ends a pair of sockets on which nothing comes from one side: the slowest pace of pings, and as long as a
	// pong may take, twice. Owner and client find each other silent sooner.
	passSilence = (wire.MaxPingMS + 2*wire.PongTimeoutMS) * time.Millisecond
	// greetingBytes is what a greeting is longer than the hello in it.
	greetingBytes = 4 << 10
)

// HopPath is where an instance takes sockets that others pass on.
const HopPath = "/hop/signal"

// greeting is the first message on a socket that is passed on: whose it is, which the instance that took it has checked, and
// the hello as it came. After it messages go to and fro as they are.
type greeting struct {
	Who   auth.Identity   `json:"who"`
	Hello json.RawMessage `json:"hello"`
}

// hop is the way to another instance of a socket that is passed on.
type hop struct {
	ws    *websocket.Conn
	kind  int       // of the first message
	first io.Reader // the first message
}

var errMoved = errors.New("signaling: the waiting room is not where it was")

// reach says hello at another instance. After a nil error c.hop is the way there, unless the visit goes on in the answered room.
func (c *conn) reach(ctx context.Context, at string, g greeting) (*rooms.Forward, error) {
	ctx, cancel := context.WithTimeout(ctx, wire.HelloTimeoutMS*time.Millisecond)
	defer cancel()
	dialer := websocket.Dialer{
		NetDialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return c.hub.owners.Dial(ctx, at) },
		Subprotocols:   []string{wire.Subprotocol},
		ReadBufferSize: readBuffer, WriteBufferSize: writeBuffer, WriteBufferPool: passBuffers,
	}
	ws, _, err := dialer.DialContext(ctx, "ws://instance"+HopPath, nil) //nolint:bodyclose // DialContext has read what there was
	if err != nil {
		return nil, err
	}
	limitSendBuffer(ws.NetConn())
	deadline, _ := ctx.Deadline()
	_ = ws.SetWriteDeadline(deadline)
	_ = ws.SetReadDeadline(deadline)
	data, err := json.Marshal(g)
	if err == nil {
		err = ws.WriteMessage(websocket.TextMessage, data)
	}
	l := &hop{ws: ws}
	if err == nil {
		l.kind, l.first, err = ws.NextReader()
	}
	if err == nil {
		c.hop = l
		return nil, nil
	}
	_ = ws.Close()
	if closed := (*websocket.CloseError)(nil); errors.As(err, &closed) && wire.CloseCode(closed.Code) == wire.CloseMoved {
		if to := parseOnward(closed.Text); to != nil {
			return to, nil
		}
		err = errMoved
	}
	return nil, err
}

var passBuffers = &sync.Pool{} // of websocket's, for writing

// pass carries messages between a client and the owner of its room until either ends, and answers how the client is to be closed.
// Each way one message is on its way at a time, in a buffer of its own; whoever does not read makes the other wait.
func (c *conn) pass() wire.CloseCode {
	defer func() { _ = c.hop.ws.Close() }()
	stop := context.AfterFunc(c.hub.ctx, func() { _ = c.hop.ws.SetReadDeadline(time.Now()) })
	defer stop()
	up := make(chan struct{})
	go func() {
		defer close(up)
		_ = c.hub.confine(func() wire.CloseCode { c.passUp(); return 0 })
		_ = c.hop.ws.Close() // nothing more can come from the client
	}()
	code := c.passDown()
	if c.hub.ctx.Err() != nil {
		code = wire.CloseRestart
	}
	c.out.close(code)
	<-c.written // which lets the client's side linger
	_ = c.hop.ws.Close()
	<-up
	return code
}

// passUp ends when either side does.
func (c *conn) passUp() {
	for alive := true; alive; {
		c.awaitUntil(passSilence)
		kind, from, err := c.ws.NextReader()
		if err != nil {
			return
		}
		_ = c.hop.ws.SetWriteDeadline(time.Now().Add(writeTimeout))
		alive = copyMessage(c.hop.ws, kind, from) == nil
	}
	c.linger()
}

// passDown answers the code with which the owner has closed. One that is gone without a word has left the room to another.
func (c *conn) passDown() wire.CloseCode {
	kind, from := c.hop.kind, c.hop.first
	for {
		_ = c.ws.SetWriteDeadline(time.Now().Add(writeTimeout))
		err := copyMessage(c.ws, kind, from)
		if err == nil {
			_ = c.hop.ws.SetReadDeadline(time.Now().Add(passSilence))
			if c.hub.ctx.Err() != nil { // whose end has set a deadline that this one has replaced
				return wire.CloseRestart
			}
			kind, from, err = c.hop.ws.NextReader()
		}
		if err == nil {
			continue
		}
		if closed := (*websocket.CloseError)(nil); errors.As(err, &closed) && closed.Code != websocket.CloseAbnormalClosure {
			return wire.CloseCode(closed.Code)
		}
		return wire.CloseMoved
	}
}

func copyMessage(to *websocket.Conn, kind int, from io.Reader) error {
	w, err := to.NextWriter(kind)
	if err != nil {
		return err
	}
	if _, err = io.Copy(w, from); err != nil {
		return err
	}
	return w.Close()
}

// ServeHTTP takes a socket that another instance passes on. Whether the client may come at all, and who it is, that one
// has settled; who may reach this is for whoever serves it to see to.
func (h Here) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !h.hub.enter() {
		http.Error(w, "busy or restarting", http.StatusServiceUnavailable)
		return
	}
	ws, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		h.hub.leave()
		return // Upgrade has answered
	}
	c := newConn(ws, h.hub)
	code := h.hub.confine(func() wire.CloseCode { return c.greeted(r.Context()) })
	go h.hub.converse(c, code)
}

// greeted reads the first message of a socket that was passed on, and answers the hello in it.
func (c *conn) greeted(ctx context.Context) wire.CloseCode {
	data, err := c.readBytes(wire.HelloTimeoutMS*time.Millisecond, wire.MaxMessageBytes+greetingBytes)
	if err != nil {
		return c.ending(err, limitHello)
	}
	var g greeting
	if err := json.Unmarshal(data, &g); err != nil {
		return wire.CloseBadMessage
	}
	req, hello, code := c.parseHello(g.Hello)
	if code != 0 {
		return code
	}
	for range maxReaches {
		a, who, err := c.hub.actorFor(ctx, g.Who, rooms.RoomID(hello.Room), true)
		if moved := (*Elsewhere)(nil); errors.As(err, &moved) {
			return wire.CloseMoved
		}
		code, to := c.enterRoom(a, req.ID, who, hello, err)
		if to != nil {
			c.reason = onward(to)
			return wire.CloseMoved
		}
		if code != wire.CloseMoved { // else the room was just let go, and is opened anew
			return code
		}
	}
	return c.comeBackLater(req.ID)
}
