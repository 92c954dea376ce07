package transport

import (
	"net/netip"
	"testing"
	"time"
)

func limits(handshakes, rate, burst int) *hellos {
	return newHellos(Config{Handshakes: handshakes, HandshakeRate: rate, HandshakeBurst: burst})
}

// beginMany begins and ends n handshakes and returns how many were let in.
func beginMany(h *hellos, n int, addr string, now time.Duration) (taken int) {
	a := netip.MustParseAddr(addr)
	for range n {
		if h.begin(a, now) {
			h.end(a)
			taken++
		}
	}
	return taken
}

func TestHellos_OneAddress_HasABurstAndARate(t *testing.T) {
	h := limits(64, 20, 30)
	for _, step := range []struct {
		at   time.Duration
		want int
	}{
		{0, 30},
		{49 * time.Millisecond, 0},
		{50 * time.Millisecond, 1},
		{time.Second, 19},
		{time.Hour, 30},
	} {
		if got := beginMany(h, 100, "192.0.2.1", step.at); got != step.want {
			t.Errorf("%d begun at %v, want %d", got, step.at, step.want)
		}
	}
}

func TestHellos_WhatCountsAsOneAddress(t *testing.T) {
	for name, tc := range map[string]struct {
		first, second string
		same          bool
	}{
		"two of IPv4":           {"192.0.2.1", "192.0.2.2", false},
		"IPv4 in IPv6's form":   {"192.0.2.1", "::ffff:192.0.2.1", true},
		"two of one IPv6 /64":   {"2001:db8::1", "2001:db8::ffff:0:0:1", true},
		"two of two IPv6 /64":   {"2001:db8::1", "2001:db8:0:1::1", false},
		"of one link, by zones": {"fe80::1%a", "fe80::1%b", true},
	} {
		h := limits(64, 20, 30)
		beginMany(h, 30, tc.first, 0)
		if got := beginMany(h, 1, tc.second, 0); (got == 0) != tc.same {
			t.Errorf("%s: %d of the second begun when the first had none left", name, got)
		}
	}
}

func TestHellos_BegunAndNeverFinished_LeaveHalfToOthers(t *testing.T) {
	h := limits(8, 1000, 1000)
	silent, other := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	for i := range 8 {
		if got, want := h.begin(silent, 0), i < 4; got != want {
			t.Fatalf("handshake %d: %v", i, got)
		}
	}
	if !h.begin(other, 0) {
		t.Error("another address has none")
	}
	h.end(silent)
	if !h.begin(silent, 0) {
		t.Error("the end of one makes no room for the next")
	}
	for range 4 {
		h.end(silent)
	}
	h.end(other)
	if len(h.under) != 0 {
		t.Errorf("%v is kept", h.under)
	}
}

// However many addresses come, the memory is what it was: only a few of them share a cell.
func TestHellos_ManyAddresses_FewAreTakenForAnother(t *testing.T) {
	h := limits(64, 20, 1)
	taken := 0
	for i := range 400 {
		taken += beginMany(h, 1, netip.AddrFrom4([4]byte{192, 0, byte(i >> 8), byte(i)}).String(), 0)
	}
	if taken < 340 { // 19 share a cell on average, with a deviation of 4
		t.Errorf("%d of 400 addresses have a burst of their own", taken)
	}
}
