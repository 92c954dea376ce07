package transport

import (
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/stun/v4"

	"github.com/anteroom/anteroom/internal/udp"
)

// Counters count datagrams that reached no handler, since the start.
type Counters struct {
	Unknown        uint64 // from an address that has proved nothing, and not STUN
	BadSTUN        uint64 // malformed, for an unknown peer, or with a wrong password
	BadMedia       uint64 // not decryptable, replayed, or beyond a peer's streams
	RefusedHello   uint64 // handshakes beyond Config.Handshakes; clients try again
	ThrottledHello uint64 // handshakes beyond what one address may begin; clients try again
	FailedHello    uint64 // handshakes that ended without keys
	Unsent         uint64 // refused by the socket
	Panics         uint64 // ours, over one peer or datagram
}

type counters struct {
	unknown, badSTUN, badMedia, refusedHello, throttledHello, failedHello, unsent, panics atomic.Uint64
}

// Counters returns what was dropped so far.
func (t *Transport) Counters() Counters {
	return Counters{
		Unknown:        t.count.unknown.Load(),
		BadSTUN:        t.count.badSTUN.Load(),
		BadMedia:       t.count.badMedia.Load(),
		RefusedHello:   t.count.refusedHello.Load(),
		ThrottledHello: t.count.throttledHello.Load(),
		FailedHello:    t.count.failedHello.Load(),
		Unsent:         t.count.unsent.Load(),
		Panics:         t.count.panics.Load(),
	}
}

// inbound is what one goroutine needs to take datagrams in: memory used again for each.
type inbound struct {
	t      *Transport
	out    *Batch    // for what the datagrams cause; nil: it is sent at once
	now    time.Time // when the datagrams arrived
	peer   *Peer     // whose datagram is at hand; nil: nobody's, as far as is known
	stun   stun.Message
	reply  stun.Message
	packet Packet
	report rtcp.Header // scratch
	lately lately
}

const (
	// batchSize is how many messages one system call may write, and readBatch how many it may read, each of which may hold several
	// datagrams and has room for 64 kB.
	batchSize = 64
	readBatch = 32
)

// loop reads one of the transport's sockets and runs each datagram to completion. The kernel keeps a client's datagrams with
// one loop as long as its address stays.
type loop struct {
	socket *udp.Socket
	in     inbound
}

func newLoop(t *Transport, socket *udp.Socket) *loop {
	return &loop{socket: socket, in: inbound{t: t, out: newBatch(socket, &t.count, batchRoom)}}
}

// run ends when the socket is closed.
func (l *loop) run() {
	in := &l.in
	reader := l.socket.NewReader(readBatch)
	for {
		ds, err := reader.Read()
		if err != nil {
			if !in.t.pause(err) {
				return
			}
			continue
		}
		in.now = time.Now()
		for _, d := range ds {
			in.datagram(d.Data, path{addr: d.Addr})
			in.out.FlushFull()
		}
		in.out.Flush()
	}
}

// datagram sorts by the first byte (RFC 7983 section 7). b is used in place.
func (in *inbound) datagram(b []byte, from path) {
	defer in.recovered()
	if len(b) < 2 {
		in.t.count.unknown.Add(1)
		return
	}
	if b[0] <= 3 {
		in.binding(b, from)
		return
	}
	p := in.lately.find(&in.t.routes, from)
	in.peer = p
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
