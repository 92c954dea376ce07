package turn_test

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/anteroom/anteroom/turn"
)

// instance is another's media port, which sends everything back. It notes from where the newest came.
type instance struct {
	*net.UDPConn
	at   netip.AddrPort
	from chan netip.AddrPort
}

func newInstance(t *testing.T) *instance {
	t.Helper()
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	i := &instance{UDPConn: socket, at: socket.LocalAddr().(*net.UDPAddr).AddrPort(), from: make(chan netip.AddrPort, 64)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 2000)
		for {
			n, from, err := socket.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			i.from <- from
			_, _ = socket.WriteToUDPAddrPort(b[:n], from)
		}
	}()
	t.Cleanup(func() { _ = socket.Close(); <-done })
	return i
}

// says sends by a relay and waits for the echo.
func (i *instance) echoes(t *testing.T, relay net.PacketConn, message string) (from netip.AddrPort) {
	t.Helper()
	if _, err := relay.WriteTo([]byte(message), net.UDPAddrFromAddrPort(i.at)); err != nil {
		t.Fatal(err)
	}
	expect(t, relay, message, i.at)
	return <-i.from
}

func expect(t *testing.T, relay net.PacketConn, message string, from netip.AddrPort) {
	t.Helper()
	_ = relay.SetReadDeadline(time.Now().Add(timeout))
	b := make([]byte, 2000)
	n, at, err := relay.ReadFrom(b)
	if err != nil || string(b[:n]) != message || at.String() != from.String() {
		t.Fatalf("got %q from %v, %v; want %q from %v", b[:n], at, err, message, from)
	}
}

func TestAway_AnotherInstance_BothWays_AndNobodyElse(t *testing.T) {
	a, b := newInstance(t), newInstance(t)
	s := start(t, nil)
	s.SetOthers([]netip.AddrPort{a.at, b.at})
	_, relay := s.allocate(t, true)
	roundTrip(t, relay, "to our own")
	socket := a.echoes(t, relay, "to one")
	if again := b.echoes(t, relay, "to another"); again != socket {
		t.Errorf("a second socket, %v after %v", again, socket)
	}
	if _, other := s.allocate(t, false); a.echoes(t, other, "of another client") == socket {
		t.Error("two clients have one socket")
	}

	// The socket's port is open to everybody.
	stranger := newInstance(t)
	relayed := netip.AddrPortFrom(a.at.Addr(), socket.Port())
	if _, err := stranger.WriteToUDPAddrPort([]byte("let me in"), relayed); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { return s.Stats().Forbidden == 1 })
	a.echoes(t, relay, "nothing came between")

	// The list has changed: b is gone, and so is what its host was permitted for.
	s.SetOthers([]netip.AddrPort{a.at})
	if _, err := relay.WriteTo([]byte("to one that has gone"), net.UDPAddrFromAddrPort(b.at)); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { return s.Stats().Forbidden == 2 })
	if _, err := b.WriteToUDPAddrPort([]byte("still here"), relayed); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { return s.Stats().Forbidden == 3 })
	a.echoes(t, relay, "nothing came from it")
	if got := len(b.from); got != 0 {
		t.Errorf("%d datagrams reached an instance that is not listed", got)
	}

	_ = relay.Close()
	await(t, func() bool { return s.Stats().Allocations == 1 })
	if again, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.IPv4Unspecified(), socket.Port()))); err != nil {
		t.Errorf("the socket is there after its allocation: %v", err)
	} else {
		_ = again.Close()
	}
}

func TestAway_UnknownHost_Refused(t *testing.T) {
	s := start(t, nil)
	other := newInstance(t)
	client, _ := s.allocate(t, false)
	if err := client.CreatePermission(net.UDPAddrFromAddrPort(other.at)); !hasCode(err, "403") {
		t.Errorf("before it is listed: %v", err)
	}
	s.SetOthers([]netip.AddrPort{other.at})
	if err := client.CreatePermission(net.UDPAddrFromAddrPort(other.at)); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestAway_RateOfAnAllocation_IsOne(t *testing.T) {
	other := newInstance(t)
	s := start(t, func(c *turn.Config) { c.BytesPerSecond = 3000 })
	s.SetOthers([]netip.AddrPort{other.at})
	_, relay := s.allocate(t, false)
	other.echoes(t, relay, "the permission")
	b := make([]byte, 1000)
	for range 10 {
		_, _ = relay.WriteTo(b, net.UDPAddrFromAddrPort(media))
		_, _ = relay.WriteTo(b, net.UDPAddrFromAddrPort(other.at))
	}
	await(t, func() bool { return s.Stats().Dropped > 0 })
	if got := s.Stats(); got.BytesUp > 6000 {
		t.Errorf("Stats: %+v", got)
	}
}
