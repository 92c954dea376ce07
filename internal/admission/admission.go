// Package admission decides whether an instance takes new media on: by its media connections, by its own processor time and by
// the packets it forwards.
//
// It owns the bounds, the window over which load is measured, and the hysteresis. It must not know what is asked for; who is in
// a visit under way is not asked here at all.
package admission

import (
	"math/rand/v2"
	"sync"
	"time"
)

const (
	// Window is over how long load is measured: a burst of keyframes is no load.
	Window = 5 * time.Second
	// Every is how often Observe is to be called.
	Every = time.Second
	// reopen is the part of a bound below which load has to fall before anybody is taken again, so that the same load does
	// not let in and turn away by turns.
	reopen = 0.9

	leastWait, waitSpread = 10, 10 // seconds; spread, so that those who were turned away do not come back together
)

// Bounds are what an instance may carry. 0 is no bound.
type Bounds struct {
	Peers   int     // media connections
	CPU     float64 // part of the processors that Go may use
	Packets float64 // forwarded in a second
}

// Load is what an instance carries, as counters and as numbers of now.
type Load struct {
	Peers   int
	CPU     time.Duration // spent by the process since its start, of all processors
	Packets uint64        // forwarded since the start
}

// Use is how much there is of each bound.
type Use struct {
	Peers        int
	CPU, Packets float64
}

// Reason names a bound, for metrics.
type Reason string

// The reasons to turn somebody away.
const (
	Peers   Reason = "peers"
	CPU     Reason = "cpu"
	Packets Reason = "packets"
)

// Gate lets new media in or not. Safe for concurrent use.
type Gate struct {
	bounds     Bounds
	processors float64

	mu      sync.Mutex
	samples []sample // of the last Window, oldest first
	use     Use
	shut    map[Reason]bool
	refused map[Reason]uint64
}

type sample struct {
	at   time.Time
	load Load
}

// New makes a gate that is open, for a process that may use so many processors.
func New(b Bounds, processors int) *Gate {
	return &Gate{bounds: b, processors: float64(max(processors, 1)), shut: map[Reason]bool{}, refused: map[Reason]uint64{}}
}

// Observe takes the load of now in.
func (g *Gate) Observe(now time.Time, load Load) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.samples = append(g.samples, sample{now, load})
	for len(g.samples) > 2 && now.Sub(g.samples[1].at) >= Window {
		g.samples = g.samples[1:]
	}
	g.use.Peers = load.Peers
	if first := g.samples[0]; now.After(first.at) {
		seconds := now.Sub(first.at).Seconds()
		g.use.CPU = (load.CPU - first.load.CPU).Seconds() / seconds / g.processors
		g.use.Packets = float64(load.Packets-min(first.load.Packets, load.Packets)) / seconds
	}
	g.turn(Peers, float64(g.use.Peers), float64(g.bounds.Peers))
	g.turn(CPU, g.use.CPU, g.bounds.CPU)
	g.turn(Packets, g.use.Packets, g.bounds.Packets)
}

// turn shuts the gate at a bound, and opens it again well below.
func (g *Gate) turn(r Reason, use, bound float64) {
	switch {
	case bound == 0:
	case use >= bound:
		g.shut[r] = true
	case use < reopen*bound:
		g.shut[r] = false
	}
}

// Admit tells whether something new may be taken on, and if not, after how long to ask again. connection says that it is a
// media connection more, of which each that is let in counts until the next Observe sees it, for many may come in between.
func (g *Gate) Admit(connection bool) (again time.Duration, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	reasons := []Reason{CPU, Packets}
	if connection {
		g.turn(Peers, float64(g.use.Peers), float64(g.bounds.Peers))
		reasons = append(reasons, Peers)
	}
	ok = true
	for _, r := range reasons {
		if g.shut[r] {
			g.refused[r]++
			ok = false
		}
	}
	switch {
	case !ok:
		return time.Duration(leastWait+rand.IntN(waitSpread+1)) * time.Second, false
	case connection:
		g.use.Peers++
	}
	return 0, true
}

// Use is how much there is now, measured over Window.
func (g *Gate) Use() Use {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.use
}

// Refused is how often each bound has turned somebody away.
func (g *Gate) Refused(r Reason) uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.refused[r]
}
