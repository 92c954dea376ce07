package sfu

import (
	"sync"
	"time"
)

// What a ring keeps: the packets of the last second, as far as their number and their bytes allow. A second of 500 kbit/s
// fits; of 1.4 Mbit/s it is 400 ms, which is several round trips.
const (
	ringTime    = time.Second
	surplusTime = ringTime * 5 / 4 // more than ringTime, so that a bitrate that wavers allocates nothing
	ringPackets = 256
	ringChunks  = 8
	chunkSize   = 9472 // eight packets of up to 1,184 bytes; a size class of Go's allocator
)

// ring keeps a source's last packets by number for retransmission. It holds no memory until the first
// put, nor after clear. In between it grows by a chunk whenever all it has are younger than ringTime, and gives back what a
// falling bitrate leaves over. Its publisher puts and clears, viewers read; mu is a leaf lock.
type ring struct {
	mu      sync.Mutex
	entries []entry // by number modulo ringPackets
	chunks  []chunk
	current int    // the chunk that is being filled
	turns   uint16 // how often a chunk was begun
	found   packet // what with hands out
}

// entry is a packet's place, and what else a retransmission needs of it.
type entry struct {
	number int64
	ts     uint32
	turn   uint16 // of the chunk; another one there means that the bytes are gone
	at     uint16
	size   uint16
	chunk  uint8
	marker bool
	vp8    vp8Descriptor
}

// chunk is memory that is filled from its beginning and then as a whole begun anew.
type chunk struct {
	memory *[chunkSize]byte // nil: not there
	used   int
	turn   uint16
	newest time.Time // of its packets
}

// put copies a packet in and reports whether it is new. One that is older than what its place holds
// counts as not new.
func (r *ring) put(p *packet) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.entries == nil {
		r.entries, r.chunks = make([]entry, ringPackets), make([]chunk, ringChunks)
	}
	e := &r.entries[p.number%ringPackets]
	if e.number >= p.number {
		return false
	}
	c := &r.chunks[r.current]
	if c.memory == nil || c.used+len(p.payload) > chunkSize {
		c = r.begin(p.arrival)
	}
	*e = entry{
		number: p.number, ts: p.ts, marker: p.marker, vp8: p.vp8,
		chunk: uint8(r.current), turn: c.turn, at: uint16(c.used), size: uint16(len(p.payload)),
	}
	c.used += copy(c.memory[c.used:], p.payload)
	c.newest = p.arrival
	return true
}

// begin begins a chunk: the oldest, if it is too old or there are no more to be had, or else a new one.
func (r *ring) begin(now time.Time) *chunk {
	oldest, free := -1, -1
	for i := range r.chunks {
		switch c := &r.chunks[i]; {
		case c.memory == nil:
			free = i
		case oldest < 0 || int16(c.turn-r.chunks[oldest].turn) < 0:
			oldest = i
		}
	}
	if free >= 0 && (oldest < 0 || now.Sub(r.chunks[oldest].newest) <= ringTime) {
		r.current = free
		r.chunks[free].memory = new([chunkSize]byte)
	} else {
		r.current = oldest
		r.shrink(now)
	}
	r.turns++
	c := &r.chunks[r.current]
	c.used, c.turn = 0, r.turns
	return c
}

// shrink gives back the chunks that the one to begin next will not need after itself.
func (r *ring) shrink(now time.Time) {
	for i := range r.chunks {
		if c := &r.chunks[i]; i != r.current && c.memory != nil && now.Sub(c.newest) > surplusTime {
			*c = chunk{}
		}
	}
}

// with calls f with the packet of that number if the ring has it, and reports whether. The packet is
// valid until f returns; its epoch, arrival and level are not kept.
func (r *ring) with(number int64, f func(*packet)) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.entries == nil || number < 1 {
		return false
	}
	e := &r.entries[number%ringPackets]
	c := &r.chunks[e.chunk]
	if e.number != number || c.memory == nil || c.turn != e.turn {
		return false
	}
	r.found = packet{number: e.number, ts: e.ts, marker: e.marker, vp8: e.vp8, payload: c.memory[e.at : e.at+e.size]}
	f(&r.found)
	r.found.payload = nil
	return true
}

// clear drops all packets and the memory.
func (r *ring) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entries, r.chunks = nil, nil
}
