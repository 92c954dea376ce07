package integration

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anteroom/anteroom/signaling/wire"
)

// TestBalance has all people wait at one instance, because the others were not there, and then come. Rooms go to them; everybody keeps
// their seat.
func TestBalance(t *testing.T) {
	const people, rooms = 440, 10
	c := startServers(t, 3)
	for _, p := range c.all[1:] {
		p.kill(t)
	}
	c.front.pin(0)
	c.until(t, "the others are forgotten", func() bool { return c.all[0].metric(t, "anteroom_instances") == 1 })
	w := newWaitingPeople(t, c, people, rooms)
	var handedOver, otherwise atomic.Int64
	ctx, stop := context.WithCancel(t.Context())
	var pages sync.WaitGroup
	for _, p := range w.pages {
		pages.Go(func() {
			for {
				code, err := p.WaitClosed(ctx)
				switch {
				case err != nil:
					return
				case code == wire.CloseHandedOver:
					handedOver.Add(1)
				default:
					otherwise.Add(1)
				}
				if err := comeBackAsPagesDo(within(t), p, always); err != nil {
					t.Errorf("does not come back: %v", err)
					return
				}
			}
		})
	}
	for _, p := range c.all[1:] {
		p.start(t)
	}
	c.front.pin(-1)
	c.complete(t)

	const given = `anteroom_leases_total{what="balanced"}`
	c.until(t, "a room has gone", func() bool { return c.all[0].metric(t, given) > 0 })
	stop()
	pages.Wait()
	w.check(t)
	if n := handedOver.Load(); n < people/rooms || otherwise.Load() > 0 {
		t.Errorf("%d pages were told that their room was handed over, %d something else", n, otherwise.Load())
	}
	if c.all[1].metric(t, "anteroom_leases")+c.all[2].metric(t, "anteroom_leases") == 0 {
		t.Error("the others have none")
	}
}

// until looks again and again.
func (c *cluster) until(t *testing.T, what string, is func() bool) {
	t.Helper()
	ctx, pace := within(t), time.NewTicker(50*time.Millisecond)
	defer pace.Stop()
	for !is() {
		select {
		case <-pace.C:
		case <-ctx.Done():
			t.Fatalf("%s: it does not come to that", what)
		}
	}
}
