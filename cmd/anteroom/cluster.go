package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/anteroom/anteroom/internal/api"
	"github.com/anteroom/anteroom/internal/cluster"
	"github.com/anteroom/anteroom/signaling"
)

// fileOr is a file that was named, which has to be there, or one of the data folder, which is made.
func (s *server) fileOr(setting, named, own string) (string, error) {
	if named == "" {
		return s.file(own), nil
	}
	if _, err := os.Stat(named); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = fs.ErrNotExist // once is enough
		}
		return "", fmt.Errorf("--%s: %s: %w", setting, named, err)
	}
	return named, nil
}

// startCluster opens the hop, if there are other instances.
func (s *server) startCluster(ctx context.Context) error {
	if s.cfg.Cluster.Hop == "" {
		return s.raiseSchema(ctx)
	}
	s.keeper = newKeeper(s.store, s.log)
	var err error
	s.cluster, err = cluster.New(ctx, cluster.Config{
		Store: s.store, Secret: s.keys.Digest("hop"), Listen: string(s.cfg.Cluster.Hop), Advertise: string(s.cfg.Cluster.HopAdvertise),
		Load: s.carries, Lost: s.keeper.hear, Changed: s.keeper.changed, Outdated: s.fail, Media: s.media.Candidates(), Others: s.relayTo, Logger: s.log,
	})
	if err != nil {
		return fmt.Errorf("--hop: %w", err)
	}
	s.onStop(closing(s.cluster.Close))
	s.metrics.MustRegister(clusterCollector{s.cluster})
	return nil
}

// relayTo lets people whose media goes through this instance's relay be in a visit at another.
func (s *server) relayTo(media []netip.AddrPort) {
	if s.turn != nil {
		s.turn.SetOthers(media)
	}
}

// raiseSchema is for a server alone, which has to ask nobody.
func (s *server) raiseSchema(ctx context.Context) error {
	schema, err := s.store.Schema(ctx)
	if err != nil {
		return err
	}
	return s.store.Raise(ctx, schema.Newest)
}

// joinCluster comes when the hub is there.
func (s *server) joinCluster(context.Context) error {
	if s.cluster != nil {
		s.cluster.Serve(s.hub)
		// Whoever comes back while the store is away is served by the owner of their room; a load balancer has to let them.
		s.writable.ask = func() error { return nil }
	}
	return nil
}

// owners is nil without other instances.
func (s *server) owners() signaling.Owners {
	if s.cluster == nil {
		return nil
	}
	return s.cluster
}

// commands is who takes the API's commands.
func (s *server) commands() api.Hub {
	if s.cluster == nil {
		return roomsOf{s.hub}
	}
	return roomsOf{s.cluster}
}

// carries is what others compare when a room is to be placed.
func (s *server) carries() cluster.Load {
	return cluster.Load{Peers: s.sfu.Stats().Peers, Sockets: s.hub.Sockets()}
}

var (
	descInstances = prometheus.NewDesc("anteroom_instances", "Instances that are listed in the store.", nil, nil)
	descLeases    = prometheus.NewDesc("anteroom_leases", "Waiting rooms whose lease this instance has.", nil, nil)
	descSchema    = prometheus.NewDesc("anteroom_schema", "Schema of records: what is written, and the newest that this instance may write.", []string{"what"}, nil)
	descEnds      = prometheus.NewDesc("anteroom_leases_total", "Leases of waiting rooms, by what became of them.", []string{"what"}, nil)
)

// clusterCollector reads the cluster's counters when they are asked for.
type clusterCollector struct{ c *cluster.Cluster }

// Describe implements prometheus.Collector.
func (clusterCollector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descInstances, descLeases, descSchema, descEnds} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (c clusterCollector) Collect(to chan<- prometheus.Metric) {
	s := c.c.Stats()
	to <- prometheus.MustNewConstMetric(descInstances, prometheus.GaugeValue, float64(s.Members))
	to <- prometheus.MustNewConstMetric(descLeases, prometheus.GaugeValue, float64(s.Held))
	for what, n := range map[string]int{"written": s.Schema.Written, "newest": s.Schema.Newest} {
		to <- prometheus.MustNewConstMetric(descSchema, prometheus.GaugeValue, float64(n), what)
	}
	for what, n := range map[string]uint64{
		"claimed": s.Claimed, "taken_over": s.TakenOver, "handed_over": s.HandedOver, "balanced": s.Balanced, "claimed_again": s.Reclaimed, "lost": s.Fenced,
	} {
		to <- prometheus.MustNewConstMetric(descEnds, prometheus.CounterValue, float64(n), what)
	}
}
