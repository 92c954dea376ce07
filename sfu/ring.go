package sfu

import "sync"

// ringSize is how many packets a source keeps: about a second of 2.5 Mbit/s.
const ringSize = 256

// ring keeps a source's last packets by number for retransmission. It holds no memory until the first
// put, nor after clear. Its publisher puts and clears, viewers read; mu is a leaf lock.
type ring struct {
	mu      sync.Mutex
	entries []packet // by number modulo ringSize; each keeps its buffer
}

// put copies a packet in and reports whether it is new. One that is older than what its place holds
// counts as not new.
func (r *ring) put(p *packet) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.entries == nil {
		r.entries = make([]packet, ringSize)
	}
	e := &r.entries[p.number%ringSize]
	if e.number >= p.number {
		return false
	}
	buf := append(e.payload[:0], p.payload...)
	*e = *p
	e.payload = buf
	return true
}

// with calls f with the packet of that number if the ring has it, and reports whether. The packet is
// valid until f returns.
func (r *ring) with(number int64, f func(*packet)) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.entries == nil || number < 1 {
		return false
	}
	e := &r.entries[number%ringSize]
	if e.number != number {
		return false
	}
	f(e)
	return true
}

// clear drops all packets and the memory.
func (r *ring) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entries = nil
}
