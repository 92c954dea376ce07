package turn

import (
	"errors"
	"net"
	"sync"
	"time"

	"github.com/pion/turn/v5"
	"golang.org/x/time/rate"
)

var (
	errQuota     = errors.New("turn: allocation quota reached")
	errClosed    = errors.New("turn: closed")
	errForbidden = errors.New("turn: not a media address of ours")
	errFamily    = errors.New("turn: address family not supported")
	errEvenPort  = errors.New("turn: EVEN-PORT is not supported")
	errTCP       = errors.New("turn: TCP allocations are not supported")
)

// generator makes relays for the TURN implementation.
type generator struct{ s *Server }

// Validate implements turn.RelayAddressGenerator.
func (generator) Validate() error { return nil }

// AllocatePacketConn implements turn.RelayAddressGenerator. A call without a user is the search for an even port,
// which made-up addresses do not have.
func (g generator) AllocatePacketConn(c turn.AllocateListenerConfig) (net.PacketConn, net.Addr, error) {
	if c.UserID == "" {
		return nil, nil, errEvenPort
	}
	r, err := g.s.newRelay(c.UserID, c.Network == "udp6")
	if err != nil {
		return nil, nil, err
	}
	return r, r.LocalAddr(), nil
}

// AllocateListener implements turn.RelayAddressGenerator: there are no RFC 6062 allocations.
func (generator) AllocateListener(turn.AllocateListenerConfig) (net.Listener, net.Addr, error) {
	return nil, nil, errTCP
}

// AllocateConn implements turn.RelayAddressGenerator: there are no RFC 6062 connections.
func (generator) AllocateConn(turn.AllocateConnConfig) (net.Conn, error) { return nil, errTCP }

// relay is one allocation's path to media.
type relay struct {
	Path
	s        *Server
	id       string
	up, down *rate.Limiter
	once     sync.Once

	mu     sync.Mutex
	away   *net.UDPConn // to other instances; nil: none so far
	closed bool
}

func (s *Server) newRelay(id string, ipv6 bool) (*relay, error) {
	if err := s.take(id); err != nil {
		return nil, err
	}
	pipe, err := s.cfg.Pipe()
	if err != nil {
		s.giveBack(id)
		return nil, err
	}
	perSecond := rate.Limit(s.cfg.BytesPerSecond)
	r := &relay{
		Path: pipe, s: s, id: id,
		up:   rate.NewLimiter(perSecond, s.cfg.BytesPerSecond),
		down: rate.NewLimiter(perSecond, s.cfg.BytesPerSecond),
	}
	if addrPort(pipe.LocalAddr()).Addr().Is6() != ipv6 {
		_ = r.Close()
		return nil, errFamily
	}
	s.allocated.Add(1)
	return r, nil
}

// WriteTo takes a datagram from the client. One over the rate is lost, as on a full link.
func (r *relay) WriteTo(p []byte, to net.Addr) (int, error) {
	if !r.s.isPeer(to) {
		r.s.forbidden.Add(1)
		return 0, errForbidden
	}
	if !r.up.AllowN(time.Now(), len(p)) {
		r.s.dropped.Add(1)
		return len(p), nil
	}
	r.s.up.Add(uint64(len(p)))
	if ap := addrPort(to); !r.s.peers.has(ap) {
		return r.toAway(p, ap)
	}
	return r.Path.WriteTo(p, to)
}

// ReadFrom gives the next datagram to the client that is within the rate.
func (r *relay) ReadFrom(p []byte) (int, net.Addr, error) {
	for {
		n, from, err := r.Path.ReadFrom(p)
		if err != nil {
			return 0, nil, err
		}
		if r.down.AllowN(time.Now(), n) {
			r.s.down.Add(uint64(n))
			return n, from, nil
		}
		r.s.dropped.Add(1)
	}
}

// Close gives the allocation back. The TURN implementation calls it when an allocation ends, for whatever reason.
func (r *relay) Close() error {
	err := r.Path.Close()
	r.mu.Lock()
	r.closed = true
	if r.away != nil {
		err = errors.Join(err, r.away.Close())
		r.away = nil
	}
	r.mu.Unlock()
	r.once.Do(func() { r.s.giveBack(r.id) })
	return err
}

// mayAllocate answers early, with the error code that is meant for it; take decides.
func (s *Server) mayAllocate(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	ok := s.hasRoom(id)
	if !ok {
		s.overQuota.Add(1)
	}
	return ok
}

// hasRoom needs s.mu.
func (s *Server) hasRoom(id string) bool {
	return s.current < s.cfg.Allocations && s.byID[id] < s.cfg.PerID
}

// take counts an allocation that giveBack ends.
func (s *Server) take(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	if !s.hasRoom(id) {
		s.overQuota.Add(1)
		return errQuota
	}
	s.current++
	s.byID[id]++
	s.owned.Add(1)
	return nil
}

func (s *Server) giveBack(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current--
	if s.byID[id]--; s.byID[id] == 0 {
		delete(s.byID, id)
	}
	s.owned.Done()
}
