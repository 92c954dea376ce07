package transport

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
	"github.com/pion/stun/v4"
)

// Phase is how far a peer's connection has come.
type Phase uint8

// The phases, in the order in which a peer meets them; Disconnected goes back to Connected when
// the client is heard again.
const (
	New Phase = iota
	Connecting
	Connected
	Disconnected
	Closed
)

// String returns the phase's lower-case name.
func (p Phase) String() string {
	return [...]string{"new", "connecting", "connected", "disconnected", "closed"}[p]
}

// Reason says why a peer was closed. It is empty before that.
type Reason string

// Why a peer was closed.
const (
	ReasonLocal       Reason = "closed here"
	ReasonSilent      Reason = "client silent"
	ReasonFingerprint Reason = "certificate does not match the offer"
	ReasonHandshake   Reason = "handshake did not finish"
	ReasonShutdown    Reason = "transport closed"
)

// State is a peer's phase and, when that is Closed, the reason.
type State struct {
	Phase  Phase
	Reason Reason
}

// Handler receives what happens to one peer. Its methods are called from goroutines of the
// transport (or of a pipe's writer), one at a time for one peer, and must not block. They may write
// to any peer and close any peer, but not close the transport.
type Handler interface {
	// RTP receives a decrypted packet; p and what it points to are valid until RTP returns.
	RTP(p *Packet)
	// RTCP receives a decrypted compound packet, valid until RTCP returns, and the batch to write with what it causes; nil: it
	// is sent at once.
	RTCP(via *Batch, compound []byte)
	// State reports a change. Closed comes last and once.
	State(s State)
}

// Packet is one decrypted RTP packet.
type Packet struct {
	Via     *Batch     // to write with what the packet causes; nil: it is sent at once
	Header  rtp.Header // parsed once
	Raw     []byte     // whole plain packet: header, payload, padding
	Payload []byte     // without padding
	Arrival time.Time  // monotonic
}

// Stats are a peer's counters since it was accepted: authenticated datagrams of any kind, before
// they are opened and after they are sealed.
type Stats struct {
	State                State
	PacketsIn, BytesIn   uint64
	PacketsOut, BytesOut uint64
	Remote               netip.AddrPort // the selected address; zero before the first check
	Relayed              bool           // the selected path is a pipe
	LastHeard            time.Time      // the last authenticated packet; at first, the time of Accept
}

// The client's own checks are its consent to be sent to (RFC 7675). Browsers send one at least
// every few seconds; Firefox slows them down in background tabs.
const (
	consentTimeout = 30 * time.Second  // then Disconnected
	goneTimeout    = 120 * time.Second // then Closed; also the time to get connected
)

// Peer is one client's connection. All methods are safe for concurrent use.
//
// Its first fields are what a packet needs, close together: with little to do, most of a packet's time goes to fetching memory.
type Peer struct {
	t       *Transport
	handler Handler
	closing atomic.Pointer[Reason]
	// recv serialises what comes in and every call of the handler. It is taken before seal and
	// before any lock of the transport.
	recv      sync.Mutex
	opener    *srtp.Context // under recv
	streams   []uint32      // SSRCs that the client has proved to use, under recv
	lastHeard atomic.Int64  // time.Duration since the transport's start, as all times here
	received  traffic

	seal     sync.Mutex
	sealer   *srtp.Context // under seal
	selected atomic.Pointer[route]
	mute     atomic.Bool // without consent nothing is sent (RFC 7675 section 5.1)
	sent     traffic

	lastCheck atomic.Int64          // time.Duration
	state     atomic.Pointer[State] // changed under recv
	home      atomic.Pointer[path]  // where the handshake was done; nil: not yet

	// Under recv too:
	known       []*route
	nominations nominations
	handshake   *handshake // under way
	lastFlight  []byte
	lastRepeat  time.Duration

	ufrag string
	pwd   string
	// integrity is the key that pwd makes, in the form that packets want.
	integrity stun.MessageIntegrity
	username  string // as the client must give it: our fragment, a colon, theirs
	offered   fingerprint
	accepted  time.Duration
}

// traffic counts datagrams.
type traffic struct {
	packets, bytes atomic.Uint64
}

func (c *traffic) note(size int) {
	c.packets.Add(1)
	c.bytes.Add(uint64(size))
}

// Stats returns the counters. It takes no lock.
func (p *Peer) Stats() Stats {
	s := Stats{
		State:      *p.state.Load(),
		PacketsIn:  p.received.packets.Load(),
		BytesIn:    p.received.bytes.Load(),
		PacketsOut: p.sent.packets.Load(),
		BytesOut:   p.sent.bytes.Load(),
		LastHeard:  p.t.started.Add(time.Duration(p.lastHeard.Load())),
	}
	if r := p.selected.Load(); r != nil {
		s.Remote, s.Relayed = r.seen(), r.via != nil
	}
	return s
}

// Close ends the connection. It does not block and may be called more than once, also from a
// Handler; State(Closed) follows from a goroutine of the transport.
func (p *Peer) Close() { p.close(ReasonLocal) }

func (p *Peer) close(why Reason) {
	if p.closing.CompareAndSwap(nil, &why) {
		p.t.leaving <- p // has room for every peer
	}
}

// gone reports whether Close has been called: from then on nothing is sent or handed on.
func (p *Peer) gone() bool { return p.closing.Load() != nil }

func (p *Peer) phase() Phase { return p.state.Load().Phase }

// enter changes the phase and tells the handler. The caller holds p.recv.
func (p *Peer) enter(phase Phase) {
	s := State{Phase: phase}
	if phase == Closed {
		s.Reason = *p.closing.Load()
	}
	p.state.Store(&s)
	p.mute.Store(phase == Disconnected)
	p.handler.State(s)
}

// bury undoes what the peer holds, once Close has been called. Only attend calls it.
func (p *Peer) bury() {
	p.recv.Lock()
	defer p.recv.Unlock()
	for _, r := range p.known {
		p.t.routes.remove(r.path, p)
	}
	p.t.forget(p)
	if p.handshake != nil {
		p.handshake.cancel()
	}
	p.enter(Closed)
}

// expire applies the timeouts at now.
func (p *Peer) expire(now time.Duration) {
	silent := now - time.Duration(p.lastCheck.Load())
	switch p.phase() {
	case New, Connecting:
		if now-p.accepted >= goneTimeout {
			why := ReasonHandshake
			if silent >= consentTimeout {
				why = ReasonSilent
			}
			p.close(why)
		}
	case Connected:
		if silent >= consentTimeout {
			p.disconnect(now)
		}
	case Disconnected:
		if silent >= goneTimeout {
			p.close(ReasonSilent)
		}
	default:
	}
}

// disconnect looks again, since a check may have come before it got the lock.
func (p *Peer) disconnect(now time.Duration) {
	p.recv.Lock()
	defer p.recv.Unlock()
	silent := now - time.Duration(p.lastCheck.Load())
	if !p.gone() && p.phase() == Connected && silent >= consentTimeout {
		p.enter(Disconnected)
	}
}

// sendPlain sends a copy of b, which is STUN or DTLS: with the batch, or at once if that is nil.
func (p *Peer) sendPlain(via *Batch, r *route, b []byte) {
	if via == nil {
		via = p.t.shared.lock()
		defer p.t.shared.unlock()
	}
	if buf := via.buffer(); buf != nil && len(b) <= len(buf) {
		p.sent.note(len(b))
		via.add(r, buf[:copy(buf, b)])
	}
}
