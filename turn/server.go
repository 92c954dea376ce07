// Package turn is the TURN server (RFC 8656) for networks that let nothing but TCP and TLS out. It relays to our own
// media addresses, those of the other instances too, and nowhere else. A relay is a datagram path into the media transport, inside this process;
// it has a socket only if its client's media is at another instance.
//
// It owns the connections its listener yields, the credentials and the quotas. It must not know how TURN is told from
// other traffic, what it relays, or whose seat a credential belongs to.
package turn

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/logging"
	"github.com/pion/turn/v5"
)

// Defaults of Config.
const (
	DefaultPerID          = 16
	DefaultAllocations    = 2000
	DefaultBytesPerSecond = 2_000_000
	DefaultIdle           = 2 * time.Minute
)

const (
	// The HMAC's key is as long as its output at least (RFC 2104 section 3).
	minSecret = 20
)

// Config says what to relay and how much.
type Config struct {
	// Listener yields the connections of TURN clients, TCP or TLS over TCP. The server closes it.
	Listener net.Listener

	// Realm names the server in authentication, mostly its host name. It must not be empty.
	Realm string

	// Secret signs credentials: 20 random bytes or more, the same wherever credentials for this server are made.
	Secret []byte

	// Peers are the media addresses that may be relayed to, which answers carry as candidates. At least one.
	Peers []netip.AddrPort

	// Pipe makes a relay's path into the media transport.
	Pipe func() (Path, error)

	// PerID is how many allocations one credential id may have, over all its credentials. A browser makes one for
	// each TURN URL on each of its network interfaces, and again while it reconnects. 0 is 16.
	PerID int

	// Allocations is how many there may be in all. 0 is 2000.
	Allocations int

	// BytesPerSecond is what an allocation may relay each way; a second's worth may come at once, more is dropped.
	// 0 is 2,000,000.
	BytesPerSecond int

	// Idle ends a connection that has not sent a whole message for so long, and one that has no allocation after so
	// long. A browser checks the pairs it keeps every 25 s at least and refreshes the allocations it keeps for
	// nothing every few minutes, so that two minutes end only the latter. 0 is two minutes.
	Idle time.Duration
}

// Path is a relay's path into the media transport. Its LocalAddr is what the client learns as its relayed address, a *net.UDPAddr; its
// WriteTo must not block; its ReadFrom gives the address that the client sent to.
type Path interface {
	net.PacketConn
	// Deliver has ReadFrom give a datagram from elsewhere, or loses it; from is kept. It must not block.
	Deliver(p []byte, from *net.UDPAddr)
}

// ErrConfig is what New answers a Config with that it cannot use; the text says why.
var ErrConfig = errors.New("turn: invalid configuration")

// Stats counts since the start, except Connections and Allocations, which are of now.
type Stats struct {
	Connections int
	Allocations int
	Allocated   uint64 // allocations made
	OverQuota   uint64 // allocations refused for a quota
	Denied      uint64 // authentications refused: wrong, forged or expired credentials
	Forbidden   uint64 // permissions, channels and datagrams refused for their peer address
	Dropped     uint64 // datagrams over the rate, both ways
	BytesUp     uint64 // relayed from clients
	BytesDown   uint64 // relayed to clients
}

// Server is a running TURN server. Its methods may be called by anyone at any time.
type Server struct {
	cfg    Config
	peers  *peers                // of this instance
	others atomic.Pointer[peers] // of the others
	server *turn.Server
	owned  sync.WaitGroup // connections and relays that the server below has not let go of yet

	mu      sync.Mutex
	closed  bool
	conns   map[netip.AddrPort]*conn // by the client's address, as the server below knows them
	byID    map[string]int           // allocations by credential id, only ids that have some
	current int                      // allocations

	allocated, overQuota, denied, forbidden, dropped, up, down atomic.Uint64
}

// New starts a server on cfg.Listener. Close ends it.
func New(cfg Config) (*Server, error) {
	cfg.PerID = orDefault(cfg.PerID, DefaultPerID)
	cfg.Allocations = orDefault(cfg.Allocations, DefaultAllocations)
	cfg.BytesPerSecond = orDefault(cfg.BytesPerSecond, DefaultBytesPerSecond)
	cfg.Idle = orDefault(cfg.Idle, DefaultIdle)
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	s := &Server{
		cfg:   cfg,
		peers: newPeers(cfg.Peers),
		conns: make(map[netip.AddrPort]*conn),
		byID:  make(map[string]int),
	}
	s.SetOthers(nil)
	var err error
	s.server, err = turn.NewServer(turn.ServerConfig{
		Realm:        cfg.Realm,
		AuthHandler:  s.authenticate,
		QuotaHandler: func(id, _ string, _ net.Addr) bool { return s.mayAllocate(id) },
		ListenerConfigs: []turn.ListenerConfig{{
			Listener:              &listener{Listener: cfg.Listener, s: s},
			RelayAddressGenerator: generator{s},
			PermissionHandler:     func(_ net.Addr, ip net.IP) bool { return s.mayReach(ip) },
		}},
		EventHandler: turn.EventHandler{
			OnAuth:              s.onAuth,
			OnAllocationCreated: s.onAllocation,
			OnChannelCreated:    s.onChannel,
		},
		InboundMTU: maxMessage + 1,
		// Without the attribute a relay is IPv4 (RFC 8656 section 7.2) however the client came, unless we have
		// no such peer: the family of the media path has nothing to do with that of the TURN connection.
		StrictAddressFamily: !s.peers.only6(),
		// Its messages name users and addresses. What matters of them is counted here.
		LoggerFactory: &logging.DefaultLoggerFactory{Writer: io.Discard, DefaultLogLevel: logging.LogLevelDisabled},
	})
	if err != nil {
		return nil, fmt.Errorf("turn: %w", err)
	}
	return s, nil
}

func orDefault[T int | time.Duration](v, def T) T {
	if v == 0 {
		return def
	}
	return v
}

func (c *Config) validate() error {
	bad := func(what string) error { return fmt.Errorf("%w: %s", ErrConfig, what) }
	switch {
	case c.Listener == nil:
		return bad("no Listener")
	case c.Realm == "":
		return bad("no Realm")
	case len(c.Secret) < minSecret:
		return bad("Secret is shorter than 20 bytes")
	case len(c.Peers) == 0:
		return bad("no Peers")
	case c.Pipe == nil:
		return bad("no Pipe")
	case c.PerID < 0, c.Allocations < 0, c.BytesPerSecond < 0, c.Idle < 0:
		return bad("a limit is negative")
	}
	return nil
}

// Close ends every allocation and connection, closes the listener, and waits until that is done.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	for _, c := range s.conns {
		c.end()
	}
	s.mu.Unlock()
	err := s.server.Close()
	s.owned.Wait()
	if err != nil {
		return fmt.Errorf("turn: %w", err)
	}
	return nil
}

// Stats says how the server is doing.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	connections, allocations := len(s.conns), s.current
	s.mu.Unlock()
	return Stats{
		Connections: connections,
		Allocations: allocations,
		Allocated:   s.allocated.Load(),
		OverQuota:   s.overQuota.Load(),
		Denied:      s.denied.Load(),
		Forbidden:   s.forbidden.Load(),
		Dropped:     s.dropped.Load(),
		BytesUp:     s.up.Load(),
		BytesDown:   s.down.Load(),
	}
}

// onAllocation tells a connection that it has its allocation.
func (s *Server) onAllocation(client, _ net.Addr, _, _, _ string, _ net.Addr, _ int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.conns[addrPort(client)]; c != nil {
		c.allocated.Store(true)
	}
}

// onChannel ends a connection that binds a channel to a port that is not a peer's. Permissions are by address only, so
// that this cannot be refused before; let live, a client could bind thousands and make each datagram search them.
func (s *Server) onChannel(client, _ net.Addr, _, _, _ string, _, peer net.Addr, _ uint16) {
	if s.isPeer(peer) {
		return
	}
	s.forbidden.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.conns[addrPort(client)]; c != nil {
		c.end()
	}
}

// addrPort is a's address and port, IPv4 as such; the zero value for what has none.
func addrPort(a net.Addr) netip.AddrPort {
	withPort, ok := a.(interface{ AddrPort() netip.AddrPort })
	if !ok {
		return netip.AddrPort{}
	}
	ap := withPort.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
