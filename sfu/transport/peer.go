package transport

import (
	"net/netip"
	"time"

	"github.com/pion/rtp"
)

// Phase is how far a peer's connection has come.
type Phase uint8

// The phases, in the order in which a peer meets them; Disconnected goes back to Connected when
// the client is heard again.
const (
	New Phase = iota
	Connecting
	Connected
	Disconnected
	Closed
)

// String returns the phase's lower-case name.
func (p Phase) String() string {
	return [...]string{"new", "connecting", "connected", "disconnected", "closed"}[p]
}

// Reason says why a peer was closed. It is empty before that.
type Reason string

// Why a peer was closed.
const (
	ReasonLocal       Reason = "closed here"
	ReasonSilent      Reason = "client silent"
	ReasonFingerprint Reason = "certificate does not match the offer"
	ReasonHandshake   Reason = "handshake did not finish"
	ReasonShutdown    Reason = "transport closed"
)

// State is a peer's phase and, when that is Closed, the reason.
type State struct {
	Phase  Phase
	Reason Reason
}

// Handler receives what happens to one peer. Its methods are called from the transport's
// goroutines, one at a time for one peer, and must not block. They may write to any peer.
type Handler interface {
	// RTP receives a decrypted packet; p and what it points to are valid until RTP returns.
	RTP(p *Packet)
	// RTCP receives a decrypted compound packet, valid until RTCP returns.
	RTCP(compound []byte)
	// State reports a change. Closed comes last and once.
	State(s State)
}

// Packet is one decrypted RTP packet.
type Packet struct {
	Header  rtp.Header // parsed once
	Raw     []byte     // whole plain packet: header, payload, padding
	Payload []byte     // without padding
	Arrival time.Time  // monotonic
}

// Stats are a peer's counters since it was accepted. Bytes are those of datagrams.
type Stats struct {
	State              State
	PacketsIn, BytesIn uint64
	PacketsOut         uint64
	BytesOut           uint64
	Remote             netip.AddrPort // the selected address; zero before the first check
	Relayed            bool           // the selected path is a pipe
	LastHeard          time.Time      // the last authenticated packet; at first, the time of Accept
}

// Peer is one client's connection. All methods are safe for concurrent use.
type Peer struct{}

// WriteRTP seals and sends one packet. The header's padding flag is ignored. h and payload are not
// kept. It fails with ErrNotConnected, ErrTooLarge or ErrClosed.
func (p *Peer) WriteRTP(h *rtp.Header, payload []byte) error { return ErrClosed }

// WriteRTCP seals and sends one compound packet. It fails as WriteRTP does.
func (p *Peer) WriteRTCP(compound []byte) error { return ErrClosed }

// Stats returns the counters. It takes no lock.
func (p *Peer) Stats() Stats { return Stats{} }

// Close ends the connection. It does not block and may be called more than once, also from a
// Handler; State(Closed) follows from a goroutine of the transport.
func (p *Peer) Close() {}
