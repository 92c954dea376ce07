package main

import "github.com/prometheus/client_golang/prometheus"

// limitCollector shows the table of limits, when it is asked for.
type limitCollector struct {
	s                *server
	bound, near, met *prometheus.Desc
}

func newLimitCollector(s *server) *limitCollector {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("anteroom_"+name, help, []string{"limit"}, nil)
	}
	return &limitCollector{
		s:     s,
		bound: desc("limit", "Bounds of this server, in the unit of the limit; 0: none."),
		near:  desc("limit_use_ratio", "How near a limit is: use now by bound, or the nearest since the start where the limit is one thing's of many."),
		met:   desc("limit_hits_total", "How often a limit was met."),
	}
}

// Describe implements prometheus.Collector.
func (c *limitCollector) Describe(to chan<- *prometheus.Desc) {
	to <- c.bound
	to <- c.near
	to <- c.met
}

// Collect implements prometheus.Collector.
func (c *limitCollector) Collect(to chan<- prometheus.Metric) {
	uses := c.s.uses()
	for _, l := range limits() {
		bound, u := c.s.boundNow(l), uses[l.name]
		to <- prometheus.MustNewConstMetric(c.bound, prometheus.GaugeValue, bound, l.name)
		if l.told == nearAndHits && bound > 0 {
			to <- prometheus.MustNewConstMetric(c.near, prometheus.GaugeValue, u.near/bound, l.name)
		}
		if l.told != nothing {
			to <- prometheus.MustNewConstMetric(c.met, prometheus.CounterValue, u.hits, l.name)
		}
	}
}
