package transport

import (
	"cmp"
	"net"
	"slices"
	"sync"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/anteroom/anteroom/internal/udp"
)

const (
	// maxDatagram bounds what is read and written: more than any path's MTU that browsers use.
	maxDatagram = udp.MaxDatagram
	// fullBatch is how many datagrams are sent at once at the latest, between two that are read.
	fullBatch = 256
	// batchRoom bounds the datagrams of a batch. It leaves room for what one datagram that is read can cause after fullBatch - 1;
	// what is beyond is lost.
	batchRoom = 512
)

// Batch gathers datagrams on their way out, so that few system calls carry many: those that one read of a loop
// caused, or those of a caller who has many to write (NewBatch). It is for one goroutine at a time.
type Batch struct {
	writer  udp.Writer
	count   *counters
	buffers [][maxDatagram]byte
	queue   []outgoing
	sending []udp.Datagram
	header  rtp.Header  // scratch, as report is
	report  rtcp.Header // of the first packet of a compound
}

// outgoing is a sealed datagram in one of the batch's buffers.
type outgoing struct {
	to   *route
	data []byte
}

// NewBatch returns a batch for a goroutine that writes to many peers at once. Flush sends it.
func (t *Transport) NewBatch() *Batch { return newBatch(t.loops[0].socket, &t.count, batchRoom) }

// newBatch makes a batch that holds as many datagrams as room says.
func newBatch(socket *udp.Socket, count *counters, room int) *Batch {
	return &Batch{
		writer: socket.NewWriter(min(batchSize, room)), count: count, buffers: make([][maxDatagram]byte, room),
		queue: make([]outgoing, 0, room), sending: make([]udp.Datagram, 0, room),
	}
}

// buffer returns memory for the next datagram, or nil if the batch is full. add then takes it.
func (b *Batch) buffer() []byte {
	if len(b.queue) == len(b.buffers) {
		b.count.unsent.Add(1)
		return nil
	}
	return b.buffers[len(b.queue)][:]
}

// add queues a part of what buffer returned last.
func (b *Batch) add(to *route, data []byte) {
	if to.via != nil {
		to.via.put(newDatagram(data, to.udp))
		return
	}
	b.queue = append(b.queue, outgoing{to: to, data: data})
}

// FlushFull sends the batch if it is so full that the next datagram might not fit. It is called where no lock is held.
func (b *Batch) FlushFull() {
	if len(b.queue) >= fullBatch {
		b.Flush()
	}
}

// Flush sends what was written. Datagrams to one address stay in order and come together, so that the kernel can take them as one.
func (b *Batch) Flush() {
	byRoute := func(x, y outgoing) int { return cmp.Compare(x.to.id, y.to.id) }
	if !slices.IsSortedFunc(b.queue, byRoute) { // mostly there is little in it, to one viewer
		slices.SortStableFunc(b.queue, byRoute)
	}
	for _, o := range b.queue {
		b.sending = append(b.sending, udp.Datagram{Data: o.data, Addr: o.to.addr})
	}
	if refused := b.writer.Write(b.sending); refused > 0 {
		b.count.unsent.Add(uint64(refused))
	}
	b.queue, b.sending = b.queue[:0], b.sending[:0]
}

// sharedBatch is for those who write single datagrams from anywhere. It has room for one.
type sharedBatch struct {
	mu    sync.Mutex
	batch *Batch
}

func (s *sharedBatch) lock() *Batch {
	s.mu.Lock()
	return s.batch
}

// unlock sends what was written.
func (s *sharedBatch) unlock() {
	s.batch.Flush()
	s.mu.Unlock()
}

// datagram is a pooled copy of a datagram, for mailboxes.
type datagram struct {
	buf  [maxDatagram]byte
	data []byte // a part of buf
	addr *net.UDPAddr
}

var datagrams = sync.Pool{New: func() any { return new(datagram) }}

func newDatagram(b []byte, addr *net.UDPAddr) *datagram {
	d := datagrams.Get().(*datagram)
	d.data, d.addr = d.buf[:copy(d.buf[:], b)], addr
	return d
}

func (d *datagram) release() {
	d.data, d.addr = nil, nil
	datagrams.Put(d)
}
