package sfu

import (
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// conditions are what a path does to packets.
type conditions struct {
	seed                     uint64
	loss, duplicate, reorder float64       // shares of the packets
	jitter                   time.Duration // each packet is late by up to this
}

// straggle is how much later than others a packet comes that is reordered on purpose.
const straggle = 60 * time.Millisecond

// part is what a packet is of, as far as paths and their notes are concerned.
type part uint8

const (
	partAudio part = iota
	partVideo
	partRTX // numbered by what it repeats
	partRTCP
)

// parcel names a packet: the same in every run, so that a seed decides about the same packets.
type parcel struct {
	of     part
	number uint16
}

// path is one direction of one client's network. It notes what it was given and what it delivered.
type path struct {
	salt uint64 // tells the directions of one seed apart

	mu sync.Mutex
	conditions
	closed    bool
	given     map[parcel]int
	delivered map[parcel]int // duplicates not counted
	pending   int
	underWay  sync.WaitGroup
}

// newPath returns a path that impairs nothing yet.
func newPath(salt uint64) *path {
	return &path{salt: salt, given: make(map[parcel]int), delivered: make(map[parcel]int)}
}

// carry lets send happen never, once or twice, and late. What is not impaired stays in order.
func (p *path) carry(what parcel, send func()) {
	if p.impair(what, send) {
		return
	}
	send()
}

// impair reports whether the packet is no longer to be sent by the caller.
func (p *path) impair(what parcel, send func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return true
	}
	if p.conditions == (conditions{}) {
		p.delivered[what]++
		return false
	}
	again := p.given[what]
	p.given[what]++
	name := uint64(what.of)<<32 | uint64(what.number)<<16 | uint64(again)
	fate := rand.New(rand.NewPCG(p.seed<<8|p.salt, name))
	if fate.Float64() < p.loss {
		return true
	}
	copies := 1
	if fate.Float64() < p.duplicate {
		copies = 2
	}
	for i := range copies {
		late := time.Duration(fate.Float64() * float64(p.jitter))
		if fate.Float64() < p.reorder {
			late += straggle
		}
		p.pending++
		p.underWay.Add(1)
		time.AfterFunc(late, func() {
			defer p.underWay.Done()
			p.mu.Lock()
			p.pending--
			if i == 0 {
				p.delivered[what]++
			}
			p.mu.Unlock()
			send()
		})
	}
	return true
}

// become changes the conditions.
func (p *path) become(c conditions) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conditions = c
}

// close waits for what is under way; nothing more is carried.
func (p *path) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.underWay.Wait()
}

// got returns how often a packet was delivered, duplicates not counted.
func (p *path) got(what parcel) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.delivered[what]
}

// empty reports whether nothing is under way.
func (p *path) empty() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pending == 0
}

// count returns how many packets of a part were delivered, duplicates not counted.
func (p *path) count(of part) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for what, times := range p.delivered {
		if what.of == of {
			n += times
		}
	}
	return n
}

// distinct returns how many numbers from first on were delivered as one of the parts.
func (p *path) distinct(first uint16, parts ...part) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	numbers := make(map[uint16]struct{})
	for what := range p.delivered {
		if what.number >= first && slices.Contains(parts, what.of) {
			numbers[what.number] = struct{}{}
		}
	}
	return len(numbers)
}
