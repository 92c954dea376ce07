// Package transport carries media between one UDP port and many browsers: ICE-lite, DTLS, SRTP and
// the SDP that describes them.
//
// It owns the socket, the read loop, each peer's keys and addresses, and the in-process datagram
// paths that a TURN relay uses. It hands decrypted packets to a Handler and seals what it is given.
// It must not know what the packets mean: no slots, no people, no retransmission, no keyframes.
package transport

import (
	"errors"
	"net/netip"

	"go.uber.org/zap"
)

// Errors that callers can tell apart with errors.Is.
var (
	// ErrFull means that Config.MaxPeers peers exist.
	ErrFull = errors.New("transport: no room for another peer")
	// ErrBadOffer means that the offer cannot be answered; the wrapping error says why.
	ErrBadOffer = errors.New("transport: unusable offer")
	// ErrClosed means that the peer, pipe or transport is closed.
	ErrClosed = errors.New("transport: closed")
	// ErrNotConnected means that a packet was written before the keys were agreed, or after the
	// client's consent had run out.
	ErrNotConnected = errors.New("transport: not connected")
	// ErrTooLarge means that a packet does not fit into one datagram.
	ErrTooLarge = errors.New("transport: packet too large")
	// ErrBatchFull means that one datagram that was read caused more packets than a batch holds.
	ErrBatchFull = errors.New("transport: too many packets at once")
	// ErrNotOurs means that a pipe was asked to send elsewhere than into this transport.
	ErrNotOurs = errors.New("transport: destination is not this transport")
)

// Config says where a Transport listens and how much it takes on. The zero value listens on any
// port of every address.
type Config struct {
	// Listen is the one UDP address; port 0 takes any free port.
	Listen netip.AddrPort
	// Advertise are the addresses put into answers. Empty means the machine's own: loopback ones
	// only if there is nothing else or Loopback is set.
	Advertise []netip.Addr
	// AdvertisePort is the port put into answers; 0 means the socket's.
	AdvertisePort uint16
	// Loopback offers loopback candidates too (development, tests).
	Loopback bool
	// MaxPeers bounds the peers that exist at once; 0 means 2000.
	MaxPeers int
	// Handshakes bounds the DTLS handshakes under way at once; 0 means 256.
	Handshakes int
	// HandshakeRate bounds the handshakes a second that one address begins in the long run, and HandshakeBurst those at once: a
	// clinic's people can be behind one, and all come back at once when their server has died. 0 means 50 and 200. An address has at most half of Handshakes under way.
	HandshakeRate, HandshakeBurst int
	// Loops is how many goroutines read the port, each from a socket of its own; 0 means one for each processor that Go
	// uses. Where the system cannot share a port there is one.
	Loops int
	// Logger may be nil.
	Logger *zap.Logger
}
