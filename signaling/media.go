package signaling

import (
	"errors"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/sfu"
	"github.com/anteroom/anteroom/sfu/transport"
	"github.com/anteroom/anteroom/signaling/wire"
)

const (
	maxSlots     = 8               // slot pairs of a peer
	stalledAfter = 2 * time.Second // claims to send, and nothing comes
)

// settleMedia brings routes and views in force: first what parts people, then what their pages are to know,
// then what joins them.
func (a *actor) settleMedia(now time.Time) {
	concerned := a.concerned()
	said := a.chats.take()
	clear(a.dirty)
	clear(a.alone)
	each := func(step func(*session)) {
		concerned = slices.DeleteFunc(concerned, func(s *session) bool { return !a.confine(s, step) })
	}
	each(func(s *session) {
		a.planSlots(s)
		a.gate(s, now)
		s.point(kept(s.slots, s.pointed))
	})
	each(func(s *session) {
		a.sendView(s)
		if !s.isStaff() {
			a.sendMessages(s, nil)
		}
		a.afterView(s)
	})
	if len(said) > 0 {
		for _, s := range a.atDesk {
			a.confine(s, func(s *session) { a.sendMessages(s, said) })
		}
	}
	each(func(s *session) {
		if s.conn != nil {
			s.point(s.slots)
		} else {
			s.point(known(s.slots, s.told))
		}
	})
}

// point sets what the slots of a session's peer carry.
func (s *session) point(to []slot) {
	if s.peer == nil || slices.Equal(to, s.pointed) {
		return
	}
	s.pointed = slices.Clone(to)
	pairs := make([]*sfu.Peer, len(to))
	for i, t := range to {
		if t.from != nil {
			pairs[i] = t.from.Peer
		}
	}
	s.peer.Point(pairs, nil)
}

// concerned are the sessions that the changes since the last time can matter to.
func (a *actor) concerned() []*session {
	set := make(map[*session]struct{}, len(a.alone))
	for s := range a.alone {
		set[s] = struct{}{}
	}
	for id := range a.dirty {
		v, ok := a.room.Visit(id)
		if !ok {
			continue
		}
		for i := range v.Seats {
			if s := a.sessionAt(&v.Seats[i]); s != nil {
				set[s] = struct{}{}
			}
		}
	}
	if len(a.dirty) > 0 {
		for _, s := range a.atDesk {
			_, in := a.dirty[s.visit]
			_, prepares := a.dirty[s.prepared.visit]
			if in || prepares {
				set[s] = struct{}{}
			}
		}
	}
	all := make([]*session, 0, len(set))
	for s := range set {
		all = append(all, s)
	}
	return all
}

// planSlots decides what the slots of a session carry, by the routes in force and by nothing else.
func (a *actor) planSlots(s *session) {
	id, in := a.visitOf(s)
	s.visit = id
	if s.peer == nil {
		s.slots = nil
		return
	}
	if s.slots == nil {
		s.slots = make([]slot, s.peer.Slots())
	}
	var want []publisher
	if in {
		want = a.publishersFor(s, id)
	}
	assign(s.slots, want, &s.nextGen)
}

// publishersFor are those whose media may reach a session.
func (a *actor) publishersFor(s *session, id rooms.VisitID) []publisher {
	v, ok := a.room.Visit(id)
	if !ok {
		return nil
	}
	me := a.seatOf(s, v)
	if me == nil {
		return nil
	}
	var from []publisher
	for _, r := range rooms.InForce(v, a.durable[id]) {
		if r.To != me.ID {
			continue
		}
		seat, _ := v.Seat(r.From)
		p := publisher{seat: seat.ID}
		if other := a.sessionAt(seat); other != nil {
			p.from = other.peer
		}
		from = append(from, p)
	}
	return from
}

// seatOf is the seat a session's person has in a visit, or nil.
func (a *actor) seatOf(s *session, v *rooms.Visit) *rooms.Seat {
	var seat *rooms.Seat
	if s.isStaff() {
		seat, _ = v.StaffSeat(s.who.Staff)
	} else {
		seat, _ = v.Seat(s.who.Seat)
	}
	return seat
}

// maySend tells whether media of a session's person may be let in, by the newest state and by the durable one: if they
// are admitted and no observer.
func (a *actor) maySend(s *session) (newest, durable bool) {
	v, ok := a.room.Visit(s.visit)
	if !ok || v.Phase.Over() {
		return false, false
	}
	seat := a.seatOf(s, v)
	if seat == nil || seat.State != rooms.SeatAdmitted || seat.Role == rooms.Observer {
		return false, false
	}
	was := a.durable[s.visit]
	if was == nil {
		return true, false
	}
	before, had := was.Seat(seat.ID)
	return true, had && before.State == rooms.SeatAdmitted
}

// entering tells whether a session's person is admitted and that is not durable yet. Until it is, their page stays as
// it was before, its encoders running.
func (a *actor) entering(s *session) bool {
	newest, durable := a.maySend(s)
	return newest && !durable
}

// gate lets media of a session in if it may be sent in the newest and in the durable state.
func (a *actor) gate(s *session, now time.Time) {
	_, open := a.maySend(s)
	if open && !s.sending {
		s.since = now
		a.recheck[s.visit] = now.Add(stalledAfter)
	}
	s.sending = open
	if s.peer != nil {
		s.peer.SetGate(open)
	}
}

// missing tells of what a session claims to send that it has not come for a while.
func (a *actor) missing(s *session) (sound, picture bool) {
	if s.peer == nil || !s.sending || time.Since(s.since) < stalledAfter {
		return false, false
	}
	return s.media.Audio == wire.MediaOn && !s.peer.seen.Audio, s.media.Video == wire.MediaOn && !s.peer.seen.Video
}

// mayConnect tells whether a session should have a peer: staff always, others when they are in the visit, near
// the head of the queue, or about to be admitted, and guests of a visit under way while they still check their devices,
// because they are awaited. Who has one keeps it while they wait.
func (a *actor) mayConnect(s *session) bool {
	if s.isStaff() {
		return true
	}
	v, ok := a.room.Visit(s.who.Visit)
	if !ok || v.Phase.Over() {
		return false
	}
	seat, ok := v.Seat(s.who.Seat)
	if !ok {
		return false
	}
	switch seat.State {
	case rooms.SeatAdmitted, rooms.SeatHeld:
		return true
	case rooms.SeatWaiting:
		return s.peer != nil || a.warm(v.ID) || a.armed(seat.ID)
	case rooms.SeatChecking:
		return seat.Role.Guest() && (v.Phase == rooms.PhaseActive || v.Phase == rooms.PhaseHeld)
	}
	return false
}

// handleOffer makes a peer in the reader's goroutine, since that takes milliseconds, and then tells the actor.
func (c *conn) handleOffer(req wire.Request) {
	var d wire.Offer
	if err := decodeStrict(req.D, &d); err != nil {
		c.out.answerErr(req.ID, badMessage(err))
		return
	}
	if err := c.mayOffer(); err != nil {
		c.out.answerErr(req.ID, err)
		return
	}
	answer, err := c.connect(d.SDP)
	if err != nil {
		c.out.answerErr(req.ID, err)
		return
	}
	c.out.answer(req.ID, answer)
}

// mayOffer says why a session may not have a peer now, or nil.
func (c *conn) mayOffer() *wire.Error {
	result := make(chan *wire.Error, 1)
	refused, alive := ask(c.actor, mayOffer{c.session, result}, result)
	if !alive {
		return notYet("the server restarts")
	}
	return refused
}

func notYet(why string) *wire.Error { return &wire.Error{Code: wire.CodeNotYet, Msg: why} }

// mayOffer asks whether a session may have a peer.
type mayOffer struct {
	session *session
	result  chan *wire.Error
}

func (e mayOffer) failed(*actor) { instead(e.result, wireError(errInternal)) }

func (e mayOffer) apply(a *actor) {
	if !a.mayConnect(e.session) {
		e.result <- notYet("view.connect is false")
		return
	}
	e.result <- a.tooMuchFor(e.session)
}

// connect answers an offer and hands the peer to the actor.
func (c *conn) connect(offer string) (*wire.Answer, *wire.Error) {
	p := &peer{id: newID()}
	inner, answer, err := c.actor.hub.sfu.NewPeer(offer, sfu.PeerOptions{
		ID:      p.id,
		OnState: func(st sfu.State) { c.actor.media.put(c.session, p, func(r *report) { r.state = &st }) },
		OnMedia: func(m sfu.MediaState) { c.actor.media.put(c.session, p, func(r *report) { r.seen = &m }) },
		OnPause: func(paused bool) { c.actor.media.put(c.session, p, func(r *report) { r.paused = &paused }) },
	})
	if err != nil {
		if errors.Is(err, transport.ErrFull) {
			c.meters.hit(limitPeers)
		}
		return nil, offerError(err)
	}
	if inner.Slots() > maxSlots {
		inner.Close()
		c.meters.hit(limitSlots)
		return nil, &wire.Error{Code: wire.CodeBadOffer, Msg: "at most 8 slots"}
	}
	c.meters.near(limitSlots, inner.Slots())
	p.Peer = inner
	taken := make(chan bool, 1)
	if ok, alive := ask(c.actor, attach{c, c.session, p, taken}, taken); !alive || !ok {
		inner.Close()
		return nil, notYet("this connection has been replaced")
	}
	return &wire.Answer{Peer: p.id, SDP: answer}, nil
}

// attach gives a session its new peer.
type attach struct {
	conn    *conn
	session *session
	peer    *peer
	result  chan bool
}

func (e attach) failed(*actor) { instead(e.result, false) }

func (e attach) apply(a *actor) {
	s := e.session
	if s.conn != e.conn || a.sessionOf(s.who) != s {
		e.result <- false
		return
	}
	s.dropPeer()
	s.peer = e.peer
	a.touchSession(s)
	e.result <- true
}

// report is what a peer has said since the actor last looked.
type report struct {
	session *session
	peer    *peer
	state   *sfu.State
	seen    *sfu.MediaState
	paused  *bool
}

func (e report) apply(a *actor) {
	s := e.session
	if s.peer != e.peer {
		return
	}
	if e.paused != nil { // told to nobody else
		e.peer.paused = *e.paused
		a.alone[s] = struct{}{}
	}
	if e.seen == nil && e.state == nil {
		return
	}
	if e.seen != nil {
		e.peer.seen = *e.seen
	}
	if e.state != nil {
		e.peer.ready = e.state.Phase == transport.Connected
		if e.state.Phase == transport.Closed {
			a.log.Info("peer_closed", zap.String("session", s.id), zap.String("reason", string(e.state.Reason)))
			s.dropPeer()
		}
	}
	a.touchSession(s)
	a.forgetIfGone(s)
}

// mediaMailbox takes what media loops report without ever making them wait: one report a peer, newest first.
type mediaMailbox struct {
	mu      sync.Mutex
	reports map[*peer]*report
	ready   chan struct{}
}

func newMediaMailbox() *mediaMailbox {
	return &mediaMailbox{reports: map[*peer]*report{}, ready: make(chan struct{}, 1)}
}

func (m *mediaMailbox) put(s *session, p *peer, change func(*report)) {
	m.mu.Lock()
	r := m.reports[p]
	if r == nil {
		r = &report{session: s, peer: p}
		m.reports[p] = r
	}
	change(r)
	m.mu.Unlock()
	select {
	case m.ready <- struct{}{}:
	default:
	}
}

func (m *mediaMailbox) take() []*report {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make([]*report, 0, len(m.reports))
	for _, r := range m.reports {
		all = append(all, r)
	}
	clear(m.reports)
	return all
}
