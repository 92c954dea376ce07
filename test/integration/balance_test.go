package integration

import (
	"testing"
	"time"

	"github.com/anteroom/anteroom/signaling/wire"
)

// TestBalance has all people wait at one instance, because the others were not there, and then come. Rooms go to them; everybody keeps
// their seat.
func TestBalance(t *testing.T) {
	t.Parallel() // it mostly waits
	const people, rooms = 440, 10
	c := startServers(t, 3)
	for _, p := range c.all[1:] {
		p.kill(t)
	}
	c.front.pin(0)
	c.until(t, "the others are forgotten", func() bool { return c.all[0].metric(t, "anteroom_instances") == 1 })
	w := newWaitingPeople(t, c, people, rooms)
	for _, p := range c.all[1:] {
		p.start(t)
	}
	c.front.pin(-1)
	c.complete(t)

	const given = `anteroom_leases_total{what="balanced"}`
	c.until(t, "a room has gone", func() bool { return c.all[0].metric(t, given) > 0 })
	w.check(t)
	told := map[wire.CloseCode]int{}
	for _, p := range w.people {
		lost, _ := p.losses()
		for _, l := range lost {
			told[l.code]++
		}
	}
	if n := told[wire.CloseHandedOver]; n < people/rooms || len(told) > 1 {
		t.Errorf("pages were told %v, of which %d is that their room was handed over", told, wire.CloseHandedOver)
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
