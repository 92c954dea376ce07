package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// wires are the connections to all servers. A connection may be open and silent: its server stands still, or a network
// drops what it carries and says nothing. The one that a call waited for in vain is let go by the client; the others,
// which would each cost another call its deadline, are cut here.
type wires struct {
	tls   *tls.Config
	began time.Time // with the monotonic clock, since the other may be set

	mu   sync.Mutex
	open map[*wire]struct{}
}

// wire notes when something was last heard on it. The library looks at what is below before it uses a connection again, so
// that one that a side has closed meanwhile costs no call.
type wire struct {
	net.Conn
	below net.Conn     // of TCP
	heard atomic.Int64 // time.Duration since began
	began time.Time
	close func() error
}

func newWires(t *tls.Config) *wires {
	return &wires{tls: t, began: time.Now(), open: map[*wire]struct{}{}}
}

func (w *wires) dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: time.Second, Count: 5}}
	below, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c := &wire{Conn: below, below: below, began: w.began}
	if w.tls != nil {
		if c.Conn, err = w.secure(ctx, below, address); err != nil {
			return nil, errors.Join(err, below.Close())
		}
	}
	c.heard.Store(int64(time.Since(w.began)))
	c.close = sync.OnceValue(func() error {
		w.mu.Lock()
		delete(w.open, c)
		w.mu.Unlock()
		return c.Conn.Close()
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open[c] = struct{}{}
	return c, nil
}

func (w *wires) secure(ctx context.Context, below net.Conn, address string) (net.Conn, error) {
	config := w.tls.Clone()
	if config.ServerName == "" {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		config.ServerName = host
	}
	c := tls.Client(below, config)
	return c, c.HandshakeContext(ctx)
}

// cut closes what has been silent since a time.
func (w *wires) cut(since time.Time) {
	var silent []*wire
	w.mu.Lock()
	for c := range w.open {
		if c.heard.Load() < int64(since.Sub(w.began)) {
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
		c.heard.Store(int64(time.Since(c.began)))
	}
	return n, err
}

// Close closes the connection. Its repetition is no error: both the library and cut do it.
func (c *wire) Close() error { return c.close() }

// SyscallConn implements syscall.Conn.
func (c *wire) SyscallConn() (syscall.RawConn, error) {
	if below, ok := c.below.(syscall.Conn); ok {
		return below.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}
