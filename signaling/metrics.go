package signaling

import (
	"errors"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/anteroom/anteroom/rooms"
)

// metrics are counted whether or not somebody reads them. Labels are action names and error codes only.
type metrics struct {
	commands     *prometheus.CounterVec
	saveSeconds  prometheus.Histogram
	saveFailures prometheus.Counter
	letGo        atomic.Uint64
	letGoShown   prometheus.CounterFunc
	panics       atomic.Uint64
	visits       census
	sockets      prometheus.GaugeFunc
	rooms        prometheus.GaugeFunc
}

func newMetrics(h *Hub) *metrics {
	m := &metrics{
		commands: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "anteroom_commands_total", Help: "Commands by action and result (ok, repeated or an error code).",
		}, []string{"action", "result"}),
		saveSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "anteroom_save_seconds", Help: "Time to make a change durable.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2},
		}),
		saveFailures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "anteroom_save_failures_total", Help: "Tries to make a change durable that failed.",
		}),
		sockets: prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "anteroom_sockets", Help: "Signaling sockets now.",
		}, func() float64 {
			h.mu.Lock()
			defer h.mu.Unlock()
			return float64(h.sockets)
		}),
		rooms: prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "anteroom_rooms", Help: "Waiting rooms this instance owns now.",
		}, func() float64 {
			h.mu.Lock()
			defer h.mu.Unlock()
			return float64(len(h.rooms))
		}),
	}
	m.letGoShown = prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "anteroom_rooms_let_go_total", Help: "Waiting rooms that nobody had needed for some minutes, so that they are not kept in memory.",
	}, func() float64 { return float64(m.letGo.Load()) })
	return m
}

func (m *metrics) all() []prometheus.Collector {
	return append(m.visits.gauges(), m.commands, m.saveSeconds, m.saveFailures, m.letGoShown, m.sockets, m.rooms)
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(to chan<- *prometheus.Desc) {
	for _, c := range m.all() {
		c.Describe(to)
	}
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(to chan<- prometheus.Metric) {
	for _, c := range m.all() {
		c.Collect(to)
	}
}

// command counts one by what became of it.
func (m *metrics) command(action string, out rooms.Outcome, err error) {
	result := "ok"
	var refused *rooms.Error
	switch {
	case errors.As(err, &refused):
		result = string(refused.Code)
	case errors.Is(err, ErrRetry):
		result = "retry"
	case err != nil:
		result = "internal"
	case out.Repeated:
		result = "repeated"
	}
	m.commands.WithLabelValues(action, result).Inc()
}

// counted counts a command, and the limit that refused it if one did.
func (h *Hub) counted(action string, out rooms.Outcome, err error) {
	h.metrics.command(action, out, err)
	h.meters.refused(err)
}
