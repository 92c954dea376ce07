// Package udp moves datagrams in batches, with as few system calls and copies as the system offers: on Linux recvmmsg and
// sendmmsg, with several datagrams of one flow in one message where both ends know how (UDP_GRO, UDP_SEGMENT), and
// elsewhere one datagram a call. Neither path allocates memory per datagram.
//
// It knows nothing of what the datagrams carry.
package udp

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"syscall"
)

// Datagram is one datagram with its far end: where it came from or where it goes.
type Datagram struct {
	Data []byte
	Addr netip.AddrPort // never an IPv4 address in IPv6's form
	// Local is the address of this machine that the datagram was sent to or is to be sent from; zero: not asked for
	// (Options.PacketInfo), or left to the system.
	Local netip.Addr
}

// Options of a socket.
type Options struct {
	// ReusePort lets several sockets share the address; the kernel keeps a flow with one of them while none comes or goes.
	// Where the system cannot do it, Listen fails with errors.ErrUnsupported.
	ReusePort bool
	// Buffer is the size of the kernel's buffer each way, in bytes. The kernel may give less, which only means that bursts are
	// lost earlier.
	Buffer int
	// PacketInfo asks for Datagram.Local, on IPv4 sockets on Linux.
	PacketInfo bool
	// Plain uses the path of systems without batches.
	Plain bool
}

// Socket is a bound UDP socket. Its methods are safe for concurrent use.
type Socket struct {
	conn    *net.UDPConn
	raw     syscall.RawConn
	local   netip.AddrPort
	ipv6    bool // addresses are passed to the kernel in IPv6's form
	options Options
}

// Listen binds a socket. No address, or the unspecified one of IPv6, takes both families.
func Listen(at netip.AddrPort, o Options) (*Socket, error) {
	network := "udp"
	if at.Addr().Is4() {
		network = "udp4"
	}
	config := net.ListenConfig{}
	if o.ReusePort {
		config.Control = reusePort
	}
	address := at.String()
	if !at.Addr().IsValid() {
		address = fmt.Sprintf(":%d", at.Port())
	}
	bound, err := config.ListenPacket(context.Background(), network, address)
	if err != nil {
		return nil, fmt.Errorf("udp: %w", err)
	}
	conn := bound.(*net.UDPConn)
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("udp: %w", err)
	}
	if o.Buffer > 0 {
		_ = conn.SetReadBuffer(o.Buffer)
		_ = conn.SetWriteBuffer(o.Buffer)
	}
	local := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	s := &Socket{conn: conn, raw: raw, local: unmap(local), ipv6: network == "udp" && local.Addr().Is6(), options: o}
	if !o.Plain {
		prepare(s)
	}
	return s, nil
}

// LocalAddr returns the bound address.
func (s *Socket) LocalAddr() netip.AddrPort { return s.local }

// Close ends reading and writing with net.ErrClosed.
func (s *Socket) Close() error { return s.conn.Close() }

// Reader reads from a socket. It is for one goroutine.
type Reader interface {
	// Read waits for datagrams and returns as many as have come, up to the batch. They are valid, and the caller's to
	// change, until the next Read.
	Read() ([]Datagram, error)
	// Poll is Read without waiting; none may have come.
	Poll() ([]Datagram, error)
}

// Writer writes to a socket. It is for one goroutine at a time.
type Writer interface {
	// Write sends datagrams in their order and returns how many the system refused; it waits while the system's buffer is full. The
	// data is not kept.
	Write(ds []Datagram) (refused int)
}

// MaxDatagram bounds what is read: more than any path's MTU that browsers use. What is longer is cut.
const MaxDatagram = 2048

// NewReader returns a reader of at most batch messages a call, each of which may hold several datagrams.
func (s *Socket) NewReader(batch int) Reader {
	if s.options.Plain {
		return newPlainReader(s)
	}
	return newReader(s, batch)
}

// NewWriter returns a writer of at most batch messages a system call.
func (s *Socket) NewWriter(batch int) Writer {
	if s.options.Plain {
		return &plainWriter{conn: s.conn}
	}
	return newWriter(s, batch)
}

func unmap(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }
