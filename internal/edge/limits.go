package edge

import (
	"net"
	"net/netip"
	"sync"
)

// limits counts the open connections, in all and by address. A negative limit is none.
type limits struct {
	max, perAddress, turnPerAddress int

	mu   sync.Mutex
	open int
	hits Hits
	by   map[netip.Addr]*held // only addresses that hold something
}

type held struct{ all, turn int }

// place is one open connection's part in the counts.
type place struct {
	of     *limits
	addr   netip.Addr
	isTURN bool // under of.mu
}

func newLimits(maxOpen, perAddress, turnPerAddress int) *limits {
	return &limits{
		max: maxOpen, perAddress: perAddress, turnPerAddress: turnPerAddress,
		by: make(map[netip.Addr]*held),
	}
}

// admit gives c a place, which c's Close gives back, or says that there is none.
func (l *limits) admit(c net.Conn) (*plain, bool) {
	addr := clientOf(c.RemoteAddr())
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.by[addr]
	if h == nil {
		h = &held{}
	}
	switch {
	case beyond(l.open, l.max):
		l.hits.Max++
		return nil, false
	case beyond(h.all, l.perAddress):
		l.hits.PerAddress++
		return nil, false
	}
	l.open++
	h.all++
	l.hits.MostOfAddress = max(l.hits.MostOfAddress, h.all)
	l.by[addr] = h
	return &plain{Conn: c, place: &place{of: l, addr: addr}}, true
}

func (l *limits) total() (open int, hits Hits) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.open, l.hits
}

func beyond(n, limit int) bool { return limit >= 0 && n >= limit }

// turn counts the place, before it is left, as TURN, or says that its address has no more of these.
func (p *place) turn() bool {
	p.of.mu.Lock()
	defer p.of.mu.Unlock()
	h := p.of.by[p.addr]
	if beyond(h.turn, p.of.turnPerAddress) {
		p.of.hits.TURNPerAddress++
		return false
	}
	h.turn++
	p.of.hits.MostTURNOfAddress = max(p.of.hits.MostTURNOfAddress, h.turn)
	p.isTURN = true
	return true
}

// leave gives the place back; call it once.
func (p *place) leave() {
	p.of.mu.Lock()
	defer p.of.mu.Unlock()
	h := p.of.by[p.addr]
	p.of.open--
	h.all--
	if p.isTURN {
		h.turn--
	}
	if h.all == 0 {
		delete(p.of.by, p.addr)
	}
}

// clientOf is what counts as one client: an IPv4 address, or the /64 that an IPv6 host picks its addresses from
// (RFC 4291 section 2.5.4).
func clientOf(a net.Addr) netip.Addr {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	ip := tcp.AddrPort().Addr().Unmap().WithZone("")
	if ip.Is4() {
		return ip
	}
	return netip.PrefixFrom(ip, 64).Masked().Addr()
}
