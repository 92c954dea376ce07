// Package edge is the server's one TCP port. It tells HTTP from TURN by a connection's first byte, in clear
// and inside TLS, and hands each kind out as a net.Listener of its own.
//
// It owns the listening socket, the TLS handshakes, the limits on connections and the certificate files. A
// connection it has handed out belongs to whoever accepted it. It must not know what is said over either
// protocol.
package edge

import (
	"container/list"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// Defaults of Config.
const (
	DefaultWait           = 10 * time.Second
	DefaultWaiting        = 1024
	DefaultMax            = 16384
	DefaultPerAddress     = 1024
	DefaultTURNPerAddress = 256
)

const (
	// The wait after a failed accept doubles from the first to the second: it is mostly the lack of file
	// descriptors, which only time or other people's closing cures.
	acceptRetryFirst = 5 * time.Millisecond
	acceptRetryLast  = time.Second
)

// Config says where to listen and how much to take.
type Config struct {
	// Address is host:port as net.Listen takes it; port 0 takes any.
	Address string

	// TLS holds the certificates; nil serves cleartext only. With it cleartext is still served: tell the two
	// apart by http.Request.TLS. Only HTTP/1.1 is offered by ALPN, whatever NextProtos says, for the first
	// decrypted byte must tell the protocol. It must not have GetConfigForClient.
	TLS *tls.Config

	// Wait is how long a client may take to its first byte of HTTP or TURN, TLS handshake included, and then
	// to be accepted. 0 is 10 s.
	Wait time.Duration

	// Waiting is how many connections may be in that state. Beyond it the one that has waited longest is
	// closed, so that silent clients cannot keep others out. 0 is 1024.
	Waiting int

	// Max is how many connections may be open, PerAddress how many from one address (for IPv6 one /64; a clinic
	// may sit behind one address) and TURNPerAddress how many of these may be TURN. A connection too many is
	// closed. 0 is 16384, 1024 and 256; negative is no limit, for a server behind a proxy that hides addresses.
	Max, PerAddress, TURNPerAddress int

	// Logger is told when connections cannot be accepted; nil tells nobody.
	Logger *zap.Logger
}

// Stats counts since the start, except Open and Waiting, which are of now.
type Stats struct {
	Open      int    // connections open, of any kind
	Waiting   int    // connections not yet told apart or not yet accepted
	HTTP      uint64 // handed out as HTTP
	TURN      uint64 // handed out as TURN
	Refused   uint64 // closed for a limit on open connections
	Hits      Hits   // the same by limit
	Displaced uint64 // closed while waiting, to make room
	Slow      uint64 // of the failed: those that took longer than Wait
	Failed    uint64 // closed while waiting: too slow, gone, bad TLS, TLS without a certificate, or nobody accepts
}

// Hits says which limits on open connections were met, and how near one address ever was to its own.
type Hits struct {
	Max, PerAddress, TURNPerAddress  uint64
	MostOfAddress, MostTURNOfAddress int
}

// Listener is the one port. Its methods may be called by anyone at any time.
type Listener struct {
	socket net.Listener
	tls    *tls.Config
	wait   time.Duration
	limits *limits
	log    *zap.Logger
	http   *half
	turn   *half

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	tasks  sync.WaitGroup

	mu         sync.Mutex
	waiting    list.List // of context.CancelFunc, longest waiting first
	maxWaiting int

	refused, displaced, slow, failed atomic.Uint64
}

var errTLSConfig = errors.New("edge: the TLS configuration must not have GetConfigForClient")

// Listen opens the port and begins to accept. Close ends what it starts.
func Listen(cfg Config) (*Listener, error) {
	if cfg.TLS != nil && cfg.TLS.GetConfigForClient != nil {
		return nil, errTLSConfig
	}
	socket, err := net.Listen("tcp", cfg.Address)
	if err != nil {
		return nil, fmt.Errorf("edge: %w", err)
	}
	l := &Listener{
		socket:     socket,
		tls:        serverTLS(cfg.TLS),
		wait:       orDefault(cfg.Wait, DefaultWait),
		maxWaiting: orDefault(cfg.Waiting, DefaultWaiting),
		limits: newLimits(
			orDefault(cfg.Max, DefaultMax),
			orDefault(cfg.PerAddress, DefaultPerAddress),
			orDefault(cfg.TURNPerAddress, DefaultTURNPerAddress),
		),
		log: cfg.Logger,
	}
	if l.log == nil {
		l.log = zap.NewNop()
	}
	l.http, l.turn = newHalf(socket.Addr()), newHalf(socket.Addr())
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.tasks.Go(l.accept)
	return l, nil
}

func orDefault[T int | time.Duration](v, def T) T {
	if v == 0 {
		return def
	}
	return v
}

func serverTLS(given *tls.Config) *tls.Config {
	if given == nil {
		return nil
	}
	c := given.Clone()
	c.NextProtos = []string{"http/1.1"}
	return c
}

// HTTP yields the connections that speak HTTP. Requests on them have http.Request.TLS set if, and only if, they
// came by TLS. Closing it closes this half only: such connections are then refused.
func (l *Listener) HTTP() net.Listener { return l.http }

// TURN yields the connections that speak TURN or STUN, in clear or by TLS. Closing it closes this half only.
func (l *Listener) TURN() net.Listener { return l.turn }

// Addr is the address of the port.
func (l *Listener) Addr() net.Addr { return l.socket.Addr() }

// Close frees the port, closes the connections that nobody has accepted yet and waits until that is done.
func (l *Listener) Close() error {
	l.cancel()
	err := l.socket.Close()
	l.http.shut()
	l.turn.shut()
	l.tasks.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Stats says how the port is doing.
func (l *Listener) Stats() Stats {
	l.mu.Lock()
	waiting := l.waiting.Len()
	l.mu.Unlock()
	open, hits := l.limits.total()
	return Stats{
		Open:      open,
		Hits:      hits,
		Waiting:   waiting,
		HTTP:      l.http.handed.Load(),
		TURN:      l.turn.handed.Load(),
		Refused:   l.refused.Load(),
		Displaced: l.displaced.Load(),
		Slow:      l.slow.Load(),
		Failed:    l.failed.Load(),
	}
}

func (l *Listener) accept() {
	retry := acceptRetryFirst
	for {
		nc, err := l.socket.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			l.log.Warn("edge_accept_failed", zap.Error(err))
			select {
			case <-l.ctx.Done():
				return
			case <-time.After(retry):
			}
			retry = min(2*retry, acceptRetryLast)
			continue
		}
		retry = acceptRetryFirst
		c, ok := l.limits.admit(nc)
		if !ok {
			l.refused.Add(1)
			_ = nc.Close()
			continue
		}
		ctx, leave := l.enter()
		l.tasks.Go(func() {
			defer leave()
			l.serve(ctx, c)
		})
	}
}

// enter puts a connection at the end of those waiting and makes room for it. The context ends when its time is
// up, when it has to give way and when the listener closes; leave must be called in any case.
func (l *Listener) enter() (ctx context.Context, leave func()) {
	ctx, cancel := context.WithTimeout(l.ctx, l.wait)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting.Len() >= l.maxWaiting {
		oldest := l.waiting.Front()
		l.waiting.Remove(oldest)
		oldest.Value.(context.CancelFunc)()
		l.displaced.Add(1)
	}
	place := l.waiting.PushBack(cancel)
	return ctx, func() {
		cancel()
		l.mu.Lock()
		l.waiting.Remove(place) // does nothing for one that gave way
		l.mu.Unlock()
	}
}

// serve tells one connection apart and hands it out, or closes it.
func (l *Listener) serve(ctx context.Context, c *plain) {
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	told, k, err := tell(ctx, c, l.tls)
	if !stop() || err != nil {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			l.slow.Add(1)
		}
		l.failed.Add(1)
		_ = c.Close()
		return
	}
	to := l.http
	if k == kindTURN {
		to = l.turn
		if !c.place.turn() {
			l.refused.Add(1)
			_ = c.Close()
			return
		}
	}
	if !to.hand(ctx, told) {
		l.failed.Add(1)
		_ = c.Close()
	}
}

// half is the listener of one protocol. Nothing queues in it: a connection waits in the goroutine that told it
// apart until someone accepts it.
type half struct {
	addr   net.Addr
	conns  chan net.Conn
	done   chan struct{}
	shut   func()
	handed atomic.Uint64
}

func newHalf(addr net.Addr) *half {
	h := &half{addr: addr, conns: make(chan net.Conn), done: make(chan struct{})}
	h.shut = sync.OnceFunc(func() { close(h.done) })
	return h
}

func (h *half) hand(ctx context.Context, c net.Conn) bool {
	select {
	case h.conns <- c:
		return true
	case <-h.done:
	case <-ctx.Done():
	}
	return false
}

// Accept implements net.Listener; after Close its error is net.ErrClosed.
func (h *half) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		h.handed.Add(1)
		return c, nil
	case <-h.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (h *half) Close() error {
	h.shut()
	return nil
}

// Addr implements net.Listener.
func (h *half) Addr() net.Addr { return h.addr }
