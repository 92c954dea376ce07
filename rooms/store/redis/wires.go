package redis

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// wires are the connections to all servers. A connection may be open and silent: its server stands still, or a network
// drops what it carries and says nothing. The one that a call waited for in vain is let go by the client; the others,
// which would each cost another call its deadline, are cut here.
type wires struct {
	tls *tls.Config

	mu   sync.Mutex
	open map[*wire]struct{}
}

// wire notes when something was last heard on it.
type wire struct {
	net.Conn
	heard atomic.Int64 // ns since 1970
	gone  func()
}

func newWires(t *tls.Config) *wires { return &wires{tls: t, open: map[*wire]struct{}{}} }

func (w *wires) dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: time.Second, Count: 5}}
	conn, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c := &wire{Conn: conn}
	c.heard.Store(time.Now().UnixNano())
	c.gone = sync.OnceFunc(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.open, c)
	})
	w.mu.Lock()
	w.open[c] = struct{}{}
	w.mu.Unlock()
	if w.tls == nil {
		return c, nil
	}
	secured, err := w.secure(ctx, c, address)
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return secured, nil
}

func (w *wires) secure(ctx context.Context, c net.Conn, address string) (net.Conn, error) {
	config := w.tls.Clone()
	if config.ServerName == "" {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		config.ServerName = host
	}
	secured := tls.Client(c, config)
	return secured, secured.HandshakeContext(ctx)
}

// cut closes what has been silent since a time.
func (w *wires) cut(since time.Time) {
	var silent []*wire
	w.mu.Lock()
	for c := range w.open {
		if c.heard.Load() < since.UnixNano() {
			silent = append(silent, c)
		}
	}
	w.mu.Unlock()
	for _, c := range silent {
		_ = c.Close()
	}
}

// Read notes that something was heard.
func (c *wire) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.heard.Store(time.Now().UnixNano())
	}
	return n, err
}

// Close closes the connection.
func (c *wire) Close() error {
	c.gone()
	return c.Conn.Close()
}
