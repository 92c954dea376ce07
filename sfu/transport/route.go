package transport

import (
	"maps"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// path is where datagrams of a client come from and go to. It is the key of the address table.
type path struct {
	via *Pipe // nil: the socket
	// addr is the client's address; through a pipe, the address of ours that the client uses.
	addr netip.AddrPort
}

// seen returns the address that the client appears to have.
func (a path) seen() netip.AddrPort {
	if a.via != nil {
		return a.via.addr
	}
	return a.addr
}

// route is a path with the address in the form that the socket or pipe wants.
type route struct {
	path
	id      uint64 // no other route has it
	udp     *net.UDPAddr
	checked time.Duration // the last check over it; under the peer's recv
}

var routesMade atomic.Uint64

func newRoute(a path) *route {
	return &route{path: a, id: routesMade.Add(1), udp: net.UDPAddrFromAddrPort(a.addr)}
}

// routeShards spreads the table, so that a change copies a small part of it. Clients' ports vary.
const routeShards = 64

// routeTable finds the peer behind a path. Readers take no lock: a change replaces its shard.
type routeTable struct {
	shards  [routeShards]routeShard
	changes atomic.Uint64
}

// lately remembers the last path that one goroutine looked up: a frame's packets come together.
type lately struct {
	path path
	peer *Peer
	seen uint64 // routeTable.changes before the table was asked
}

// find is routeTable.get for that goroutine.
func (l *lately) find(t *routeTable, a path) *Peer {
	seen := t.changes.Load()
	if l.seen != seen || l.path != a || l.peer == nil {
		*l = lately{path: a, peer: t.get(a), seen: seen}
	}
	return l.peer
}

type routeShard struct {
	mu    sync.Mutex // one writer at a time
	peers atomic.Pointer[map[path]*Peer]
}

func (t *routeTable) shard(a path) *routeShard { return &t.shards[a.seen().Port()%routeShards] }

func (t *routeTable) get(a path) *Peer {
	if peers := t.shard(a).peers.Load(); peers != nil {
		return (*peers)[a]
	}
	return nil
}

// put makes p the peer behind a, even if another was: the newest proof of the password wins.
func (t *routeTable) put(a path, p *Peer) {
	t.shard(a).change(func(peers map[path]*Peer) { peers[a] = p })
	t.changes.Add(1)
}

// remove forgets a unless it has become another peer's.
func (t *routeTable) remove(a path, p *Peer) {
	t.shard(a).change(func(peers map[path]*Peer) {
		if peers[a] == p {
			delete(peers, a)
		}
	})
	t.changes.Add(1)
}

func (s *routeShard) change(edit func(map[path]*Peer)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := map[path]*Peer{}
	if old := s.peers.Load(); old != nil {
		next = maps.Clone(*old)
	}
	edit(next)
	s.peers.Store(&next)
}
