package api

import (
	"net/netip"
	"sync"
	"time"
)

// What one address may ask without a key: a clinic's patients and staff may sit behind one, so the burst is wide.
// A failure costs more, because who tries tokens fails.
const (
	JoinBurst     = 300
	JoinPerSecond = 30
	joinFailure   = 10
	MaxAddresses  = 10_000 // remembered at once
)

// limiter is a token bucket for each address. Safe for concurrent use.
type limiter struct {
	now func() time.Time

	mu      sync.Mutex
	buckets map[netip.Addr]bucket // absent: full
}

type bucket struct {
	level float64
	at    time.Time
}

func newLimiter(now func() time.Time) *limiter {
	return &limiter{now: now, buckets: make(map[netip.Addr]bucket)}
}

// take spends n of an address and tells whether there was any left before. An IPv6 host picks its address from a /64
// (RFC 4291 section 2.5.4), which counts as one.
func (l *limiter) take(addr netip.Addr, n float64) bool {
	addr = addr.Unmap().WithZone("")
	if addr.Is6() {
		addr = netip.PrefixFrom(addr, 64).Masked().Addr()
	}
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	b, known := l.buckets[addr]
	if !known {
		l.makeRoom(now)
		b = bucket{JoinBurst, now}
	}
	level := b.refilled(now)
	if level < 1 {
		l.buckets[addr] = bucket{level, now}
		return false
	}
	l.buckets[addr] = bucket{max(level-n, 0), now}
	return true
}

func (b bucket) refilled(now time.Time) float64 {
	return min(b.level+max(now.Sub(b.at).Seconds(), 0)*JoinPerSecond, JoinBurst)
}

// makeRoom forgets full buckets and, if that is not enough, all: whoever floods from ten thousand networks is not
// held by this anyway.
func (l *limiter) makeRoom(now time.Time) {
	if len(l.buckets) < MaxAddresses {
		return
	}
	for addr, b := range l.buckets {
		if b.refilled(now) >= JoinBurst {
			delete(l.buckets, addr)
		}
	}
	if len(l.buckets) >= MaxAddresses {
		clear(l.buckets)
	}
}
