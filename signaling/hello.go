package signaling

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/anteroom/anteroom/internal/auth"
	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/signaling/wire"
)

// hello reads the first message, finds the actor and the session, and answers with welcome; or finds the instance that
// has the room, which does. After an error the connection is over; the code says how the client should take it.
func (c *conn) hello(ctx context.Context, h *Hub, r *http.Request) wire.CloseCode {
	data, err := c.readBytes(wire.HelloTimeoutMS*time.Millisecond, wire.MaxMessageBytes)
	if err != nil {
		return c.ending(err, limitHello)
	}
	req, hello, code := c.parseHello(data)
	if code != 0 {
		return code
	}
	who, err := h.keys.Identify(r, hello.Handle, h.now())
	if err != nil {
		c.out.refuse(req.ID, wire.CodeNoSession, "open the link again")
		return wire.CloseNoSession
	}
	for tries, moves := 0, 0; tries < maxReaches && moves <= rooms.MaxTransfers; {
		code, to := c.tryHello(ctx, req.ID, who, hello, data)
		switch {
		case to != nil:
			who = follow(who, *to)
			moves++
		case code == wire.CloseMoved:
			tries++
		default:
			return code
		}
	}
	return c.comeBackLater(req.ID)
}

// tryHello says hello where the room is. It answers CloseMoved if that has to be tried again, and where the visit goes on if
// that is another room.
func (c *conn) tryHello(ctx context.Context, id uint64, who auth.Identity, hello wire.Hello, data []byte) (wire.CloseCode, *rooms.Forward) {
	a, known, err := c.hub.actorFor(ctx, who, rooms.RoomID(hello.Room), false)
	other := (*Elsewhere)(nil)
	if !errors.As(err, &other) {
		return c.enterRoom(a, id, known, hello, err)
	}
	to, err := c.reach(ctx, other.At, greeting{who, data})
	if err != nil {
		c.hub.owners.Failed(known.Room, other.At, err)
		return wire.CloseMoved, nil
	}
	return 0, to
}

// parseHello reads a message that has to be a hello, and refuses what is none: with a code that is not 0.
func (c *conn) parseHello(data []byte) (req wire.Request, hello wire.Hello, code wire.CloseCode) {
	req, err := readRequest(data)
	if err != nil {
		return req, hello, c.ending(err, limitHello)
	}
	if req.T != wire.TypeHello {
		c.out.refuse(req.ID, wire.CodeHelloFirst, "the first message is hello")
		return req, hello, wire.CloseBadMessage
	}
	if err := decodeStrict(req.D, &hello); err != nil || !validHello(hello) {
		c.out.refuse(req.ID, wire.CodeBadMessage, "hello needs handle, client, tab and device")
		return req, hello, wire.CloseBadMessage
	}
	return req, hello, 0
}

// enterRoom goes on with what actorFor has answered.
func (c *conn) enterRoom(a *actor, id uint64, who auth.Identity, hello wire.Hello, err error) (wire.CloseCode, *rooms.Forward) {
	switch {
	case errors.Is(err, rooms.ErrForbidden):
		c.out.refuse(id, wire.CodeForbidden, "not one of your waiting rooms")
		return wire.CloseNoSession, nil
	case err != nil:
		return c.comeBackLater(id), nil
	}
	return c.arrive(a, id, who, hello)
}

// comeBackLater refuses a hello because of our own trouble: the store cannot say who somebody is, or what is in the room.
func (c *conn) comeBackLater(id uint64) wire.CloseCode {
	c.out.reply(wire.Reply{Re: id, Err: wireError(ErrRetry)}, false)
	return wire.CloseBusy
}

// arrive asks the actor for the session and sends welcome, with an answer if there was an offer; or answers in what other room the
// visit goes on.
func (c *conn) arrive(a *actor, id uint64, who auth.Identity, hello wire.Hello) (wire.CloseCode, *rooms.Forward) {
	e := arrival{conn: c, who: who, hello: hello, result: make(chan arrived, 1)}
	got, ok := ask(a, e, e.result)
	switch {
	case !ok:
		return a.farewell(), nil
	case got.to != nil:
		return 0, got.to
	case got.err != nil:
		c.out.reply(wire.Reply{Re: id, Err: got.err}, false)
		return got.code, nil
	}
	c.actor, c.session = a, got.session
	if hello.SDP != "" && got.welcome.View.Connect && got.welcome.Peer == "" && c.mayOffer() == nil {
		if answer, err := c.connect(hello.SDP); err == nil {
			got.welcome.Peer, got.welcome.Answer = answer.Peer, answer.SDP
		}
	}
	if got.list != nil {
		list := got.list.list()
		got.welcome.List = &list
	}
	c.out.welcome(wire.Reply{Re: id, D: got.welcome})
	return 0, nil
}

// welcome queues the first message. Views that came meanwhile follow it.
func (o *outbox) welcome(r wire.Reply) {
	data := encode(r)
	o.change(func() { o.first, o.welcomed = append(o.first, data), true })
}

func validHello(h wire.Hello) bool {
	return h.Handle != "" && len(h.Handle) <= 64 && validRandom(h.Client) && validRandom(h.Tab) &&
		(h.Device == wire.DevicePhone || h.Device == wire.DeviceDesktop)
}

// validRandom checks the ids that clients make.
func validRandom(s string) bool {
	if len(s) < 16 || len(s) > 64 {
		return false
	}
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' {
			return false
		}
	}
	return true
}

// arrival is a hello that waits for the actor's word.
type arrival struct {
	conn   *conn
	who    auth.Identity
	hello  wire.Hello
	result chan arrived
}

type arrived struct {
	session *session
	welcome wire.Welcome   // without the list
	list    *news          // of staff
	to      *rooms.Forward // instead of all else: the visit goes on there
	err     *wire.Error
	code    wire.CloseCode // with err
}

// failed leaves nobody behind who is here by a connection that ends.
func (e arrival) failed(a *actor) {
	e.refuse(wire.CodeInternal, "the server could not do it", wire.CloseBusy)
	if s := a.sessionOf(e.who); s != nil && s.conn == e.conn {
		gone{e.conn, s}.apply(a)
	}
}

func (e arrival) refuse(code wire.Code, msg string, closeCode wire.CloseCode) {
	instead(e.result, arrived{err: &wire.Error{Code: code, Msg: msg}, code: closeCode})
}

func (e arrival) apply(a *actor) {
	if to := a.forwardOf(e.who); to != nil {
		e.result <- arrived{to: to}
		return
	}
	if code, closeCode := a.admissible(e.who); code != "" {
		e.refuse(code, "this link does not open the visit", closeCode)
		return
	}
	a.heed(e.who, e.hello.Seen)
	s := a.sessionOf(e.who)
	switch {
	case s == nil:
		s = a.begin(e)
	case s.client == e.hello.Client:
		s.resume(e)
	case s.conn != nil && !e.hello.Takeover && (s.who.Handle != e.who.Handle || s.tab != e.hello.Tab):
		e.refuse(wire.CodeSeatInUse, "open on another device or tab; ask, then say takeover", wire.CloseTakenOver)
		return
	default:
		if s.conn != nil {
			s.conn.out.close(wire.CloseTakenOver)
		}
		s.dropPeer()
		s = a.begin(e)
	}
	if s.peer != nil && s.peer.id != e.hello.Peer {
		s.dropPeer()
	}
	if !s.isStaff() {
		a.open(s)
	}
	a.cameOrWent(s)
	welcome, list := a.welcome(s, e.hello)
	e.result <- arrived{session: s, welcome: welcome, list: list}
}

// begin makes the session of a page that was not here before.
func (a *actor) begin(e arrival) *session {
	s := &session{
		id: newID(), who: e.who, tab: e.hello.Tab, client: e.hello.Client, device: e.hello.Device, conn: e.conn,
		media: wire.Media{Audio: wire.MediaOff, Video: wire.MediaOff}, said: map[rooms.VisitID]int{},
	}
	a.setSession(s)
	return s
}

// resume gives a session its new connection.
func (s *session) resume(e arrival) {
	if s.conn != nil {
		s.conn.out.close(wire.CloseSlow)
	}
	s.conn, s.tab, s.device, s.who = e.conn, e.hello.Tab, e.hello.Device, e.who
	s.lastView = 0
}

// admissible tells whether an identity still opens its seat or desk: the empty code, or why not.
func (a *actor) admissible(who auth.Identity) (wire.Code, wire.CloseCode) {
	if who.Kind == auth.Staff {
		if member, ok := a.staff[who.Staff]; !ok || member.TokenGen != who.Gen {
			return wire.CodeNoSession, wire.CloseNoSession
		}
		return "", 0
	}
	v, ok := a.room.Visit(who.Visit)
	if !ok {
		return wire.CodeNoVisit, wire.CloseOver
	}
	seat, ok := v.Seat(who.Seat)
	switch {
	case !ok:
		return wire.CodeNoSession, wire.CloseNoSession
	case seat.State == rooms.SeatRemoved:
		return wire.CodeRemoved, wire.CloseRemoved
	case seat.LinkGen != who.Gen || seat.LinkRevoked:
		return wire.CodeNoSession, wire.CloseNoSession
	}
	return "", 0
}

// open notes that the page of a seat is open. It is not a client's command and needs no answer.
func (a *actor) open(s *session) {
	if a.storeDown || !a.mayOpen() {
		return
	}
	out, err := a.room.Apply(rooms.Command{Actor: a.actorOf(s), Visit: s.who.Visit, Do: rooms.Open{}}, a.hub.now())
	if err == nil && len(out.Visits) > 0 {
		a.install(out.Visits)
	}
}

// welcome is the whole truth for a session that has just arrived.
func (a *actor) welcome(s *session, hello wire.Hello) (wire.Welcome, *news) {
	a.planSlots(s)
	a.gate(s, time.Now()) // a page that comes from another owner goes on sending
	w := wire.Welcome{
		Session:    s.id,
		Now:        a.hub.now().UnixMilli(),
		PingMS:     wire.PingEveryMS,
		ICEServers: a.hub.iceServers(s.id),
		View:       a.viewOf(s),
		Messages:   []wire.Message{},
	}
	a.makeCitable(&w.View)
	s.tell()
	if s.peer != nil {
		w.Peer = s.peer.id
	}
	clear(s.said)
	for id, n := range hello.Messages { // as many as fit a message; those of visits that are gone are of no use
		if _, ok := a.durable[rooms.VisitID(id)]; ok {
			s.said[rooms.VisitID(id)] = n
		}
	}
	for _, id := range a.chatsOf(s, a.chats.all) {
		w.Messages = append(w.Messages, a.unsaid(s, id)...)
	}
	if !s.isStaff() {
		return w, nil
	}
	a.list.update(a)
	list := a.list.since(hello.List)
	s.listAt = list.version
	return w, &list
}
