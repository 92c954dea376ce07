package turn

import (
	"net"
	"net/netip"
)

// A client's TURN connection comes to any instance, by a load balancer; its media is at the one that owns the waiting room. A relay
// reaches that by a socket. The other instance sees its address, and not the relayed one: it answers whoever proves the password, from
// wherever that comes (RFC 8445 section 7.3.1.3), and is not told candidates.

// toAway sends a datagram to another instance, by a socket that is made for the first.
func (r *relay) toAway(p []byte, to netip.AddrPort) (int, error) {
	socket, err := r.socket()
	if err != nil {
		return 0, err
	}
	return socket.WriteToUDPAddrPort(p, to)
}

// socket makes the relay's socket, unless it is there.
func (r *relay) socket() (*net.UDPConn, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return nil, net.ErrClosed
	case r.away != nil:
		return r.away, nil
	}
	network := "udp4"
	if addrPort(r.LocalAddr()).Addr().Is6() {
		network = "udp6"
	}
	socket, err := net.ListenUDP(network, nil)
	if err != nil {
		return nil, err
	}
	r.away = socket
	r.s.owned.Go(func() { r.receive(socket) })
	return socket, nil
}

// drop has the next datagram make another socket.
func (r *relay) drop(socket *net.UDPConn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.away == socket {
		r.away = nil
		_ = socket.Close()
	}
}

// receive brings what other instances send into the relay's path, until the socket is closed. It has an open port: what comes from elsewhere is
// dropped.
func (r *relay) receive(socket *net.UDPConn) {
	b := make([]byte, maxMessage)
	for {
		n, from, err := socket.ReadFromUDPAddrPort(b)
		if err != nil {
			r.drop(socket)
			return
		}
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		if !r.s.others.Load().has(from) {
			r.s.forbidden.Add(1)
			continue
		}
		r.Deliver(b[:n], net.UDPAddrFromAddrPort(from))
	}
}
