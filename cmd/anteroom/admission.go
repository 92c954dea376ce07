package main

import (
	"context"
	"runtime"
	"time"

	"github.com/anteroom/anteroom/internal/admission"
)

// startGate begins to measure what this instance carries.
func (s *server) startGate(context.Context) error {
	s.gate = admission.New(admission.Bounds{
		Peers: s.cfg.MaxPeers, CPU: float64(s.cfg.MaxCPU) / 100, Packets: float64(s.cfg.MaxPackets),
	}, runtime.GOMAXPROCS(0))
	s.gate.Observe(time.Now(), s.load())
	stop := make(chan struct{})
	ticker := time.NewTicker(admission.Every)
	s.tasks.Go(func() {
		for {
			select {
			case now := <-ticker.C:
				s.gate.Observe(now, s.load())
			case <-stop:
				return
			}
		}
	})
	s.onStop(func(context.Context) error {
		ticker.Stop()
		close(stop)
		return nil
	})
	return nil
}

// load is what the process carries now.
func (s *server) load() admission.Load {
	media := s.sfu.Stats()
	return admission.Load{Peers: media.Peers, CPU: admission.ProcessorTime(), Packets: media.Forwarded}
}

// admit tells whether something new may be taken on; see signaling.Config.
func (s *server) admit(connection bool) (again time.Duration, ok bool) {
	return s.gate.Admit(connection)
}
