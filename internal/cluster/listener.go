package cluster

import (
	"net"
	"sync"
)

// maxHop bounds the connections of the hop: all sockets that an instance takes may be passed on to it, and some commands.
const maxHop = 32_768

// limited is a listener that closes what comes beyond a number of open connections.
type limited struct {
	net.Listener
	places chan struct{}
}

func newLimited(l net.Listener, most int) *limited { return &limited{l, make(chan struct{}, most)} }

// Accept implements net.Listener.
func (b *limited) Accept() (net.Conn, error) {
	for {
		c, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case b.places <- struct{}{}:
			return &placed{Conn: c, leave: sync.OnceFunc(func() { <-b.places })}, nil
		default:
			c.Close()
		}
	}
}

// placed is a connection that gives its place back.
type placed struct {
	net.Conn
	leave func()
}

// Close implements net.Conn.
func (p *placed) Close() error {
	defer p.leave()
	return p.Conn.Close()
}

// NetConn is the socket beneath.
func (p *placed) NetConn() net.Conn { return p.Conn }
