package signaling

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/time/rate"

	"github.com/anteroom/anteroom/signaling/wire"
)

const (
	writeTimeout   = 5 * time.Second
	lingerTimeout  = time.Second // for the other side to take the close code
	requestRate    = 20          // requests a second
	requestBurst   = 100         // at once
	refusalsToShut = 100         // requests over the rate, after which the connection ends
	sendBuffer     = 256 << 10   // bytes the system may hold for a client that does not read; else it takes megabytes
)

// conn is one WebSocket. Its reader is converse; its writer is there only while there is something to write, because most
// sockets are silent most of the time.
type conn struct {
	hub    *Hub
	number uint64 // of the sockets of the hub, from 1
	ws     *websocket.Conn
	out    *outbox
	limit  *rate.Limiter
	meters *meters

	written chan struct{} // closed when the last message was written

	// Known after hello and then fixed.
	actor   *actor
	session *session
	hop     *hop // to the owner of the room, if that is another instance; then there is no actor

	reason string // of the close code, for another instance; set before the outbox is closed

	// silence is how long the reader waits for the next request: the newest ping says.
	silence time.Duration
	rhythm  rhythm // the reader's
}

func newConn(ws *websocket.Conn, h *Hub) *conn {
	limitSendBuffer(ws.NetConn())
	c := &conn{
		hub: h, number: h.opened.Add(1), ws: ws, out: newOutbox(&h.meters), limit: rate.NewLimiter(requestRate, requestBurst), meters: &h.meters,
		written: make(chan struct{}),
	}
	c.out.write = c.write
	return c
}

// limitSendBuffer finds the TCP socket beneath TLS and whatever else wraps it. That it cannot be limited harms nobody.
func limitSendBuffer(c net.Conn) {
	for {
		switch under := c.(type) {
		case interface{ SetWriteBuffer(bytes int) error }:
			_ = under.SetWriteBuffer(sendBuffer)
			return
		case interface{ NetConn() net.Conn }:
			c = under.NetConn()
		default:
			return
		}
	}
}

var errBadEnvelope = errors.New("signaling: not a request")

// read waits for the next request, at most until the deadline.
func (c *conn) read(timeout time.Duration) (wire.Request, error) {
	data, err := c.readBytes(timeout, wire.MaxMessageBytes)
	if err != nil {
		return wire.Request{}, err
	}
	return readRequest(data)
}

// readBytes waits for the next message of up to most bytes.
func (c *conn) readBytes(timeout time.Duration, most int) ([]byte, error) {
	c.awaitUntil(timeout)
	kind, from, err := c.ws.NextReader()
	if err != nil {
		return nil, err
	}
	// Not gorilla's own limit, which would close with a code that says come back.
	data, err := io.ReadAll(io.LimitReader(from, int64(most)+1))
	if err != nil {
		return nil, err
	}
	c.meters.near(limitMessageBytes, min(len(data), most))
	if len(data) > most {
		c.meters.hit(limitMessageBytes)
		return nil, errBadEnvelope
	}
	if kind != websocket.TextMessage {
		return nil, errBadEnvelope
	}
	return data, nil
}

// awaitUntil bounds how long the reader waits: if the close code is on its way, as long as that may take to be answered. The writer
// sets the same when it has sent the code, so that one of both comes last.
func (c *conn) awaitUntil(timeout time.Duration) {
	_ = c.ws.SetReadDeadline(time.Now().Add(timeout)) // fails where reading does, too
	if c.out.closed() {
		_ = c.ws.SetReadDeadline(time.Now().Add(lingerTimeout))
	}
}

// readRequest reads the envelope of a message.
func readRequest(data []byte) (r wire.Request, err error) {
	if id, ok := pingID(data); ok {
		return wire.Request{T: wire.TypePing, ID: id}, nil
	}
	if decodeStrict(data, &r) != nil || r.T == "" || r.ID == 0 {
		return wire.Request{}, errBadEnvelope
	}
	return r, nil
}

// readLoop hands requests to the actor until the connection ends, and answers with the close code for
// the way it ended; 0 if the socket is gone already.
func (c *conn) readLoop() wire.CloseCode {
	refused := 0
	c.silence = wire.PingTimeoutMS * time.Millisecond
	for {
		req, err := c.read(c.silence)
		if err != nil {
			return c.ending(err, limitSilence)
		}
		if c.out.closed() {
			return 0
		}
		if !c.mayAsk() {
			refused++
			c.meters.near(limitRefusals, refused)
			if refused > refusalsToShut {
				c.meters.hit(limitRefusals)
				return wire.CloseBusy
			}
			c.out.refuse(req.ID, wire.CodeTooMany, "more requests than the limits of the protocol allow")
			continue
		}
		if code := c.handle(req); code != 0 {
			return code
		}
	}
}

// handle answers what needs no actor and passes on the rest.
func (c *conn) handle(req wire.Request) wire.CloseCode {
	switch req.T {
	case wire.TypePing:
		c.handlePing(req)
	case wire.TypeHello:
		c.out.answerErr(req.ID, &wire.Error{Code: wire.CodeHelloFirst, Msg: "hello comes once, first"})
	case wire.TypeOffer:
		c.handleOffer(req)
	case wire.TypeRooms:
		c.handleRooms(req)
	case wire.TypeTransfer:
		if err := c.checkTransfer(req); err != nil {
			c.out.answerErr(req.ID, err)
			break
		}
		return c.post(req)
	default:
		return c.post(req)
	}
	return 0
}

// post hands a request to the actor, and answers how to close if that has ended.
func (c *conn) post(req wire.Request) wire.CloseCode {
	if !c.actor.post(request{conn: c, session: c.session, req: req}) {
		return c.actor.farewell()
	}
	return 0
}

// mayAsk tells whether a request is within the rates.
func (c *conn) mayAsk() bool {
	if !c.limit.Allow() {
		c.meters.hit(limitRequestRate)
		return false
	}
	return c.out.begin()
}

// ending is the close code for a read that failed; silence is the limit on how long it may take.
func (c *conn) ending(err error, silence limit) wire.CloseCode {
	switch {
	case errors.Is(err, errBadEnvelope):
		return wire.CloseBadMessage
	case timedOut(err):
		c.meters.hit(silence)
		return wire.CloseSilent
	}
	return 0
}

func timedOut(err error) bool {
	var netErr net.Error // what gorilla answers for a write wraps no error of package os
	return errors.As(err, &netErr) && netErr.Timeout()
}

// write sends what the outbox holds until that is empty or closed, and then the close code. A reader that waits is woken.
func (c *conn) write() {
	if c.writeAll() {
		close(c.written)
	}
}

// writeAll is write, and reports whether nothing will be written any more. Views and lists are encoded here, so that a panic over
// one ends this connection.
func (c *conn) writeAll() (ended bool) {
	defer func() {
		if p := recover(); p != nil {
			c.hub.metrics.panicked(c.hub.log, "conn_panic", p)
			c.cut()
			ended = true
		}
	}()
	for {
		batch, code, ok := c.out.take()
		if ok && len(batch) == 0 {
			return false
		}
		for _, m := range batch {
			if err := c.send(m); err != nil {
				if timedOut(err) {
					c.meters.hit(limitWrite)
				}
				c.cut()
				return true
			}
		}
		if ok {
			continue
		}
		if code == 0 {
			_ = c.ws.Close()
			return true
		}
		text := websocket.FormatCloseMessage(int(code), c.reason)
		_ = c.ws.WriteControl(websocket.CloseMessage, text, time.Now().Add(writeTimeout))
		_ = c.ws.SetReadDeadline(time.Now().Add(lingerTimeout))
		return true
	}
}

// cut ends the connection with no word. Only the writer calls it.
func (c *conn) cut() {
	c.out.close(0)
	_ = c.ws.Close()
}

// linger reads on for a moment after the close code was sent: a socket closed with something unread is reset, and the
// other side may then never read the code.
func (c *conn) linger() {
	_ = c.ws.SetReadDeadline(time.Now().Add(lingerTimeout))
	for {
		_, from, err := c.ws.NextReader()
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, from); err != nil {
			return
		}
	}
}

func (c *conn) send(m json.RawMessage) error {
	if err := c.ws.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	return c.ws.WriteMessage(websocket.TextMessage, m)
}

// outbox is what a connection still has to send: bounded, because a newer view or list replaces the older
// and the rest is counted. Safe for concurrent use; nothing in it blocks.
type outbox struct {
	write func() // takes until there is nothing; nil: somebody else does

	mu         sync.Mutex
	writing    bool // write runs, or has run for the last time
	seq        uint64
	welcomed   bool              // events may follow
	first      []json.RawMessage // welcome, before all else
	view       *wire.View
	list       func() json.RawMessage // data of a list event
	messages   []wire.Message
	replies    []json.RawMessage
	unanswered int
	closing    bool
	code       wire.CloseCode
	meters     *meters
}

const (
	maxQueuedMessages = 256
	maxQueuedReplies  = 2 * (wire.MaxUnanswered + refusalsToShut)
)

func newOutbox(m *meters) *outbox { return &outbox{meters: m} }

// take answers what is to be sent, which may be nothing: then its caller is the writer no more. ok is false once the box is
// closed; code is then the close code.
func (o *outbox) take() (batch []json.RawMessage, code wire.CloseCode, ok bool) {
	o.mu.Lock()
	o.writing = o.closing || !o.empty()
	batch, o.first = o.first, nil
	var taken events
	if o.welcomed {
		taken = o.takeEvents()
	}
	replies := o.replies
	o.replies = nil
	code, ok = o.code, !o.closing
	o.mu.Unlock()
	return append(taken.encode(batch), replies...), code, ok
}

// events are what takeEvents took. They are encoded without the lock, which the actor may want.
type events struct {
	seq      uint64 // of the first
	view     *wire.View
	list     func() json.RawMessage
	messages []wire.Message
}

func (o *outbox) takeEvents() events {
	e := events{o.seq + 1, o.view, o.list, o.messages}
	o.view, o.list, o.messages = nil, nil, nil
	for _, there := range []bool{e.view != nil, e.list != nil, len(e.messages) > 0} {
		if there {
			o.seq++
		}
	}
	return e
}

func (e events) encode(batch []json.RawMessage) []json.RawMessage {
	add := func(t wire.Type, data json.RawMessage) {
		batch = append(batch, encodeEvent(t, e.seq, data))
		e.seq++
	}
	if e.view != nil {
		add(wire.EventView, encode(e.view))
	}
	if e.list != nil {
		add(wire.EventList, e.list())
	}
	if len(e.messages) > 0 {
		add(wire.EventMessages, encode(wire.Messages{Messages: e.messages}))
	}
	return batch
}

func (o *outbox) empty() bool {
	events := o.welcomed && (o.view != nil || o.list != nil || len(o.messages) > 0)
	return len(o.first) == 0 && len(o.replies) == 0 && !events
}

// encodeEvent is a wire.Event around encoded data, which package json would read once more.
func encodeEvent(t wire.Type, seq uint64, data json.RawMessage) json.RawMessage {
	return fmt.Appendf(make([]byte, 0, len(data)+64), `{"t":%q,"seq":%d,"d":%s}`, t, seq, data)
}

// change runs fn under the lock, unless the box is closed, and starts the writer if there is something for it.
func (o *outbox) change(fn func()) {
	if o.changed(fn) && o.write != nil {
		go o.write()
	}
}

// changed is change, but answers whether its caller has to write or have somebody write.
func (o *outbox) changed(fn func()) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closing {
		return false
	}
	fn()
	if o.writing || o.empty() && !o.closing {
		return false
	}
	o.writing = true
	return true
}

// close ends the connection after what is queued has been sent. The first code counts.
func (o *outbox) close(code wire.CloseCode) {
	o.change(func() { o.closing, o.code = true, code })
}

func (o *outbox) closed() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.closing
}

func (o *outbox) setView(v wire.View) { o.change(func() { o.view = &v }) }

// setList queues list data unless an older one is still unsent; it answers whether it was taken.
func (o *outbox) setList(data func() json.RawMessage) (taken bool) {
	o.change(func() {
		if taken = o.list == nil; taken {
			o.list = data
		}
	})
	return taken
}

func (o *outbox) addMessages(m []wire.Message) {
	o.change(func() {
		o.messages = append(o.messages, m...)
		o.meters.near(limitQueuedMessages, min(len(o.messages), maxQueuedMessages))
		if len(o.messages) > maxQueuedMessages {
			o.meters.hit(limitQueuedMessages)
			o.closing, o.code = true, wire.CloseSlow
		}
	})
}

// begin counts a request as unanswered; false if there are too many.
func (o *outbox) begin() (ok bool) {
	o.change(func() {
		if ok = o.unanswered < wire.MaxUnanswered; !ok {
			o.meters.hit(limitUnanswered)
			return
		}
		o.unanswered++
		o.meters.near(limitUnanswered, o.unanswered)
	})
	return ok
}

func (o *outbox) answer(id uint64, d any) { o.reply(wire.Reply{Re: id, D: d}, true) }

func (o *outbox) answerErr(id uint64, err *wire.Error) { o.reply(wire.Reply{Re: id, Err: err}, true) }

// refuse answers a request that begin did not count.
func (o *outbox) refuse(id uint64, code wire.Code, msg string) {
	o.reply(wire.Reply{Re: id, Err: &wire.Error{Code: code, Msg: msg}}, false)
}

func (o *outbox) reply(r wire.Reply, counted bool) {
	data := encode(r)
	o.change(func() { o.queueReply(data, counted) })
}

// pong answers a ping, and tells whether its caller has to write. The reader does that itself, since pings are most of what
// happens on most sockets, and another goroutine would cost more than the pong.
func (o *outbox) pong(id uint64, now time.Time, next int) (write bool) {
	data := pongText(id, now.UnixMilli(), next)
	return o.changed(func() { o.queueReply(data, true) })
}

func (o *outbox) queueReply(data json.RawMessage, counted bool) {
	if counted {
		o.unanswered--
	}
	o.replies = append(o.replies, data)
	o.meters.near(limitQueuedReplies, min(len(o.replies), maxQueuedReplies))
	if len(o.replies) > maxQueuedReplies {
		o.meters.hit(limitQueuedReplies)
		o.closing, o.code = true, wire.CloseSlow
	}
}
