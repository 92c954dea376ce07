package transport

import (
	"net/netip"
	"slices"
	"testing"
)

// clientAddr stands for some client's address.
var clientAddr = netip.MustParseAddrPort("192.0.2.1:5000")

func candidatesOf(t testing.TB) []netip.AddrPort {
	t.Helper()
	cs, err := candidates(Config{Loopback: true}, netip.MustParseAddrPort("127.0.0.1:1"))
	if err != nil {
		t.Fatal(err)
	}
	return cs
}

func TestCandidates(t *testing.T) {
	public, six := netip.MustParseAddr("203.0.113.7"), netip.MustParseAddr("2001:db8::7")
	for name, tc := range map[string]struct {
		cfg    Config
		socket string
		want   []string
	}{
		"the socket's own": {Config{}, "127.0.0.1:5000", []string{"127.0.0.1:5000"}},
		"advertised": {
			Config{Advertise: []netip.Addr{public, six}, AdvertisePort: 443},
			"[::]:5000",
			[]string{"203.0.113.7:443", "[2001:db8::7]:443"},
		},
		"advertised on the socket's port": {Config{Advertise: []netip.Addr{public}}, "0.0.0.0:5000", []string{"203.0.113.7:5000"}},
	} {
		got, err := candidates(tc.cfg, netip.MustParseAddrPort(tc.socket))
		if err != nil {
			t.Fatal(err)
		}
		want := make([]netip.AddrPort, len(tc.want))
		for i, w := range tc.want {
			want[i] = netip.MustParseAddrPort(w)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

func TestCandidates_OfTheMachine_LoopbackOnlyIfWanted(t *testing.T) {
	with, err := candidates(Config{Loopback: true}, netip.MustParseAddrPort("0.0.0.0:5000"))
	if err != nil {
		t.Fatal(err)
	}
	loopback := netip.MustParseAddrPort("127.0.0.1:5000")
	if !slices.Contains(with, loopback) {
		t.Errorf("%v lacks loopback", with)
	}
	without, err := candidates(Config{}, netip.MustParseAddrPort("0.0.0.0:5000"))
	if err != nil {
		t.Fatal(err)
	}
	if len(without) == 0 || len(without) > 1 && slices.Contains(without, loopback) {
		t.Errorf("not wanted, but %v", without)
	}
}

func TestCandidateLine_PriorityFallsWithTheOrder(t *testing.T) {
	a := netip.MustParseAddrPort("203.0.113.7:443")
	if got := candidateLine(0, a); got != "1 1 udp 2130706431 203.0.113.7 443 typ host" {
		t.Error(got)
	}
	if got := candidateLine(1, a); got != "2 1 udp 2130706175 203.0.113.7 443 typ host" {
		t.Error(got)
	}
}
