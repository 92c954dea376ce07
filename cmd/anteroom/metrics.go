package main

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// collector reads the counters that the parts keep themselves, when they are asked for.
type collector struct {
	s       *server
	now     map[string]*prometheus.Desc
	counted map[string]*prometheus.Desc
}

// newCollector describes everything once. Labels have fixed values: nothing of a person or a visit.
func newCollector(s *server) *collector {
	s.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("anteroom_"+name, help, []string{"what"}, nil)
	}
	return &collector{s: s, now: map[string]*prometheus.Desc{
		"sfu":  desc("media", "Media connections and routes now."),
		"edge": desc("port_connections", "TCP connections of the public port now."),
		"turn": desc("turn", "TURN connections and allocations now."),
	}, counted: map[string]*prometheus.Desc{
		"sfu":       desc("media_packets_total", "Media packets, by what became of them."),
		"transport": desc("media_discarded_total", "Datagrams and handshakes that the media port did not take."),
		"edge":      desc("port_connections_total", "TCP connections of the public port, by what became of them."),
		"turn":      desc("turn_events_total", "TURN allocations and refusals."),
		"relayed":   desc("turn_relayed_bytes_total", "Bytes relayed by TURN."),
		"panics":    desc("panics_total", "Defects of the server that ended nothing but what they were about, by where they were met."),
	}}
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, all := range []map[string]*prometheus.Desc{c.now, c.counted} {
		for _, d := range all {
			to <- d
		}
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(to chan<- prometheus.Metric) {
	now := func(name, what string, v int) {
		to <- prometheus.MustNewConstMetric(c.now[name], prometheus.GaugeValue, float64(v), what)
	}
	counted := func(name, what string, v uint64) {
		to <- prometheus.MustNewConstMetric(c.counted[name], prometheus.CounterValue, float64(v), what)
	}

	m, t := c.s.sfu.Stats(), c.s.media.Counters()
	counted("panics", "rest", c.s.panics.rest.Load())
	counted("panics", "sweep", c.s.panics.sweep.Load())
	counted("panics", "rooms", c.s.hub.Panics())
	counted("panics", "media", m.Panics+t.Panics)
	now("sfu", "peers", m.Peers)
	now("sfu", "routes", m.Routes)
	counted("sfu", "received", m.Received)
	counted("sfu", "forwarded", m.Forwarded)
	counted("sfu", "resent", m.Resent)
	counted("sfu", "forbidden", m.Forbidden)
	counted("sfu", "dropped", m.Dropped)
	counted("sfu", "nacked", m.Nacked)
	counted("sfu", "recovered", m.Recovered)
	counted("sfu", "keyframe_requested", m.PLIs)

	counted("transport", "unknown", t.Unknown)
	counted("transport", "bad_stun", t.BadSTUN)
	counted("transport", "bad_media", t.BadMedia)
	counted("transport", "refused_handshake", t.RefusedHello)
	counted("transport", "throttled_handshake", t.ThrottledHello)
	counted("transport", "failed_handshake", t.FailedHello)
	counted("transport", "unsent", t.Unsent)

	e := c.s.port.Stats()
	now("edge", "open", e.Open)
	now("edge", "waiting", e.Waiting)
	counted("edge", "http", e.HTTP)
	counted("edge", "turn", e.TURN)
	counted("edge", "refused", e.Refused)
	counted("edge", "displaced", e.Displaced)
	counted("edge", "failed", e.Failed)

	if c.s.turn == nil {
		return
	}
	r := c.s.turn.Stats()
	now("turn", "connections", r.Connections)
	now("turn", "allocations", r.Allocations)
	counted("turn", "allocated", r.Allocated)
	counted("turn", "over_quota", r.OverQuota)
	counted("turn", "denied", r.Denied)
	counted("turn", "forbidden", r.Forbidden)
	counted("turn", "dropped", r.Dropped)
	counted("relayed", "up", r.BytesUp)
	counted("relayed", "down", r.BytesDown)
}
