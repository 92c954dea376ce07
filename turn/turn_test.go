package turn_test

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v4"
	pion "github.com/pion/turn/v5"
	"go.uber.org/goleak"

	"github.com/anteroom/anteroom/turn"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRelay_ByTCPAndTLS_BothWays(t *testing.T) {
	s := start(t, nil)
	for name, secure := range map[string]bool{"tcp": false, "tls": true} {
		t.Run(name, func(t *testing.T) {
			_, relay := s.allocate(t, secure)
			if !strings.HasPrefix(relay.LocalAddr().String(), "192.0.2.1:") {
				t.Errorf("relayed address %v is not the pipe's", relay.LocalAddr())
			}
			for _, m := range []string{"first", "second", strings.Repeat("x", 1400)} {
				roundTrip(t, relay, m)
			}
		})
	}
	if got := s.Stats(); got.Allocated != 2 || got.BytesUp != 2*1411 || got.BytesDown != got.BytesUp ||
		got.Denied+got.Forbidden+got.Dropped+got.OverQuota != 0 {
		t.Errorf("Stats: %+v", got)
	}
}

func TestAllocate_BadCredentials_Refused(t *testing.T) {
	s := start(t, nil)
	for name, spoil := range map[string]func(*pion.ClientConfig){
		"wrong password": func(c *pion.ClientConfig) { c.Password = "guess" },
		"expired": func(c *pion.ClientConfig) {
			c.Username, c.Password = s.Credentials(seat, time.Hour, time.Now().Add(-time.Hour))
		},
		"another's name":    func(c *pion.ClientConfig) { c.Username += "x" },
		"longer by forgery": func(c *pion.ClientConfig) { c.Username = "9" + c.Username },
		"no expiry":         func(c *pion.ClientConfig) { c.Username = seat },
	} {
		t.Run(name, func(t *testing.T) {
			before := s.Stats().Denied
			_, err := allocate(t, s.connect(t, s.dial(t, false), spoil))
			if !hasCode(err, "401") {
				t.Errorf("Allocate: %v, want 401", err)
			}
			if s.Stats().Denied == before {
				t.Error("not counted")
			}
		})
	}
	if got := s.Stats(); got.Allocated != 0 {
		t.Errorf("Stats: %+v", got)
	}
}

func TestPermission_ForAnotherHost_Refused(t *testing.T) {
	s := start(t, nil)
	for _, peer := range []string{"203.0.113.9:4000", "127.0.0.1:4000", "10.0.0.1:443", "169.254.169.254:80"} {
		client, _ := s.allocate(t, false)
		addr := net.UDPAddrFromAddrPort(netip.MustParseAddrPort(peer))
		if err := client.CreatePermission(addr); !hasCode(err, "403") {
			t.Errorf("%s: %v, want 403", peer, err)
		}
	}
	if got := s.Stats(); got.Forbidden != 4 {
		t.Errorf("Stats: %+v", got)
	}
}

func TestSend_WithoutPermission_NotRelayed(t *testing.T) {
	s := start(t, nil)
	client, relay := s.allocate(t, false)
	if err := client.CreatePermission(net.UDPAddrFromAddrPort(media)); err != nil {
		t.Fatal(err)
	}
	if _, err := relay.WriteTo([]byte("out"), net.UDPAddrFromAddrPort(elsewhere)); err == nil {
		t.Error("sent to another host")
	}
	roundTrip(t, relay, "to our host")
	if got := s.echoes.received(); len(got) != 1 {
		t.Errorf("relayed %q", got)
	}
}

func TestSend_ToAnotherPortOfOurHost_NotRelayed(t *testing.T) {
	s := start(t, nil)
	user, password := s.Credentials(seat, time.Hour, time.Now())
	raw := newRaw(t, s.dial(t, false), user, password)
	raw.request(stun.MethodAllocate, udpTransport)
	if got := raw.request(stun.MethodCreatePermission, peerAddress(otherPort)); got.Type.Class != stun.ClassSuccessResponse {
		t.Fatalf("CreatePermission: %v", got) // permissions are by host
	}
	raw.send(stun.MethodSend, stun.ClassIndication, peerAddress(otherPort), data("out"))
	raw.send(stun.MethodSend, stun.ClassIndication, peerAddress(media), data("in"))
	if got := raw.read(); got.Type.Method != stun.MethodData {
		t.Errorf("got %v, want the echo", got)
	}
	if got := s.echoes.received(); len(got) != 1 || string(got[0]) != "in" {
		t.Errorf("relayed %q", got)
	}
	if got := s.Stats(); got.Forbidden != 1 {
		t.Errorf("Stats: %+v", got)
	}
}

func TestChannel_ToAnotherPortOfOurHost_EndsConnection(t *testing.T) {
	s := start(t, nil)
	user, password := s.Credentials(seat, time.Hour, time.Now())
	c := s.dial(t, false)
	raw := newRaw(t, c, user, password)
	raw.request(stun.MethodAllocate, udpTransport)
	raw.send(stun.MethodChannelBind, stun.ClassRequest, append(raw.auth(),
		attribute(stun.AttrChannelNumber, []byte{0x40, 0, 0, 0}), peerAddress(otherPort), raw.integrity)...)
	closedByServer(t, c)
	if got := s.Stats(); got.Forbidden != 1 {
		t.Errorf("Stats: %+v", got)
	}
}

func TestAllocate_TCPOrIPv6_Refused(t *testing.T) {
	s := start(t, nil)
	if _, err := s.connect(t, s.dial(t, false), nil).AllocateTCP(); !hasCode(err, "508") {
		t.Errorf("AllocateTCP: %v, want 508", err)
	}
	client := s.connect(t, s.dial(t, false), func(c *pion.ClientConfig) {
		c.RequestedAddressFamily = pion.RequestedAddressFamilyIPv6
	})
	if _, err := allocate(t, client); !hasCode(err, "508") {
		t.Errorf("IPv6: %v, want 508", err)
	}
	if got := s.Stats(); got.Allocated != 0 || got.Allocations != 0 {
		t.Errorf("Stats: %+v", got)
	}
}

func TestQuota_OfOneID_CountsAllItsCredentials(t *testing.T) {
	s := start(t, func(c *turn.Config) { c.PerID = 2 })
	later := func(c *pion.ClientConfig) {
		c.Username, c.Password = s.Credentials(seat, 2*time.Hour, time.Now())
	}
	_, first := s.allocate(t, false)
	if _, err := allocate(t, s.connect(t, s.dial(t, true), later)); err != nil {
		t.Fatal(err)
	}
	if _, err := allocate(t, s.connect(t, s.dial(t, false), later)); !hasCode(err, "486") {
		t.Errorf("the third: %v, want 486", err)
	}
	other := s.connect(t, s.dial(t, false), func(c *pion.ClientConfig) {
		c.Username, c.Password = s.Credentials("another", time.Hour, time.Now())
	})
	if _, err := allocate(t, other); err != nil {
		t.Errorf("another seat: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { return s.Stats().Allocations == 2 })
	if _, err := allocate(t, s.connect(t, s.dial(t, false), later)); err != nil {
		t.Errorf("after one was freed: %v", err)
	}
	if got := s.Stats(); got.OverQuota != 1 {
		t.Errorf("Stats: %+v", got)
	}
}

func TestQuota_InAll(t *testing.T) {
	s := start(t, func(c *turn.Config) { c.Allocations = 1 })
	client, _ := s.allocate(t, false)
	other := s.connect(t, s.dial(t, false), func(c *pion.ClientConfig) {
		c.Username, c.Password = s.Credentials("another", time.Hour, time.Now())
	})
	if _, err := allocate(t, other); !hasCode(err, "486") {
		t.Errorf("the second: %v, want 486", err)
	}
	client.Close()
}

func TestConnectionGone_AllocationEnds(t *testing.T) {
	s := start(t, nil)
	c := s.dial(t, true)
	if _, err := allocate(t, s.connect(t, c, nil)); err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	await(t, func() bool { got := s.Stats(); return got.Allocations == 0 && got.Connections == 0 })
}

func TestRate_Exceeded_DropsBothWays(t *testing.T) {
	s := start(t, func(c *turn.Config) { c.BytesPerSecond = 3000 })
	client, relay := s.allocate(t, false)
	if err := client.CreatePermission(net.UDPAddrFromAddrPort(media)); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for range 10 {
		if _, err := relay.WriteTo(make([]byte, 1000), net.UDPAddrFromAddrPort(media)); err != nil {
			t.Fatal(err)
		}
	}
	await(t, func() bool { got := s.Stats(); return got.BytesUp/1000+got.Dropped >= 10 })
	got := s.Stats()
	if most := 3000 * (1 + time.Since(began).Seconds()); got.Dropped == 0 || float64(got.BytesUp) > most {
		t.Errorf("%.0f bytes allowed: %+v", most, got)
	}
}

func TestConnection_WithoutAllocationOrWholeMessages_Ends(t *testing.T) {
	s := start(t, func(c *turn.Config) { c.Idle = 300 * time.Millisecond })
	binding := stun.MustBuild(stun.TransactionID, stun.BindingRequest).Raw
	for name, talk := range map[string]func(net.Conn) error{
		"half a message": func(c net.Conn) error { _, err := c.Write(binding[:7]); return err },
		"by bytes": func(c net.Conn) error {
			_, err := c.Write([]byte{0, 1, 5, 0})
			for tick := time.NewTicker(10 * time.Millisecond); err == nil; <-tick.C {
				_, err = c.Write([]byte{0})
			}
			return nil
		},
		"bindings only": func(c net.Conn) error {
			_, err := c.Write(binding)
			for tick := time.NewTicker(10 * time.Millisecond); err == nil; <-tick.C {
				_, err = c.Write(binding)
			}
			return nil
		},
		"too long":  func(c net.Conn) error { _, err := c.Write([]byte{0, 1, 0xff, 0xfc}); return err },
		"no header": func(c net.Conn) error { _, err := c.Write([]byte{0, 1, 0, 0, 1, 2, 3, 4}); return err },
	} {
		t.Run(name, func(t *testing.T) {
			c := s.dial(t, false)
			if err := talk(c); err != nil {
				t.Fatal(err)
			}
			closedByServer(t, c)
		})
	}
}

func TestIdleAllocation_Ends(t *testing.T) {
	s := start(t, func(c *turn.Config) { c.Idle = 300 * time.Millisecond })
	s.allocate(t, false)
	await(t, func() bool { return s.Stats().Allocations == 0 })
}

func TestAnswers_NameNoSoftware(t *testing.T) {
	s := start(t, nil)
	user, password := s.Credentials(seat, time.Hour, time.Now())
	raw := newRaw(t, s.dial(t, false), user, password)
	for _, m := range []*stun.Message{raw.challenge, raw.request(stun.MethodAllocate, udpTransport)} {
		if m.Contains(stun.AttrSoftware) {
			t.Errorf("%v has SOFTWARE", m)
		}
	}
}

// A pipe that never stops and a client that never reads.
type flood struct{ *echo }

func (f flood) ReadFrom(p []byte) (int, net.Addr, error) {
	select {
	case <-f.done:
		return 0, nil, net.ErrClosed
	default:
		return copy(p, make([]byte, 1200)), net.UDPAddrFromAddrPort(media), nil
	}
}

func TestClose_ClientThatDoesNotRead_EndsAtOnce(t *testing.T) {
	s := start(t, nil)
	flooded := start(t, func(c *turn.Config) {
		c.BytesPerSecond = 1 << 30
		c.Pipe = func() (turn.Path, error) {
			p, err := s.echoes.pipe()
			return flood{p.(*echo)}, err
		}
	})
	user, password := flooded.Credentials(seat, time.Hour, time.Now())
	raw := newRaw(t, flooded.dial(t, true), user, password)
	raw.request(stun.MethodAllocate, udpTransport)
	raw.send(stun.MethodCreatePermission, stun.ClassRequest, append(raw.auth(), peerAddress(media), raw.integrity)...)
	var before uint64
	await(t, func() bool { // until the connection is full and the relay stands still
		now := flooded.Stats().BytesDown
		full := now > 0 && now == before
		before = now
		return full
	})
	began := time.Now()
	if err := flooded.Close(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("Close took %v", took)
	}
}

func TestClose_WithAllocations_EndsAll(t *testing.T) {
	s := start(t, nil)
	conns := []net.Conn{s.dial(t, false), s.dial(t, true), s.dial(t, false)}
	for _, c := range conns[:2] {
		if _, err := allocate(t, s.connect(t, c, nil)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	closedByServer(t, conns[0])
	closedByServer(t, conns[1])
}

func TestNew_BadConfig_Refused(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	good := turn.Config{
		Listener: l, Realm: realm, Secret: make([]byte, 20),
		Peers: []netip.AddrPort{media}, Pipe: (&echoes{}).pipe,
	}
	for name, spoil := range map[string]func(*turn.Config){
		"no listener":    func(c *turn.Config) { c.Listener = nil },
		"no realm":       func(c *turn.Config) { c.Realm = "" },
		"short secret":   func(c *turn.Config) { c.Secret = c.Secret[:19] },
		"no peers":       func(c *turn.Config) { c.Peers = nil },
		"no pipe":        func(c *turn.Config) { c.Pipe = nil },
		"negative limit": func(c *turn.Config) { c.PerID = -1 },
	} {
		c := good
		spoil(&c)
		if _, err := turn.New(c); !errors.Is(err, turn.ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// await polls a counter until it is as wanted: nothing announces its change.
func await(t *testing.T, done func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(timeout); !done(); <-tick.C {
		if time.Now().After(end) {
			t.Fatal("it never became so")
		}
	}
}
