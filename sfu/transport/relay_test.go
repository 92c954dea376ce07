package transport

import (
	"net"
	"net/netip"
	"sync"
	"testing"
)

// relay is a NAT between one client and the transport: the client knows front, the transport sees
// back. edit may drop, repeat or change each datagram.
type relay struct {
	front *net.UDPConn
	ip    netip.Addr // of all its sockets
	to    netip.AddrPort
	edit  func(b []byte, fromClient bool) [][]byte

	running sync.WaitGroup
	mu      sync.Mutex
	back    *net.UDPConn
	client  netip.AddrPort
}

// throughRelay starts a transport that clients reach through a relay only.
func throughRelay(t *testing.T, cfg Config, edit func([]byte, bool) [][]byte) (*Transport, *relay) {
	t.Helper()
	ip := loopback4
	if cfg.Listen.IsValid() {
		ip = cfg.Listen.Addr()
	}
	r := &relay{front: socketAt(t, ip), ip: ip, edit: edit}
	front := r.front.LocalAddr().(*net.UDPAddr).AddrPort()
	cfg.Advertise, cfg.AdvertisePort = []netip.Addr{front.Addr()}, front.Port()
	tr := listen(t, cfg)
	r.to = tr.Addr()
	r.rebind(t)
	r.running.Go(r.upstream)
	t.Cleanup(func() {
		_ = r.front.Close()
		r.outward().Close()
		r.running.Wait()
	})
	return tr, r
}

var (
	loopback4 = netip.MustParseAddr("127.0.0.1")
	loopback6 = netip.MustParseAddr("::1")
)

func loopbackSocket(t *testing.T) *net.UDPConn { return socketAt(t, loopback4) }

func socketAt(t testing.TB, ip netip.Addr) *net.UDPConn {
	t.Helper()
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: ip.AsSlice()})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// rebind gives the client a new address, as a NAT does that has forgotten the old one.
func (r *relay) rebind(t *testing.T) netip.AddrPort {
	t.Helper()
	next := socketAt(t, r.ip)
	r.mu.Lock()
	old := r.back
	r.back = next
	r.mu.Unlock()
	if old != nil {
		_ = old.Close()
	}
	r.running.Go(func() { r.downstream(next) })
	return next.LocalAddr().(*net.UDPAddr).AddrPort()
}

func (r *relay) outward() *net.UDPConn {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.back
}

func (r *relay) upstream() {
	b := make([]byte, maxDatagram)
	for {
		n, from, err := r.front.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		r.mu.Lock()
		r.client = from
		r.mu.Unlock()
		for _, d := range r.edit(b[:n], true) {
			_, _ = r.outward().WriteToUDPAddrPort(d, r.to)
		}
	}
}

func (r *relay) downstream(back *net.UDPConn) {
	b := make([]byte, maxDatagram)
	for {
		n, _, err := back.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		r.mu.Lock()
		client := r.client
		r.mu.Unlock()
		for _, d := range r.edit(b[:n], false) {
			_, _ = r.front.WriteToUDPAddrPort(d, client)
		}
	}
}

func passAll(b []byte, _ bool) [][]byte { return [][]byte{b} }
