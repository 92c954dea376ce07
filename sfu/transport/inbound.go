package transport

import (
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/pion/stun/v4"
	"golang.org/x/net/ipv4"
)

// Counters count datagrams that reached no handler, since the start.
type Counters struct {
	Unknown      uint64 // from an address that has proved nothing, and not STUN
	BadSTUN      uint64 // malformed, for an unknown peer, or with a wrong password
	BadMedia     uint64 // not decryptable, replayed, or beyond a peer's streams
	RefusedHello uint64 // handshakes beyond Config.Handshakes; clients try again
	Unsent       uint64 // refused by the socket
}

type counters struct {
	unknown, badSTUN, badMedia, refusedHello, unsent atomic.Uint64
}

// Counters returns what was dropped so far.
func (t *Transport) Counters() Counters {
	return Counters{
		Unknown:      t.count.unknown.Load(),
		BadSTUN:      t.count.badSTUN.Load(),
		BadMedia:     t.count.badMedia.Load(),
		RefusedHello: t.count.refusedHello.Load(),
		Unsent:       t.count.unsent.Load(),
	}
}

// inbound is what one goroutine needs to take datagrams in: memory used again for each.
type inbound struct {
	t      *Transport
	now    time.Time // when the batch arrived
	stun   stun.Message
	reply  stun.Message
	packet Packet
}

// batchSize is how many datagrams one system call may read.
const batchSize = 64

// read runs datagrams to completion until the socket is closed.
func (t *Transport) read() {
	in := inbound{t: t}
	msgs := make([]ipv4.Message, batchSize)
	for i := range msgs {
		msgs[i].Buffers = [][]byte{make([]byte, maxDatagram)}
	}
	for {
		n, err := t.conn.ReadBatch(msgs, 0)
		if err != nil {
			if !t.pause(err) {
				return
			}
			continue
		}
		in.now = time.Now()
		t.out.begin()
		for _, m := range msgs[:n] {
			if from, ok := udpSource(m); ok {
				in.datagram(m.Buffers[0][:m.N], path{addr: from})
			}
		}
		t.out.end()
	}
}

func udpSource(m ipv4.Message) (netip.AddrPort, bool) {
	addr, ok := m.Addr.(interface{ AddrPort() netip.AddrPort })
	if !ok {
		return netip.AddrPort{}, false
	}
	return unmapped(addr.AddrPort()), true
}

// datagram sorts by the first byte (RFC 7983 section 7). b is used in place.
func (in *inbound) datagram(b []byte, from path) {
	if len(b) < 2 {
		in.t.count.unknown.Add(1)
		return
	}
	if b[0] <= 3 {
		in.binding(b, from)
		return
	}
	p := in.t.routes.get(from)
	switch {
	case p == nil:
		in.t.count.unknown.Add(1)
	case b[0] >= 20 && b[0] <= 63:
		p.receiveDTLS(in, b)
	case b[0] >= 128 && b[0] <= 191:
		p.receiveMedia(in, b)
	default:
		in.t.count.unknown.Add(1)
	}
}
