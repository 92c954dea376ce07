package turn

import (
	"net"
	"net/netip"
)

// peers are media addresses, which do not change.
type peers struct {
	ports map[netip.AddrPort]struct{}
	hosts map[netip.Addr]struct{} // the same without ports
}

func newPeers(list []netip.AddrPort) *peers {
	p := &peers{ports: make(map[netip.AddrPort]struct{}, len(list)), hosts: make(map[netip.Addr]struct{}, len(list))}
	for _, a := range list {
		a = netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
		p.ports[a] = struct{}{}
		p.hosts[a.Addr()] = struct{}{}
	}
	return p
}

func (p *peers) has(a netip.AddrPort) bool {
	_, ok := p.ports[a]
	return ok
}

func (p *peers) at(host netip.Addr) bool {
	_, ok := p.hosts[host]
	return ok
}

func (p *peers) only6() bool {
	for host := range p.hosts {
		if !host.Is6() {
			return false
		}
	}
	return true
}

// SetOthers says anew which media addresses other instances have. What is on its way to one that is not among them any more is lost.
func (s *Server) SetOthers(list []netip.AddrPort) { s.others.Store(newPeers(list)) }

// mayReach tells whether there may be a permission for a host.
func (s *Server) mayReach(ip net.IP) bool {
	addr, _ := netip.AddrFromSlice(ip)
	host := addr.Unmap()
	ok := s.peers.at(host) || s.others.Load().at(host)
	if !ok {
		s.forbidden.Add(1)
	}
	return ok
}

// isPeer tells whether a datagram or channel may go to an address.
func (s *Server) isPeer(a net.Addr) bool {
	ap := addrPort(a)
	return s.peers.has(ap) || s.others.Load().has(ap)
}
