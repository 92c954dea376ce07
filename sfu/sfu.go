// Package sfu decides what media reaches whom and keeps each stream whole on its way.
//
// A Peer is one client's connection. What it sends are its sources (audio, video, content video); what
// it can watch are slots, negotiated once in its offer, which Point sets at other peers' sources
// without another negotiation. The package owns sequence numbers, timestamps, keyframe requests,
// retransmission and reports; sources know nothing of slots elsewhere but the list of their routes.
// It must not know sockets, keys or SDP (package transport does) nor people, visits and rights
// (its caller does).
//
// Locks are taken in this order, and none is held while a callback runs: SFU.mu (who is pointed at
// whom), one Peer's inbound.mu (what it publishes), one Peer's outbound.mu (what it watches), one
// ring's mu. Nothing waits under them but memory and the transport's queue.
package sfu

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/anteroom/anteroom/sfu/transport"
)

// Errors that callers can tell apart with errors.Is.
var (
	// ErrBadOffer means that the offer's m-lines are not those a client must offer; the wrapping error
	// says what was expected. It is the transport's error of that name.
	ErrBadOffer = transport.ErrBadOffer
	// ErrClosed means that the SFU is closed.
	ErrClosed = errors.New("sfu: closed")
)

const (
	reportEvery = time.Second      // sender and receiver reports
	silentAfter = 2 * time.Second  // without packets a source counts as silent
	logEvery    = 10 * time.Second // between two log lines of one peer's forbidden media
)

// Config configures an SFU. Transport is required; the rest has defaults.
type Config struct {
	Transport *transport.Transport
	Logger    *zap.Logger // nil: no logs
	// StartBitrateKbps is hinted to clients, so that their first frames are not starved; 0 means 600.
	StartBitrateKbps int
	// MaxStreams bounds the SSRCs that one peer may send and the m-lines it may receive on; 0 means 32.
	MaxStreams int
}

// SFU forwards media between its peers. All methods are safe for concurrent use.
type SFU struct {
	transport *transport.Transport
	log       *zap.Logger
	startKbps int
	streams   int
	clock     serverClock
	panics    atomic.Uint64
	stop      chan struct{}
	stopped   chan struct{}

	hurried  *hurried
	feedback *time.Timer // runs while there are peers

	mu     sync.Mutex
	closed bool
	peers  []*Peer // each at its place
	former Totals  // of peers that are gone
}

// New starts an SFU over a transport, which stays the caller's to close, after the SFU. It runs one
// goroutine until Close.
func New(cfg Config) *SFU {
	s := newSFU(cfg)
	go s.run()
	return s
}

func newSFU(cfg Config) *SFU {
	s := &SFU{
		transport: cfg.Transport,
		log:       cfg.Logger,
		startKbps: cfg.StartBitrateKbps,
		streams:   cfg.MaxStreams,
		clock:     serverClock{began: time.Now()},
		stop:      make(chan struct{}),
		stopped:   make(chan struct{}),
		hurried:   newHurried(),
		feedback:  time.NewTimer(time.Hour),
	}
	s.feedback.Stop()
	if s.log == nil {
		s.log = zap.NewNop()
	}
	if s.startKbps == 0 {
		s.startKbps = 600
	}
	if s.streams == 0 {
		s.streams = 32
	}
	return s
}

// Close closes every peer, refuses new ones, and waits for the SFU's goroutine. It may be called
// more than once.
func (s *SFU) Close() {
	s.mu.Lock()
	peers, first := slices.Clone(s.peers), !s.closed
	s.closed = true
	s.mu.Unlock()
	if first {
		close(s.stop)
	}
	for _, p := range peers {
		p.Close()
	}
	<-s.stopped
}

// add takes a new peer in unless it or the SFU is closed.
func (s *SFU) add(p *Peer) (open bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || p.closed {
		return false
	}
	p.place = len(s.peers)
	s.peers = append(s.peers, p)
	if len(s.peers) == 1 {
		s.feedback.Reset(feedbackEvery)
	}
	return true
}

// remove undoes add, if that was done. The newest peer takes the place. The caller holds mu.
func (s *SFU) remove(p *Peer) {
	last := len(s.peers) - 1
	if p.place > last || s.peers[p.place] != p {
		return
	}
	s.peers[p.place] = s.peers[last]
	s.peers[p.place].place = p.place
	s.peers[last] = nil
	s.peers = s.peers[:last]
}

// NewPeer answers a client's offer. Its m-lines must be, in this order: audio and video (and
// content video) that the client sends, then pairs of audio and video that it receives, then content
// videos that it receives. Anything else fails with ErrBadOffer, which says what was expected; the
// transport's errors come as they are. Until SetGate(true) nothing that the peer sends is used.
func (s *SFU) NewPeer(offer string, o PeerOptions) (*Peer, string, error) {
	p := &Peer{id: o.ID, sfu: s, onState: o.OnState, onMedia: o.OnMedia, onPause: o.OnPause}
	wire, answer, err := s.transport.Accept(offer, func(of *transport.Offer) (transport.Accepted, error) {
		return p.negotiate(of)
	})
	if err != nil {
		return nil, "", fmt.Errorf("sfu: new peer: %w", err)
	}
	p.attach(wire)
	if !s.add(p) {
		wire.Close()
		return nil, "", ErrClosed
	}
	return p, answer, nil
}

// randomSSRC returns a number that may be an SSRC. 0 stands for 'none' in this package.
func randomSSRC() uint32 { return 1 + rand.Uint32N(1<<32-2) }
