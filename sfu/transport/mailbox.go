package transport

import (
	"net"
	"os"
	"sync"
	"time"

	"github.com/pion/transport/v5/deadline"
)

// mailbox is a bounded queue of datagrams with a net.PacketConn's reading half. It drops what does
// not fit, as a network would.
type mailbox struct {
	queue    chan *datagram
	deadline *deadline.Deadline
	closed   chan struct{}
	once     sync.Once
}

func newMailbox(size int) *mailbox {
	return &mailbox{
		queue:    make(chan *datagram, size),
		deadline: deadline.New(),
		closed:   make(chan struct{}),
	}
}

// put owns d from here on.
func (m *mailbox) put(d *datagram) {
	select {
	case <-m.closed: // nobody would ever take it out
		d.release()
		return
	default:
	}
	select {
	case m.queue <- d:
	default:
		d.release()
	}
}

// ReadFrom implements net.PacketConn.
func (m *mailbox) ReadFrom(b []byte) (int, net.Addr, error) {
	select { // a deadline that has passed wins over data, as on a socket
	case <-m.deadline.Done():
		return 0, nil, os.ErrDeadlineExceeded
	case <-m.closed:
		return 0, nil, net.ErrClosed
	default:
	}
	select {
	case d := <-m.queue:
		n, addr := copy(b, d.data), d.addr
		d.release()
		return n, addr, nil
	case <-m.deadline.Done():
		return 0, nil, os.ErrDeadlineExceeded
	case <-m.closed:
		return 0, nil, net.ErrClosed
	}
}

// SetReadDeadline implements net.PacketConn.
func (m *mailbox) SetReadDeadline(t time.Time) error {
	m.deadline.Set(t)
	return nil
}

// SetWriteDeadline implements net.PacketConn; writing never waits.
func (m *mailbox) SetWriteDeadline(time.Time) error { return nil }

// SetDeadline implements net.PacketConn.
func (m *mailbox) SetDeadline(t time.Time) error { return m.SetReadDeadline(t) }

// Close implements net.PacketConn.
func (m *mailbox) Close() error {
	m.once.Do(func() { close(m.closed) })
	m.deadline.Set(time.Time{})
	return nil
}
