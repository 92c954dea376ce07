package sfu

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"

	"github.com/anteroom/anteroom/sfu/transport"
)

// State is a peer's connection state, as its transport reports it.
type State = transport.State

// MediaState says of which of a peer's sources packets have been seen within the last 2 s. Media that
// the gate drops is not seen.
type MediaState struct {
	Audio, Video, Content bool
}

// PeerOptions name a peer and receive its events. Callbacks run on media goroutines and must not
// block; one of each kind runs at a time; a last one may run while Close does.
type PeerOptions struct {
	ID      string // for logs only
	OnState func(State)
	OnMedia func(MediaState) // on change only; at first nothing has been seen
	// OnPause says that the peer gets no pictures, since its link is too weak for any, or gets them again. Its sound goes
	// on. On change only; at first there is no pause, and one lasts for seconds.
	OnPause func(paused bool)
}

// wire is what a peer needs of its transport.
type wire interface {
	WriteRTP(via *transport.Batch, h *rtp.Header, payload ...[]byte) error
	WritePadding(via *transport.Batch, h *rtp.Header, size uint8) error
	WriteRTCP(via *transport.Batch, compound []byte) error
	Stats() transport.Stats
	Close()
}

// Peer is one client's connection. All methods are safe for concurrent use and return within
// microseconds.
type Peer struct {
	id      string
	sfu     *SFU
	onState func(State)
	onMedia func(MediaState)
	onPause func(paused bool)
	hurried atomic.Bool // and so in sfu.hurried

	in     inbound
	out    outbound
	place  int         // in sfu.peers, under sfu.mu
	closed bool        // under sfu.mu
	failed atomic.Bool // a panic has ended it
}

// attach gives the peer its transport. The transport's goroutines may call the handler before.
func (p *Peer) attach(w wire) {
	p.in.mu.Lock()
	p.in.wire = w
	p.in.mu.Unlock()
	p.out.mu.Lock()
	p.out.wire = w
	p.out.mu.Unlock()
}

// ID returns the peer's name in logs.
func (p *Peer) ID() string { return p.id }

// Slots returns how many pairs of audio and video the peer can watch.
func (p *Peer) Slots() int { return p.out.pairs }

// ContentSlots returns how many content videos the peer can watch.
func (p *Peer) ContentSlots() int { return len(p.out.slots) - p.out.pairs }

// SetGate says whether this peer's media may be forwarded and fed back at all; it is closed at first.
// While it is closed, what the peer sends is dropped and counted in Stats.Forbidden, and nothing is
// answered that would keep it going. It takes effect before it returns.
func (p *Peer) SetGate(open bool) {
	p.in.mu.Lock()
	defer p.in.mu.Unlock()
	p.in.setGate(open, time.Now())
}

// Point sets what every slot of this peer carries, all at once: slot pair i the audio and video of
// pairs[i], content slot i the content video of contents[i]; nil, absent and closed peers leave it
// empty, and peers beyond the slots that exist are ignored. It takes effect before it returns: after
// that no packet of a removed source is written to this peer. A slot that keeps its peer goes on
// undisturbed; one that gets another asks for a keyframe, again each 310 ms until it has passed.
func (p *Peer) Point(pairs, contents []*Peer) {
	p.sfu.mu.Lock()
	defer p.sfu.mu.Unlock()
	if p.closed {
		return
	}
	p.point(func(i int, _ *slot) *Peer {
		if i < p.out.pairs {
			return at(pairs, i)
		}
		return at(contents, i-p.out.pairs)
	})
}

// at returns the open peer at place i, or nil. The caller holds SFU.mu.
func at(peers []*Peer, i int) *Peer {
	if i >= len(peers) || peers[i] == nil || peers[i].closed {
		return nil
	}
	return peers[i]
}

// point asks want for every slot's peer and makes it so. The caller holds SFU.mu, so that nobody else
// edits routes.
func (p *Peer) point(want func(i int, s *slot) *Peer) {
	for _, c := range p.out.point(want, time.Now()) {
		c.from.removeRoute(c.track)
		c.to.addRoute(c.track)
	}
}

// source returns the peer's source of that kind; nil if it or the peer is not there.
func (p *Peer) source(k kind) *source {
	if p == nil {
		return nil
	}
	i := slices.IndexFunc(p.in.sources, func(s *source) bool { return s.kind == k })
	if i < 0 {
		return nil
	}
	return p.in.sources[i]
}

// Close ends the connection and empties every slot that carries this peer. It may be called more than
// once, also from callbacks.
func (p *Peer) Close() {
	if !p.leave() {
		return
	}
	defer p.hangUp()
	p.SetGate(false)
}

// leave takes the peer out of the SFU and of all routes; it reports false if that was done before.
func (p *Peer) leave() bool {
	s := p.sfu
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.closed {
		return false
	}
	p.closed = true
	s.remove(p)
	s.former.add(p.Stats())
	p.point(func(int, *slot) *Peer { return nil })
	for _, viewer := range p.in.viewers() {
		viewer.point(func(_ int, s *slot) *Peer {
			if s.carries == p {
				return nil
			}
			return s.carries
		})
	}
	return true
}

// handler receives what the transport reads for a peer.
type handler struct{ p *Peer }

func (h handler) RTP(pkt *transport.Packet) {
	h.p.in.mu.Lock()
	defer h.p.in.mu.Unlock()
	h.p.in.receive(pkt)
}

func (h handler) RTCP(via *transport.Batch, compound []byte) { h.p.readRTCP(via, compound, time.Now()) }

func (h handler) State(st State) {
	switch st.Phase {
	case transport.Connected:
		requestKeyframes(h.p.out.connect(), time.Now())
	case transport.Disconnected:
		h.p.out.disconnect()
	case transport.Closed:
		h.p.Close()
	default:
	}
	if h.p.onState != nil {
		h.p.onState(st)
	}
}
