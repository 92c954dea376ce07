package edge

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
)

// kind is what a first byte announces.
type kind int

const (
	kindHTTP kind = iota
	kindTURN
	kindTLS
)

const (
	tlsHandshake = 0x16 // content type of a TLS record with a ClientHello, RFC 8446 section 5.1
	stunBeyond   = 0x40 // the two highest bits of a STUN message are zero, RFC 8489 section 5
)

// kindOf tells what a connection speaks by its first byte. A method of HTTP begins with a letter. The handshake's
// byte would be a STUN method nobody has registered, and inside TLS there is no second TLS.
func kindOf(first byte, inTLS bool) kind {
	switch {
	case first == tlsHandshake && !inTLS:
		return kindTLS
	case first < stunBeyond:
		return kindTURN
	default:
		return kindHTTP
	}
}

var errNoCertificate = errors.New("edge: a TLS connection, but no certificate is configured")

// tell reads as much as it needs to know what c speaks, terminating TLS on the way, and returns the connection to
// serve with nothing of its content missing.
func tell(ctx context.Context, c *plain, cfg *tls.Config) (net.Conn, kind, error) {
	first, err := c.peek(c.Conn)
	if err != nil {
		return nil, 0, err
	}
	k := kindOf(first, false)
	if k != kindTLS {
		return c, k, nil
	}
	if cfg == nil {
		return nil, 0, errNoCertificate
	}
	s := &secure{Conn: tls.Server(c, cfg)}
	if err := s.HandshakeContext(ctx); err != nil {
		return nil, 0, err
	}
	if first, err = s.peek(s.Conn); err != nil {
		return nil, 0, err
	}
	return s, kindOf(first, true), nil
}

// lookahead is a stream's first byte, taken early and given back to the first Read. Like any Read it needs its
// callers to take turns.
type lookahead struct {
	first  byte
	unread bool
}

func (a *lookahead) peek(from net.Conn) (byte, error) {
	var b [1]byte
	for {
		n, err := from.Read(b[:])
		if n == 1 {
			a.first, a.unread = b[0], true
			return a.first, nil
		}
		if err != nil {
			return 0, err
		}
	}
}

func (a *lookahead) read(from net.Conn, p []byte) (int, error) {
	if a.unread && len(p) > 0 {
		p[0], a.unread = a.first, false
		return 1, nil
	}
	return from.Read(p)
}

// plain is a TCP connection that holds a place among the limits until it is closed.
type plain struct {
	net.Conn
	lookahead
	place *place
	once  sync.Once
}

func (c *plain) Read(p []byte) (int, error) { return c.read(c.Conn, p) }

// NetConn is the socket, for its options; tls.Conn has the same method.
func (c *plain) NetConn() net.Conn { return c.Conn }

func (c *plain) Close() error {
	err := c.Conn.Close()
	c.once.Do(c.place.leave)
	return err
}

// CloseWrite lets net/http send its last answer before the connection is reset.
func (c *plain) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return errors.ErrUnsupported
}

// secure is a TLS connection after its handshake. It is no *tls.Conn, since a byte has been taken from it; net/http
// fills Request.TLS from the ConnectionState that it has of it.
type secure struct {
	*tls.Conn
	lookahead
}

func (s *secure) Read(p []byte) (int, error) { return s.read(s.Conn, p) }
