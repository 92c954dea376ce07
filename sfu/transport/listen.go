package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/stun/v4"
	"go.uber.org/zap"

	"github.com/anteroom/anteroom/internal/udp"
)

const (
	// socketBuffer holds a burst while the loop is busy: 20 ms of 1.6 Gbit/s. The kernel may give less.
	socketBuffer = 4 << 20
	// sweepInterval is how exactly timeouts are kept.
	sweepInterval = time.Second
)

// Transport is one UDP address, with a socket and a loop for each of Config.Loops, and its peers. All methods are safe for concurrent use.
type Transport struct {
	cfg         Config
	log         *zap.Logger
	loops       []*loop
	local       *net.UDPAddr
	advertised  []netip.AddrPort // candidates
	id          *identity
	dtlsOptions []dtls.ServerOption
	newUfrag    func() string
	started     time.Time

	shared sharedBatch
	routes routeTable
	count  counters
	slots  chan struct{} // held by handshakes under way
	hellos *hellos
	turns  turns
	// strangersLogged is when a panic over nobody's datagram was logged, since the start; 0: never.
	strangersLogged atomic.Int64
	leaving         chan *Peer // closed and not yet buried

	stop    context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu        sync.RWMutex
	closed    bool
	peers     map[string]*Peer // by our ufrag
	pipes     map[*Pipe]struct{}
	pipesMade uint32
}

// Listen opens the port and starts the loops. Close stops them.
func Listen(cfg Config) (*Transport, error) {
	if cfg.MaxPeers == 0 {
		cfg.MaxPeers = 2000
	}
	if cfg.Handshakes == 0 {
		cfg.Handshakes = 256
	}
	if cfg.HandshakeRate == 0 {
		cfg.HandshakeRate = 50
	}
	if cfg.HandshakeBurst == 0 {
		cfg.HandshakeBurst = 200
	}
	if cfg.Loops == 0 {
		cfg.Loops = runtime.GOMAXPROCS(0)
	}
	if min(cfg.MaxPeers, cfg.Handshakes, cfg.HandshakeRate, cfg.HandshakeBurst, cfg.Loops) < 0 {
		return nil, errors.New("transport: MaxPeers, Handshakes, HandshakeRate, HandshakeBurst and Loops must not be negative")
	}
	if cfg.Logger == nil {
		cfg.Logger = zap.NewNop()
	}
	id, err := newIdentity()
	if err != nil {
		return nil, err
	}
	sockets, err := listenUDP(cfg.Listen, cfg.Loops)
	if err != nil {
		return nil, err
	}
	local := sockets[0].LocalAddr()
	advertised, err := candidates(cfg, local)
	if err != nil {
		return nil, errors.Join(err, closeAll(sockets))
	}
	t := &Transport{
		cfg: cfg, log: cfg.Logger, local: net.UDPAddrFromAddrPort(local),
		advertised: advertised, id: id, dtlsOptions: dtlsOptions(id), started: time.Now(),
		newUfrag: func() string { return randomICE(ufragLen) },
		slots:    make(chan struct{}, cfg.Handshakes),
		hellos:   newHellos(cfg),
		turns:    newTurns(runtime.GOMAXPROCS(0)),
		leaving:  make(chan *Peer, cfg.MaxPeers),
		peers:    map[string]*Peer{},
		pipes:    map[*Pipe]struct{}{},
	}
	t.shared.batch = newBatch(sockets[0], &t.count, 1)
	t.stop, t.cancel = context.WithCancel(context.Background())
	for _, s := range sockets {
		l := newLoop(t, s)
		t.loops = append(t.loops, l)
		t.running.Go(l.run)
	}
	t.running.Go(t.attend)
	return t, nil
}

// listenUDP binds n sockets to one address, or one where the system cannot share it.
func listenUDP(at netip.AddrPort, n int) ([]*udp.Socket, error) {
	// A socket that would share the address with another process's is refused by a first one that does not share.
	first, err := udp.Listen(at, udp.Options{Buffer: socketBuffer})
	if err != nil {
		return nil, fmt.Errorf("transport: %w", err)
	}
	if n == 1 {
		return []*udp.Socket{first}, nil
	}
	at = netip.AddrPortFrom(at.Addr(), first.LocalAddr().Port())
	if err := first.Close(); err != nil {
		return nil, fmt.Errorf("transport: %w", err)
	}
	var sockets []*udp.Socket
	for range n {
		s, err := udp.Listen(at, udp.Options{Buffer: socketBuffer, ReusePort: true})
		if errors.Is(err, errors.ErrUnsupported) {
			return listenUDP(at, 1)
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("transport: %w", err), closeAll(sockets))
		}
		sockets = append(sockets, s)
	}
	return sockets, nil
}

func closeAll(sockets []*udp.Socket) error {
	var errs []error
	for _, s := range sockets {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// Close closes every peer and pipe, and waits for every goroutine. It must not be called from a
// Handler.
func (t *Transport) Close() error {
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		return nil
	}
	t.closed = true
	for p := range t.pipes {
		_ = p.mailbox.Close() // never fails
	}
	clear(t.pipes)
	t.mu.Unlock()
	t.cancel()
	var err error
	for _, l := range t.loops {
		err = errors.Join(err, l.socket.Close())
	}
	t.running.Wait()
	return err
}

// Addr returns the socket's address.
func (t *Transport) Addr() netip.AddrPort { return t.loops[0].socket.LocalAddr() }

// Candidates returns the addresses that answers carry, preferred first.
func (t *Transport) Candidates() []netip.AddrPort { return slices.Clone(t.advertised) }

// ours reports whether a datagram to addr would reach this transport.
func (t *Transport) ours(addr netip.AddrPort) bool {
	return addr == t.Addr() || slices.Contains(t.advertised, addr)
}

// Accept reads an offer, calls choose once with what it proposes, and returns the peer and its
// answer. The peer waits for the client's first packet. It fails with ErrFull, ErrClosed,
// ErrBadOffer or choose's own error.
func (t *Transport) Accept(offer string, choose func(*Offer) (Accepted, error)) (*Peer, string, error) {
	if err := t.roomForOne(); err != nil {
		return nil, "", err
	}
	o, err := parseOffer(offer)
	if err != nil {
		return nil, "", err
	}
	a, err := choose(&Offer{Media: o.media})
	if err != nil {
		return nil, "", err
	}
	p := &Peer{
		t: t, handler: a.Handler, pwd: randomICE(pwdLen),
		offered: o.fingerprint, accepted: t.since(time.Now()),
	}
	p.state.Store(&State{Phase: New})
	p.lastCheck.Store(int64(p.accepted))
	p.lastHeard.Store(int64(p.accepted))
	p.integrity = stun.MessageIntegrity(p.pwd)
	for {
		p.ufrag = t.newUfrag()
		p.username = p.ufrag + ":" + o.ufrag
		answer, err := writeAnswer(o, a, ourEnd{
			ufrag: p.ufrag, pwd: p.pwd, fingerprint: t.id.fingerprint, candidates: t.advertised,
		})
		if err != nil {
			return nil, "", err
		}
		if taken, err := t.admit(p); taken {
			continue
		} else if err != nil {
			return nil, "", err
		}
		return p, answer, nil
	}
}

func (t *Transport) roomForOne() error {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.full()
}

// full is called with t.mu held.
func (t *Transport) full() error {
	switch {
	case t.closed:
		return ErrClosed
	case len(t.peers) >= t.cfg.MaxPeers:
		return ErrFull
	}
	return nil
}

// admit makes the peer one that clients can find, unless another has its ufrag.
func (t *Transport) admit(p *Peer) (taken bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.full(); err != nil {
		return false, err
	}
	if t.peers[p.ufrag] != nil {
		return true, nil
	}
	t.peers[p.ufrag] = p
	return false, nil
}

func (t *Transport) forget(p *Peer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.peers, p.ufrag)
}

func (t *Transport) peerByUfrag(ufrag []byte) *Peer {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.peers[string(ufrag)]
}

// since turns a time into the form that peers keep.
func (t *Transport) since(now time.Time) time.Duration { return now.Sub(t.started) }

// attend buries closed peers and applies the timeouts.
func (t *Transport) attend() {
	tick := time.NewTicker(sweepInterval)
	defer tick.Stop()
	for {
		select {
		case p := <-t.leaving:
			t.guarded(p, (*Peer).bury)
		case now := <-tick.C:
			t.sweep(now)
		case <-t.stop.Done():
			t.buryAll()
			return
		}
	}
}

func (t *Transport) sweep(now time.Time) {
	for _, p := range t.snapshot() {
		t.guarded(p, func(p *Peer) { p.expire(t.since(now)) })
	}
}

// buryAll runs after Accept has begun to answer ErrClosed.
func (t *Transport) buryAll() {
	for _, p := range t.snapshot() {
		p.close(ReasonShutdown)
		t.guarded(p, (*Peer).bury)
	}
}

// guarded does something about a peer, whom alone a panic ends.
func (t *Transport) guarded(p *Peer, do func(*Peer)) {
	defer t.recovered(p)
	do(p)
}

func (t *Transport) snapshot() []*Peer {
	t.mu.RLock()
	defer t.mu.RUnlock()
	peers := make([]*Peer, 0, len(t.peers))
	for _, p := range t.peers {
		peers = append(peers, p)
	}
	return peers
}

// pause waits after a failed read, so that a failure that stays costs little. It returns false once
// the transport is closed.
func (t *Transport) pause(err error) bool {
	if t.stop.Err() == nil {
		t.log.Warn("socket_read_failed", zap.Error(err))
	}
	select {
	case <-t.stop.Done():
		return false
	case <-time.After(100 * time.Millisecond):
		return true
	}
}
