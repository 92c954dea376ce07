package sfu

import (
	"sync"
	"sync/atomic"
	"time"
)

// serverClock is the clock of all our sender reports: the wall time when the SFU began, carried on by
// the monotonic clock, so that it never steps.
type serverClock struct{ began time.Time }

// since returns the time since the clock began.
func (c serverClock) since(t time.Time) time.Duration { return t.Sub(c.began) }

// nanos returns t as nanoseconds since 1900, the NTP era's start.
func (c serverClock) nanos(t time.Time) int64 {
	return c.began.UnixNano() + int64(c.since(t)) + ntpEpoch
}

// ntpEpoch is 1970 in nanoseconds since 1900.
const ntpEpoch = 2208988800 * int64(time.Second)

// toNTP returns nanoseconds since 1900 as an NTP timestamp (RFC 3550 section 4).
func toNTP(nanos int64) uint64 {
	s := int64(time.Second)
	return uint64(nanos/s)<<32 | uint64(nanos%s)<<32/uint64(s)
}

// fromNTP is the inverse of toNTP, to the nanosecond below.
func fromNTP(ntp uint64) int64 {
	s := uint64(time.Second)
	return int64(ntp>>32*s + ntp&0xffffffff*s>>32)
}

// middle32 returns the part of an NTP timestamp that reports echo (RFC 3550 section 6.4.1).
func middle32(ntp uint64) uint32 { return uint32(ntp >> 16) }

// ticks converts a duration to RTP clock ticks without overflow over days.
func ticks(d time.Duration, rate int64) int64 {
	return int64(d/time.Second)*rate + int64(d%time.Second)*rate/int64(time.Second)
}

// senderClock ties a source's RTP timestamps to its publisher's own clock, as a sender report did.
type senderClock struct {
	ntp      uint64 // as sent, to be echoed
	nanos    int64  // the same since 1900
	rtp      uint32
	received time.Time
}

// timestamp returns the source's RTP timestamp at a time of the server's clock, in nanoseconds since
// 1900, where offset is the server's clock minus the publisher's.
func (c *senderClock) timestamp(nanos, offset, rate int64) uint32 {
	return c.rtp + uint32(ticks(time.Duration(nanos-offset-c.nanos), rate))
}

// latestClock is what a source's last sender report said. It is safe for concurrent use; its lock is a leaf.
type latestClock struct {
	mu    sync.Mutex
	known bool
	clock senderClock
}

func (l *latestClock) load() (clock senderClock, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.clock, l.known
}

func (l *latestClock) isKnown() bool {
	_, known := l.load()
	return known
}

func (l *latestClock) store(c senderClock) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clock, l.known = c, true
}

func (l *latestClock) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.known = false
}

// clockOffset estimates the server's clock minus a publisher's. There is one for all of a publisher's
// sources, so that it may be wrong by the network's delay and yet keep lips and voice together.
type clockOffset struct {
	known bool
	nanos atomic.Int64
}

// A publisher's clock that seems to have moved by more than maxClockStep did.
const maxClockStep = time.Second

// observe takes the difference that a sender report shows: the true one plus the report's delay on the
// way. So the least counts at once, and more only slowly, for clocks that drift. It tells whether one of the two clocks was set
// or stood still, so that what was said before is of another clock.
func (o *clockOffset) observe(nanos int64) (moved bool) {
	rise := nanos - o.nanos.Load()
	moved = o.known && (rise >= int64(maxClockStep) || rise <= -int64(maxClockStep))
	if o.known && rise > 0 && !moved {
		rise /= 16
	}
	o.known = true
	o.nanos.Add(rise)
	return moved
}
