package transport

import (
	"encoding/binary"
	"net"
	"net/netip"
	"sync"
	"time"
)

const (
	// pipeQueue bounds the datagrams that wait in a pipe for its reader: half a second of 5 Mbit/s.
	pipeQueue = 256
	// pipesPerPeer bounds the pipes: a client may try several relays.
	pipesPerPeer = 4
)

// pipeBlock is where made-up addresses come from: RFC 2544 keeps it for benchmarks, so that no
// client has one. An address never stands for a pipe by itself; a path names the pipe.
var pipeBlock = netip.MustParsePrefix("198.18.0.0/15")

// Pipe is an in-process path into the transport, with a net.PacketConn's face. See Transport.Pipe. Its methods may be called by
// anyone at any time.
type Pipe struct {
	*mailbox // what the transport sends, for ReadFrom
	t        *Transport
	addr     netip.AddrPort

	mu sync.Mutex // WriteTo may be called concurrently
	in inbound
}

// Pipe opens an in-process datagram path into the transport, as if a client sat at LocalAddr.
// WriteTo an address of ours enters the read path; what the transport sends to that client comes
// out of ReadFrom, through a bounded queue that drops what does not fit. WriteTo elsewhere fails
// with ErrNotOurs. Pipe fails with ErrClosed, or with ErrFull beyond four pipes for each of
// Config.MaxPeers.
func (t *Transport) Pipe() (*Pipe, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, ErrClosed
	}
	if len(t.pipes) >= pipesPerPeer*t.cfg.MaxPeers {
		return nil, ErrFull
	}
	p := &Pipe{mailbox: newMailbox(pipeQueue), t: t, addr: pipeAddr(t.pipesMade), in: inbound{t: t}}
	t.pipesMade++
	t.pipes[p] = struct{}{}
	return p, nil
}

// pipeAddr returns the n-th made-up address. All 2^30 are different.
func pipeAddr(n uint32) netip.AddrPort {
	const hosts, dynamicPorts = 1 << 16, 1 << 14
	base := pipeBlock.Addr().As4()
	var ip [4]byte
	binary.BigEndian.PutUint32(ip[:], binary.BigEndian.Uint32(base[:])+1+n%hosts)
	return netip.AddrPortFrom(netip.AddrFrom4(ip), uint16(1<<16-dynamicPorts+n/hosts%dynamicPorts))
}

// LocalAddr implements net.PacketConn: the made-up address.
func (p *Pipe) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(p.addr) }

// WriteTo implements net.PacketConn. It runs the datagram through the transport before it returns.
func (p *Pipe) WriteTo(b []byte, to net.Addr) (int, error) {
	udp, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, ErrNotOurs
	}
	addr := unmapped(udp.AddrPort())
	if !p.t.ours(addr) {
		return 0, ErrNotOurs
	}
	if len(b) > maxDatagram {
		return 0, ErrTooLarge
	}
	select {
	case <-p.closed:
		return 0, ErrClosed
	default:
	}
	d := newDatagram(b, nil)
	defer d.release()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.in.now = time.Now()
	p.in.datagram(d.data, path{via: p, addr: addr})
	return len(b), nil
}

// Deliver queues for ReadFrom what comes from elsewhere than the transport; from is kept. What does not fit, or is longer than a datagram of
// ours, is lost.
func (p *Pipe) Deliver(b []byte, from *net.UDPAddr) {
	if len(b) <= maxDatagram {
		p.put(newDatagram(b, from))
	}
}

// Close implements net.PacketConn.
func (p *Pipe) Close() error {
	p.t.mu.Lock()
	delete(p.t.pipes, p)
	p.t.mu.Unlock()
	return p.mailbox.Close()
}
