package cluster

import "testing"

func TestBalance_OnlyWhoCarriesMuchMoreGivesARoomAway(t *testing.T) {
	w := newWorld(t)
	a, b := w.start(1), w.start(1)
	for _, c := range []struct {
		mine, others int64 // media connections
		gives        int64
	}{
		{0, 0, 0}, {20, 0, 0}, {21, 0, 1}, {100, 100, 0}, {160, 100, 0}, {171, 100, 1}, {10, 100, 0},
	} {
		a.load.Store(c.mine)
		b.load.Store(c.others)
		b.meet()
		a.meet()
		before := a.hub.spared.Load()
		a.balance()
		if got := a.hub.spared.Load() - before; got != c.gives {
			t.Errorf("with %d against %d: %d", c.mine, c.others, got)
		}
	}
	a.load.Store(1000)
	a.Leave(t.Context())
	before := a.hub.spared.Load()
	a.balance()
	if a.hub.spared.Load() != before {
		t.Error("an instance that leaves hands all over anyway")
	}
}
