package transport

import (
	"net"
	"net/netip"
)

// Transport is one UDP port and its peers. All methods are safe for concurrent use.
type Transport struct{}

// Listen opens the port and starts the loops. Close stops them.
func Listen(cfg Config) (*Transport, error) { return nil, ErrClosed }

// Close closes every peer and pipe, and waits for every goroutine.
func (t *Transport) Close() error { return nil }

// Addr returns the socket's address.
func (t *Transport) Addr() netip.AddrPort { return netip.AddrPort{} }

// Candidates returns the addresses that answers carry, preferred first.
func (t *Transport) Candidates() []netip.AddrPort { return nil }

// Accept reads an offer, calls choose once with what it proposes, and returns the peer and its
// answer. The peer waits for the client's first packet. It fails with ErrFull, ErrClosed,
// ErrBadOffer or choose's own error.
func (t *Transport) Accept(offer string, choose func(*Offer) (Accepted, error)) (*Peer, string, error) {
	return nil, "", ErrClosed
}

// Pipe opens an in-process datagram path into the transport, as if a client sat at LocalAddr.
// WriteTo an address of ours enters the read path; what the transport sends to that client comes
// out of ReadFrom. WriteTo elsewhere fails with ErrNotOurs.
func (t *Transport) Pipe() (net.PacketConn, error) { return nil, ErrClosed }
