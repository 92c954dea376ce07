package turn_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/logging"
	pion "github.com/pion/turn/v5"

	"github.com/anteroom/anteroom/internal/edge"
	"github.com/anteroom/anteroom/turn"
)

const (
	realm   = "visits.example.org"
	seat    = "k3x9w2"
	timeout = 10 * time.Second
)

var (
	media     = netip.MustParseAddrPort("198.51.100.1:4000")
	elsewhere = netip.MustParseAddrPort("203.0.113.9:4000")
	otherPort = netip.AddrPortFrom(media.Addr(), 4001)
)

// echoes makes pipes into a media transport that sends every datagram back from where it was sent to.
type echoes struct {
	mu   sync.Mutex
	made uint16
	got  [][]byte
}

func (e *echoes) pipe() (turn.Path, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.made++
	return &echo{
		of: e, queue: make(chan datagram, 64), done: make(chan struct{}),
		local: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), e.made),
	}, nil
}

// received is what has come through all pipes.
func (e *echoes) received() [][]byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([][]byte(nil), e.got...)
}

type datagram struct {
	b    []byte
	from net.Addr
}

type echo struct {
	net.PacketConn
	of    *echoes
	local netip.AddrPort
	queue chan datagram
	done  chan struct{}
	once  sync.Once
}

func (e *echo) WriteTo(p []byte, to net.Addr) (int, error) {
	b := bytes.Clone(p)
	e.of.mu.Lock()
	e.of.got = append(e.of.got, b)
	e.of.mu.Unlock()
	select {
	case e.queue <- datagram{b, to}:
	default:
	}
	return len(p), nil
}

func (e *echo) ReadFrom(p []byte) (int, net.Addr, error) {
	select {
	case d := <-e.queue:
		return copy(p, d.b), d.from, nil
	case <-e.done:
		return 0, nil, net.ErrClosed
	}
}

func (e *echo) Deliver(p []byte, from *net.UDPAddr) {
	select {
	case e.queue <- datagram{bytes.Clone(p), from}:
	default:
	}
}

func (e *echo) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(e.local) }

func (e *echo) Close() error {
	e.once.Do(func() { close(e.done) })
	return nil
}

// setup is a TURN server behind a port shared with HTTP.
type setup struct {
	*turn.Server
	port   *edge.Listener
	echoes *echoes
	client *tls.Config
}

func start(t *testing.T, change func(*turn.Config)) *setup {
	t.Helper()
	s := &setup{echoes: &echoes{}}
	var server *tls.Config
	server, s.client = testTLS()
	var err error
	if s.port, err = edge.Listen(edge.Config{Address: "127.0.0.1:0", TLS: server}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.port.Close() })
	cfg := turn.Config{
		Listener: s.port.TURN(), Realm: realm, Secret: []byte("0123456789abcdefghij"),
		Peers: []netip.AddrPort{media}, Pipe: s.echoes.pipe,
	}
	if change != nil {
		change(&cfg)
	}
	if s.Server, err = turn.New(cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if got := s.Stats(); got.Connections != 0 || got.Allocations != 0 {
			t.Errorf("left after Close: %+v", got)
		}
	})
	return s
}

func testTLS() (server, client *tls.Config) {
	h := httptest.NewUnstartedServer(nil)
	h.StartTLS()
	defer h.Close()
	roots := x509.NewCertPool()
	roots.AddCert(h.Certificate())
	return &tls.Config{Certificates: h.TLS.Certificates, MinVersion: tls.VersionTLS12},
		&tls.Config{RootCAs: roots, ServerName: "example.com", MinVersion: tls.VersionTLS12}
}

func (s *setup) dial(t *testing.T, secure bool) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", s.port.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if secure {
		c = tls.Client(c, s.client)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// connect is a client with good credentials for the id, which change may spoil.
func (s *setup) connect(t *testing.T, c net.Conn, change func(*pion.ClientConfig)) *pion.Client {
	t.Helper()
	user, password := s.Credentials(seat, time.Hour, time.Now())
	cfg := &pion.ClientConfig{
		STUNServerAddr: s.port.Addr().String(), TURNServerAddr: s.port.Addr().String(),
		Username: user, Password: password, Realm: realm, Conn: pion.NewSTUNConn(c),
		LoggerFactory: &logging.DefaultLoggerFactory{Writer: io.Discard, DefaultLogLevel: logging.LogLevelDisabled},
	}
	if change != nil {
		change(cfg)
	}
	client, err := pion.NewClient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Listen(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); _ = c.Close() })
	return client
}

func (s *setup) allocate(t *testing.T, secure bool) (*pion.Client, net.PacketConn) {
	t.Helper()
	client := s.connect(t, s.dial(t, secure), nil)
	relay, err := allocate(t, client)
	if err != nil {
		t.Fatal(err)
	}
	return client, relay
}

func allocate(t *testing.T, client *pion.Client) (net.PacketConn, error) {
	t.Helper()
	relay, err := client.Allocate()
	if err == nil {
		t.Cleanup(func() { _ = relay.Close() })
	}
	return relay, err
}

// roundTrip sends a datagram through the relay and waits for its echo.
func roundTrip(t *testing.T, relay net.PacketConn, message string) {
	t.Helper()
	if _, err := relay.WriteTo([]byte(message), net.UDPAddrFromAddrPort(media)); err != nil {
		t.Fatal(err)
	}
	_ = relay.SetReadDeadline(time.Now().Add(timeout))
	b := make([]byte, 2000)
	n, from, err := relay.ReadFrom(b)
	if err != nil || string(b[:n]) != message || from.String() != media.String() {
		t.Fatalf("got %q from %v, %v; want %q from %v", b[:n], from, err, message, media)
	}
}

// closedByServer waits until the server has closed c, reading what it still has to say.
func closedByServer(t *testing.T, c net.Conn) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(timeout))
	_, err := io.Copy(io.Discard, c)
	if late := net.Error(nil); errors.As(err, &late) && late.Timeout() {
		t.Fatal("the server kept the connection")
	}
}

func hasCode(err error, code string) bool { return err != nil && strings.Contains(err.Error(), code) }
