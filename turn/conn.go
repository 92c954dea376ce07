package turn

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// maxMessage is the longest TURN message taken, in bytes: an Ethernet frame's datagram and what TURN adds to it.
	maxMessage = 1600

	// writeTimeout is how long a message to a client may take. Its allocation's datagrams wait and are dropped
	// behind it, nobody else's do.
	writeTimeout = 10 * time.Second

	headerSize     = 4  // what tells the length: type or channel, and length, 16 bits each
	stunHeaderSize = 20 // not counted by STUN's length (RFC 8489 section 5)
)

var (
	errNotTURN = errors.New("turn: neither STUN nor ChannelData")
	errTooLong = errors.New("turn: a message is too long")
)

// listener takes what the listener below yields into the server's care.
type listener struct {
	net.Listener
	s *Server
}

func (l *listener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.s.adopt(nc)
}

// conn is a client's connection. The TURN implementation reads it, writes to it and closes it when it has let go of
// all that belonged to it. Read yields one whole message at a time, so that what is buffered for a client is bounded
// and a message must be complete in time however its bytes trickle in.
type conn struct {
	net.Conn
	s         *Server
	socket    net.Conn // what is beneath TLS, or the connection itself
	in        *bufio.Reader
	since     time.Time
	allocated atomic.Bool
	once      sync.Once
}

func (s *Server) adopt(nc net.Conn) (net.Conn, error) {
	c := &conn{Conn: nc, s: s, socket: nc, in: bufio.NewReaderSize(nc, maxMessage), since: time.Now()}
	if t, ok := nc.(interface{ NetConn() net.Conn }); ok {
		c.socket = t.NetConn()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errors.Join(net.ErrClosed, nc.Close())
	}
	s.owned.Add(1)
	s.conns[addrPort(nc.RemoteAddr())] = c
	return c, nil
}

// forget leaves alone a newer connection from the same port, which there can be as soon as c's socket is closed.
func (s *Server) forget(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if client := addrPort(c.RemoteAddr()); s.conns[client] == c {
		delete(s.conns, client)
	}
}

// end makes every Read and Write fail, now and later, whereupon the TURN implementation lets go. It does not block, as
// closing TLS would, which has a last word for a client that may not be listening.
func (c *conn) end() { _ = c.socket.Close() }

// Read puts one message into p, which must hold maxMessage bytes.
func (c *conn) Read(p []byte) (int, error) {
	from := c.since
	if c.allocated.Load() {
		from = time.Now()
	}
	_ = c.SetReadDeadline(from.Add(c.s.cfg.Idle))
	header, err := c.in.Peek(headerSize)
	if err != nil {
		return 0, err
	}
	n, err := messageLen(header)
	if err != nil {
		return 0, err
	}
	if n > min(len(p), maxMessage) {
		return 0, errTooLong
	}
	return io.ReadFull(c.in, p[:n])
}

// Write sends one message. A failure ends the connection, since part of the message may have left.
func (c *conn) Write(p []byte) (int, error) {
	_ = c.SetWriteDeadline(time.Now().Add(writeTimeout))
	n, err := c.Conn.Write(p)
	if err != nil {
		c.end()
	}
	return n, err
}

// Close is for the TURN implementation alone.
func (c *conn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() {
		c.s.forget(c)
		c.s.owned.Done()
	})
	return err
}

// messageLen is the length of a message on a stream, padding included, from its first four bytes (RFC 8656 sections
// 12.4 and 12.5).
func messageLen(header []byte) (int, error) {
	n := int(binary.BigEndian.Uint16(header[2:]))
	switch header[0] >> 6 {
	case 0b00:
		return stunHeaderSize + n, nil
	case 0b01:
		return headerSize + (n+3)&^3, nil
	default:
		return 0, errNotTURN
	}
}
