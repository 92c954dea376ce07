package client

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/anteroom/anteroom/signaling/wire"
)

const (
	helloTimeout = wire.HelloTimeoutMS * time.Millisecond
	silence      = wire.PingTimeoutMS * time.Millisecond
)

// conn is one WebSocket after its hello.
type conn struct {
	ws    *websocket.Conn
	seq   uint64             // of the last event; the reader's
	pace  time.Duration      // of pings
	next  chan time.Duration // when a pong wants the next ping; holds one
	done  chan struct{}      // closed when the reader has ended
	tasks sync.WaitGroup
}

// Hello says how a page comes in.
type Hello struct {
	Takeover bool // use this device instead of the other
	Offer    bool // bring the offer of a new peer along
}

// Dial opens the WebSocket with the page's cookies and its Origin and says nothing on it. Connect uses
// it; tests that speak the protocol by hand may.
func (c *Client) Dial(ctx context.Context) (*websocket.Conn, error) {
	address := *c.base
	address.Scheme = strings.Replace(address.Scheme, "http", "ws", 1)
	dialer := websocket.Dialer{
		NetDialContext:   c.opts.dial,
		Jar:              c.http.Jar,
		TLSClientConfig:  c.opts.TLS,
		Subprotocols:     []string{wire.Subprotocol},
		HandshakeTimeout: helloTimeout,
	}
	ws, resp, err := dialer.DialContext(ctx, address.JoinPath("/v1/signal").String(), http.Header{"Origin": {c.base.String()}}) //nolint:bodyclose // Dial has read all of it
	if err != nil {
		if resp != nil {
			return nil, fmt.Errorf("open signaling: status %d: %w", resp.StatusCode, err)
		}
		return nil, fmt.Errorf("open signaling: %w", err)
	}
	if ws.Subprotocol() != wire.Subprotocol {
		_ = ws.Close()
		return nil, fmt.Errorf("%w: subprotocol %q", ErrProtocol, ws.Subprotocol())
	}
	return ws, nil
}

// Connect opens the connection, or opens it again: hello cites what was seen, and every command without
// an answer is repeated with its id. An older connection of the same page is cut. The peer is kept if the
// server still has it; else it is closed, and Media makes a new one. One whose server has handed the room over goes on beside the new
// one until PartFormer.
func (c *Client) Connect(ctx context.Context) error { return c.ConnectAs(ctx, Hello{}) }

// ConnectAs is Connect with more to say.
func (c *Client) ConnectAs(ctx context.Context, how Hello) error {
	c.Cut()
	hello := c.hello(how)
	var offered *Peer
	if how.Offer {
		var err error
		if offered, hello.SDP, err = c.makePeer(); err != nil {
			return err
		}
	}
	welcome, err := c.enter(ctx, hello)
	if err != nil {
		if offered != nil {
			offered.Close()
		}
		return err
	}
	return c.settlePeer(offered, welcome)
}

// hello cites everything this page has.
func (c *Client) hello(how Hello) wire.Hello {
	device := c.opts.Device
	if device == "" {
		device = wire.DevicePhone
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return wire.Hello{
		Handle: c.Joined.Handle, Client: c.id, Tab: c.tab, Device: device, Room: c.opts.Room,
		Takeover: how.Takeover, Peer: c.peerID, Messages: maps.Clone(c.state.seen), List: c.state.list, Seen: c.state.cited(),
	}
}

// enter dials, says hello and repeats what has no answer. Nothing else is written meanwhile.
func (c *Client) enter(ctx context.Context, hello wire.Hello) (welcome wire.Welcome, err error) {
	ws, err := c.Dial(ctx)
	if err != nil {
		return welcome, err
	}
	c.out.Lock()
	defer c.out.Unlock()
	if welcome, err = c.greet(ctx, ws, hello); err != nil {
		_ = ws.Close()
		return welcome, err
	}
	cn := &conn{ws: ws, pace: time.Duration(welcome.PingMS) * time.Millisecond, next: make(chan time.Duration, 1), done: make(chan struct{})}
	c.mu.Lock()
	c.conn, c.closeCode = cn, 0
	c.state.view, c.state.welcomed, c.state.servers = welcome.View, true, welcome.ICEServers
	if welcome.List != nil {
		c.state.takeList(*welcome.List)
	}
	c.state.takeMessages(welcome.Messages)
	unanswered := slices.SortedFunc(maps.Values(c.calls), func(a, b *call) int { return cmp.Compare(a.id, b.id) })
	c.changed.fire()
	c.mu.Unlock()

	cn.tasks.Go(func() { c.read(cn) })
	cn.tasks.Go(func() { c.ping(cn) })
	for _, call := range unanswered {
		cn.write(call.frame)
	}
	return welcome, nil
}

// greet sends hello as the first message and reads its answer, which is the first that comes.
func (c *Client) greet(ctx context.Context, ws *websocket.Conn, hello wire.Hello) (welcome wire.Welcome, err error) {
	stop := context.AfterFunc(ctx, func() { _ = ws.NetConn().Close() })
	defer stop()
	c.lastID++
	frame, err := encode(wire.TypeHello, c.lastID, hello)
	if err != nil {
		return welcome, err
	}
	deadline := time.Now().Add(helloTimeout)
	_ = ws.SetWriteDeadline(deadline)
	_ = ws.SetReadDeadline(deadline)
	if err := ws.WriteMessage(websocket.TextMessage, frame); err != nil {
		return welcome, fmt.Errorf("say hello: %w", err)
	}
	var m message
	if err := ws.ReadJSON(&m); err != nil {
		return welcome, fmt.Errorf("await welcome: %w", err)
	}
	switch {
	case m.Re != c.lastID:
		return welcome, fmt.Errorf("%w: not the answer to hello came first", ErrProtocol)
	case m.Err != nil:
		return welcome, (*Error)(m.Err)
	}
	if err := json.Unmarshal(m.D, &welcome); err != nil {
		return welcome, err
	}
	if welcome.PingMS <= 0 {
		return welcome, fmt.Errorf("%w: pings each %d ms", ErrProtocol, welcome.PingMS)
	}
	return welcome, nil
}

// message is what a server sends: a reply if Re is set, else an event.
type message struct {
	Re  uint64          `json:"re"`
	Err *wire.Error     `json:"err"`
	T   wire.Type       `json:"t"`
	Seq uint64          `json:"seq"`
	D   json.RawMessage `json:"d"`
}

// read takes everything in until the connection ends.
func (c *Client) read(cn *conn) {
	var err error
	for err == nil {
		_ = cn.ws.SetReadDeadline(time.Now().Add(silence))
		var m message
		if err = cn.ws.ReadJSON(&m); err == nil {
			err = c.take(cn, m)
		}
	}
	_ = cn.ws.Close()
	code := wire.CloseCode(websocket.CloseAbnormalClosure)
	if closed := (*websocket.CloseError)(nil); errors.As(err, &closed) {
		code = wire.CloseCode(closed.Code)
	} else if errors.Is(err, ErrProtocol) {
		code = websocket.CloseProtocolError
	}
	c.lost(cn, code)
	close(cn.done)
}

func (c *Client) take(cn *conn, m message) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m.Re != 0 {
		return c.takeReply(cn, m)
	}
	if cn.seq != 0 && m.Seq != cn.seq+1 {
		return fmt.Errorf("%w: event %d after %d", ErrProtocol, m.Seq, cn.seq)
	}
	cn.seq = m.Seq
	defer c.changed.fire()
	switch m.T {
	case wire.EventView:
		var view wire.View
		err := json.Unmarshal(m.D, &view)
		c.state.view = view
		return err
	case wire.EventList:
		var list wire.List
		err := json.Unmarshal(m.D, &list)
		c.state.takeList(list)
		return err
	case wire.EventMessages:
		var messages wire.Messages
		err := json.Unmarshal(m.D, &messages)
		c.state.takeMessages(messages.Messages)
		return err
	}
	return nil // a newer server's event
}

func (c *Client) takeReply(cn *conn, m message) error {
	call, ok := c.calls[m.Re]
	if !ok {
		return fmt.Errorf("%w: answer to %d, which has none open", ErrProtocol, m.Re)
	}
	delete(c.calls, m.Re)
	if call.ping && m.Err == nil {
		if err := cn.takePong(m.D); err != nil {
			return err
		}
	}
	a := answer{data: m.D}
	if m.Err != nil {
		a.err = (*Error)(m.Err)
	}
	call.answer <- a
	return nil
}

// takePong has the next ping go out when the server wants it.
func (cn *conn) takePong(data json.RawMessage) error {
	var pong wire.Pong
	if err := json.Unmarshal(data, &pong); err != nil || pong.NextMS == 0 {
		return err
	}
	next := time.Duration(pong.NextMS) * time.Millisecond
	if next < 0 || next > cn.pace {
		return fmt.Errorf("%w: next ping in %v", ErrProtocol, next)
	}
	select {
	case cn.next <- next:
	default: // the wish before is not followed yet
	}
	return nil
}

// lost lets go of a connection that has ended. Commands stay, to be repeated.
func (c *Client) lost(cn *conn, code wire.CloseCode) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn != cn {
		return
	}
	c.conn, c.closeCode, c.keep = nil, code, code == wire.CloseHandedOver
	for id, call := range c.calls {
		if !call.command {
			delete(c.calls, id)
			call.answer <- answer{err: ErrDisconnected}
		}
	}
	c.changed.fire()
}

// ping keeps the connection alive: at the server's pace, and when a pong says so.
func (c *Client) ping(cn *conn) {
	timer := time.NewTimer(cn.pace)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			timer.Reset(cn.pace)
			if !c.lag(cn) {
				return
			}
			_, _ = c.start(wire.TypePing, wire.Empty{})
		case next := <-cn.next:
			timer.Reset(next)
		case <-cn.done:
			return
		}
	}
}

// lag waits as Options.Lag says, and tells whether the connection is still there.
func (c *Client) lag(cn *conn) bool {
	if c.opts.Lag == nil {
		return true
	}
	select {
	case <-time.After(c.opts.Lag()):
		return true
	case <-cn.done:
		return false
	}
}

// write sends one frame. A failure shows to the reader, which ends the connection.
func (cn *conn) write(frame []byte) {
	_ = cn.ws.SetWriteDeadline(time.Now().Add(silence))
	if err := cn.ws.WriteMessage(websocket.TextMessage, frame); err != nil {
		_ = cn.ws.NetConn().Close()
	}
}

// Disconnect closes the connection politely. The seat is kept, the peer goes on.
func (c *Client) Disconnect() {
	c.end(func(ws *websocket.Conn) {
		text := websocket.FormatCloseMessage(websocket.CloseGoingAway, "")
		_ = ws.WriteControl(websocket.CloseMessage, text, time.Now().Add(silence))
	})
}

// Cut closes the TCP connection without a close frame, as a lost network does. The peer goes on.
func (c *Client) Cut() { c.end(func(*websocket.Conn) {}) }

func (c *Client) end(farewell func(*websocket.Conn)) {
	c.mu.Lock()
	cn := c.conn
	c.mu.Unlock()
	if cn == nil {
		return
	}
	farewell(cn.ws)
	_ = cn.ws.NetConn().Close()
	cn.tasks.Wait()
}

// Connected tells whether there is a connection now.
func (c *Client) Connected() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.conn != nil
}

// WaitClosed waits until there is no connection and returns the code with which the last one ended; 1006
// if it just ended.
func (c *Client) WaitClosed(ctx context.Context) (wire.CloseCode, error) {
	var code wire.CloseCode
	err := await(ctx, &c.mu, &c.changed, func() bool {
		code = c.closeCode
		return c.conn == nil
	})
	return code, err
}
