package transport

import (
	"net"
	"sync"

	"golang.org/x/net/ipv4"
)

const (
	// maxDatagram bounds what is read and written: more than any path's MTU that browsers use.
	maxDatagram = 2048
	// maxQueued bounds the datagrams that wait for the end of a batch; one more sends them.
	maxQueued = 256
)

// datagram is a pooled buffer with its destination or, in a mailbox, its source.
type datagram struct {
	buf  [maxDatagram]byte
	data []byte // a part of buf
	addr *net.UDPAddr
}

var datagrams = sync.Pool{New: func() any { return new(datagram) }}

func newDatagram() *datagram { return datagrams.Get().(*datagram) }

func (d *datagram) release() {
	d.data, d.addr = nil, nil
	datagrams.Put(d)
}

// batchConn is the part of ipv4.PacketConn and ipv6.PacketConn that the transport uses; the two
// share the message type.
type batchConn interface {
	ReadBatch(ms []ipv4.Message, flags int) (int, error)
	WriteBatch(ms []ipv4.Message, flags int) (int, error)
}

// outbox collects datagrams while a read batch is under way and sends them when it is done, so
// that one system call carries them all. Without a batch under way they leave at once.
type outbox struct {
	conn batchConn
	lost func(n int) // told of datagrams that the socket refused

	mu      sync.Mutex
	batches int // under way
	queue   []*datagram

	sending sync.Mutex // held across the system call, taken before mu; keeps datagrams in order
	spare   []*datagram
	msgs    []ipv4.Message
}

func newOutbox(conn batchConn, lost func(int)) *outbox {
	o := &outbox{conn: conn, lost: lost, msgs: make([]ipv4.Message, maxQueued)}
	for i := range o.msgs {
		o.msgs[i].Buffers = make([][]byte, 1)
	}
	return o
}

func (o *outbox) begin() {
	o.mu.Lock()
	o.batches++
	o.mu.Unlock()
}

func (o *outbox) end() {
	o.mu.Lock()
	o.batches--
	o.mu.Unlock()
	o.flush()
}

// put queues d and owns it from here on. If it returns true the caller must flush once it holds
// no lock that the packet path needs.
func (o *outbox) put(d *datagram) (due bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.queue = append(o.queue, d)
	return o.batches == 0 || len(o.queue) >= maxQueued
}

func (o *outbox) flush() {
	o.sending.Lock()
	defer o.sending.Unlock()
	o.mu.Lock()
	due := o.queue
	o.queue, o.spare = o.spare[:0], due
	o.mu.Unlock()
	for rest := due; len(rest) > 0; {
		n := min(len(rest), len(o.msgs))
		o.send(rest[:n])
		rest = rest[n:]
	}
	clear(due)
}

func (o *outbox) send(ds []*datagram) {
	msgs := o.msgs[:len(ds)]
	for i, d := range ds {
		msgs[i].Buffers[0] = d.data
		msgs[i].Addr = d.addr
	}
	for len(msgs) > 0 {
		n, err := o.conn.WriteBatch(msgs, 0)
		if err != nil {
			// The kernel names no culprit: it is the first that was not sent.
			o.lost(1)
			n++
		}
		msgs = msgs[min(n, len(msgs)):]
	}
	for _, d := range ds {
		d.release()
	}
}
