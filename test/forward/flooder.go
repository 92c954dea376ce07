package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anteroom/anteroom/internal/udp"
)

// Who offers handshakes, and how often: 1,000 a second together. All have a valid link, or the server would not answer them.
const (
	strangers      = 300 // each from an address of its own: a ClientHello, and an alert that frees its place for the next
	neighbours     = 100 // the same from one address
	impostors      = 50  // a whole handshake, signed with a key that is not the certificate's: all that a handshake costs
	strangersEvery = 500 * time.Millisecond
	neighboursEach = 333 * time.Millisecond
	impostorsEach  = 500 * time.Millisecond
	alertAfter     = 10 * time.Millisecond
	joinersEvery   = 250 * time.Millisecond
)

// offerer is what a flooder did, and what became of those who came to join a visit in the meantime.
type offerer struct {
	Seconds    float64 `json:"seconds"`
	Hellos     uint64  `json:"hellos"`    // ClientHellos sent
	Datagrams  uint64  `json:"datagrams"` // of floods without handshakes
	Came       int     `json:"came"`
	Joined     int     `json:"joined"`
	JoinedP50  float64 `json:"joined_p50_ms"`
	JoinedLast float64 `json:"joined_max_ms"`
}

// flooder is the role of who floods.
func flooder(args []string) error {
	flags := newFlags("flooder")
	control := flags.String("control", "", "")
	media := flags.String("media", "", "")
	kind := flags.String("kind", "", "")
	lasts := flags.Duration("for", time.Second, "")
	rate := flags.Int("rate", 0, "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	target, err := netip.ParseAddrPort(*media)
	if err != nil {
		return err
	}
	f := &floods{control: *control, target: target, lasts: *lasts, rate: *rate}
	run := map[string]func() error{"handshakes": f.handshakes, "checks": f.checks, "media": f.media}[*kind]
	if run == nil {
		return fmt.Errorf("no flood of %q", *kind)
	}
	if err := run(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(f.seen)
}

type floods struct {
	control string
	target  netip.AddrPort
	lasts   time.Duration
	rate    int // datagrams a second of floods without handshakes; 0: as fast as one core can
	cert    tls.Certificate
	hello   []byte
	hellos  atomic.Uint64
	seen    offerer
}

// attacker is a client with a socket of its own.
type attacker struct {
	client
	conn *net.UDPConn
}

// meet makes a client whose offer was accepted and whose address was believed.
func (f *floods) meet(i int, from netip.Addr) (*attacker, error) {
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(from, 0)))
	if err != nil {
		return nil, err
	}
	a := &attacker{conn: conn}
	a.voice.ssrc, a.camera.ssrc = uint32(1e6+2*i), uint32(1e6+2*i+1)
	if err := a.negotiate(f.control, 2, f.cert); err != nil {
		return nil, err
	}
	if _, err := conn.WriteToUDPAddrPort(a.check(), f.target); err != nil {
		return nil, err
	}
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return nil, err
	}
	if _, err := conn.Read(make([]byte, udp.MaxDatagram)); err != nil {
		return nil, fmt.Errorf("no answer to a connectivity check: %w", err)
	}
	return a, conn.SetReadDeadline(time.Time{})
}

// block returns the i-th address of a block of loopback's.
func block(b byte, i int) netip.Addr {
	return netip.AddrFrom4([4]byte{127, b, byte(i / 250), byte(i%250 + 1)})
}

func (f *floods) handshakes() (err error) {
	if f.cert, err = newCertificate(); err != nil {
		return err
	}
	if f.hello, err = clientHello(f.cert); err != nil {
		return err
	}
	forged, err := newCertificate()
	if err != nil {
		return err
	}
	forged.Certificate = f.cert.Certificate
	var all []func(context.Context)
	add := func(n int, every time.Duration, from func(i int) netip.Addr, act func(context.Context, *attacker)) error {
		for i := range n {
			a, err := f.meet(len(all), from(i))
			if err != nil {
				return err
			}
			phase := every * time.Duration(i) / time.Duration(n)
			all = append(all, func(ctx context.Context) { repeat(ctx, phase, every, func() { act(ctx, a) }) })
		}
		return nil
	}
	if err := errors.Join(
		add(strangers, strangersEvery, func(i int) netip.Addr { return block(2, i) }, f.greet),
		add(neighbours, neighboursEach, func(int) netip.Addr { return block(3, 0) }, f.greet),
		add(impostors, impostorsEach, func(i int) netip.Addr { return block(4, i) }, func(ctx context.Context, a *attacker) {
			f.pretend(ctx, a, forged)
		}),
	); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), f.lasts)
	defer cancel()
	began := time.Now()
	var running sync.WaitGroup
	for _, act := range all {
		running.Go(func() { act(ctx) })
	}
	f.join(ctx)
	running.Wait()
	f.seen.Seconds, f.seen.Hellos = time.Since(began).Seconds(), f.hellos.Load()
	return nil
}

// repeat acts again and again until the context ends.
func repeat(ctx context.Context, phase, every time.Duration, act func()) {
	first := time.NewTimer(phase)
	defer first.Stop()
	select {
	case <-first.C:
	case <-ctx.Done():
		return
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		act()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// greet has the server begin a handshake, do its half of it, and give up.
func (f *floods) greet(ctx context.Context, a *attacker) {
	_, _ = a.conn.WriteToUDPAddrPort(f.hello, f.target)
	f.hellos.Add(1)
	select {
	case <-time.After(alertAfter):
	case <-ctx.Done():
	}
	const fatal, handshakeFailure = 2, 40
	alert := []byte{21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, fatal, handshakeFailure}
	_, _ = a.conn.WriteToUDPAddrPort(alert, f.target)
}

// pretend does a whole handshake as somebody else.
func (f *floods) pretend(ctx context.Context, a *attacker, forged tls.Certificate) {
	f.hellos.Add(1)
	ctx, cancel := context.WithTimeout(ctx, 2*impostorsEach)
	defer cancel()
	conn, err := dtlsClient(lasting{a.conn}, f.target, forged)
	if err != nil {
		return
	}
	_ = conn.HandshakeContext(ctx) // is refused, or given up
	_ = conn.Close()
}

// join has people come who want to join, and takes the time until they are connected.
func (f *floods) join(ctx context.Context) {
	var mu sync.Mutex
	var took []int64
	var coming sync.WaitGroup
	repeat(ctx, 0, joinersEvery, func() {
		i := f.seen.Came
		f.seen.Came++
		coming.Go(func() {
			began := time.Now()
			a, err := f.meet(strangers+neighbours+impostors+i, block(5, i))
			if err != nil {
				return
			}
			if a.secure(a.conn, f.target, f.cert) != nil {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, int64(time.Since(began)))
		})
	})
	coming.Wait()
	f.seen.Joined, f.seen.JoinedP50, f.seen.JoinedLast = len(took), quantile(took, 0.5)/1e3, quantile(took, 1)/1e3
}

// checks floods with connectivity checks whose password is wrong, for a peer that is there.
func (f *floods) checks() (err error) {
	if f.cert, err = newCertificate(); err != nil {
		return err
	}
	a, err := f.meet(0, block(2, 0))
	if err != nil {
		return err
	}
	a.key = "wrong"
	return f.pour(a.check)
}

// media floods with what looks like media, from addresses that nobody knows.
func (f *floods) media() error {
	return f.pour(func() []byte {
		b := make([]byte, cameraBytes)
		b[0], b[1] = 0x80, 96
		return b
	})
}

// pour sends each datagram by itself, as from a network, and from many sockets, so that all of the server's loops have some.
func (f *floods) pour(datagram func() []byte) error {
	const sockets, each = 16, 20
	var writers []udp.Writer
	for i := range sockets {
		s, err := udp.Listen(netip.AddrPortFrom(block(6, i), 0), udp.Options{Plain: true})
		if err != nil {
			return err
		}
		writers = append(writers, s.NewWriter(each))
	}
	var out []udp.Datagram
	for range each {
		out = append(out, udp.Datagram{Data: datagram(), Addr: f.target})
	}
	wait := func() {}
	if f.rate > 0 {
		tick := time.NewTicker(each * time.Second / time.Duration(f.rate))
		defer tick.Stop()
		wait = func() { <-tick.C }
	}
	began := time.Now()
	for i := 0; time.Since(began) < f.lasts; i++ {
		wait()
		writers[i%sockets].Write(out)
		f.seen.Datagrams += each
	}
	f.seen.Seconds = time.Since(began).Seconds()
	return nil
}

// lasting is a socket that a handshake's end does not close.
type lasting struct{ *net.UDPConn }

func (lasting) Close() error { return nil }

// clientHello returns the first datagram of a handshake, which fits every peer.
func clientHello(cert tls.Certificate) ([]byte, error) {
	server, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	defer server.Close() //nolint:errcheck // has read what it is for
	path, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	conn, err := dtlsClient(path, server.LocalAddr().(*net.UDPAddr).AddrPort(), cert)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- conn.HandshakeContext(ctx) }()
	b := make([]byte, udp.MaxDatagram)
	n, err := server.Read(b)
	cancel()
	<-ended //nolint:errcheck // cut short
	return b[:n], errors.Join(err, conn.Close())
}
