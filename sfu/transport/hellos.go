package transport

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

const (
	// helloCells bounds what is remembered of addresses, in 32 kB. Two that fall into one cell share its rate; who floods cannot
	// choose whose, because the seed is secret.
	helloCells = 4096
	// helloShare is the part of Config.Handshakes that one address may have under way: whoever begins many and never goes on
	// leaves the rest to others.
	helloShare = 2
)

// hellos bounds the handshakes of one address, in number and in rate. An IPv6 host picks its address from a /64 (RFC 4291
// section 2.5.4), which counts as one. Safe for concurrent use.
//
// The rate is a virtual schedule (ITU-T I.371's GCRA): each handshake is due one interval after the one before, and may come
// early by a burst's worth of intervals.
type hellos struct {
	most     int           // under way
	interval time.Duration // between handshakes, in the long run
	early    time.Duration
	seed     maphash.Seed

	mu    sync.Mutex
	under map[netip.Addr]int // absent: none; Config.Handshakes entries at most
	due   [helloCells]time.Duration
}

func newHellos(cfg Config) *hellos {
	interval := time.Second / time.Duration(cfg.HandshakeRate)
	return &hellos{
		most: max(cfg.Handshakes/helloShare, 1), interval: interval, early: interval * time.Duration(cfg.HandshakeBurst),
		seed: maphash.MakeSeed(), under: map[netip.Addr]int{},
	}
}

// begin tells whether a handshake with addr may begin now. If so, end has to follow.
func (h *hellos) begin(addr netip.Addr, now time.Duration) bool {
	host := hostOf(addr)
	h.mu.Lock()
	defer h.mu.Unlock()
	cell := &h.due[maphash.Comparable(h.seed, host)%helloCells]
	due := max(*cell, now) + h.interval
	if due-now > h.early || h.under[host] >= h.most {
		return false
	}
	*cell = due
	h.under[host]++
	return true
}

func (h *hellos) end(addr netip.Addr) {
	host := hostOf(addr)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.under[host]--; h.under[host] == 0 {
		delete(h.under, host)
	}
}

// hostOf returns what stands for the host that has an address.
func hostOf(addr netip.Addr) netip.Addr {
	addr = addr.Unmap().WithZone("")
	if addr.Is6() {
		return netip.PrefixFrom(addr, 64).Masked().Addr()
	}
	return addr
}
