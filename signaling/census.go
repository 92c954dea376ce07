package signaling

import (
	"slices"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/anteroom/anteroom/rooms"
)

// phases are all that a visit goes through.
var phases = []rooms.Phase{
	rooms.PhaseScheduled, rooms.PhaseWaiting, rooms.PhaseActive, rooms.PhaseHeld, rooms.PhaseEnded, rooms.PhaseCancelled, rooms.PhaseNoShow,
	rooms.PhaseMoved,
}

// census counts the visits of the waiting rooms in use, by phase, until they are erased. Actors write, anybody reads.
type census [8]atomic.Int64

// moved notes that a visit changed from one value to another; nil: it is not there, or no more.
func (c *census) moved(from, to *rooms.Visit) {
	if from != nil {
		c.add(from.Phase, -1)
	}
	if to != nil {
		c.add(to.Phase, 1)
	}
}

func (c *census) add(p rooms.Phase, n int64) {
	if i := slices.Index(phases, p); i >= 0 {
		c[i].Add(n)
	}
}

// gauges show the census.
func (c *census) gauges() []prometheus.Collector {
	var all []prometheus.Collector
	for i, p := range phases {
		all = append(all, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "anteroom_visits", Help: "Visits of the waiting rooms in use now, by phase, until they are erased.",
			ConstLabels: prometheus.Labels{"phase": string(p)},
		}, func() float64 { return float64(c[i].Load()) }))
	}
	return all
}
