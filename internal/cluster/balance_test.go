package cluster

import (
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
)

func TestSurplus_BeginsAtAClearDifference_AndGoesOnUntilItIsSmall(t *testing.T) {
	for _, c := range []struct {
		mine         int
		others       []int
		begins, goes int
	}{
		{mine: 5000, others: nil}, // there is nobody
		{mine: 0, others: []int{0}},
		{mine: 200, others: []int{0, 0}}, // a few people are no load
		{mine: 400, others: []int{0, 0}, goes: 400},
		{mine: 401, others: []int{0, 0}, begins: 401, goes: 401},
		{mine: 3300, others: []int{2000, 2000}, goes: 1300}, // a little more
		{mine: 3400, others: []int{2000, 2000}, goes: 1400},
		{mine: 3420, others: []int{1000, 3000}, begins: 1420, goes: 1420},
		{mine: 2600, others: []int{2000, 2000}},
		{mine: 1000, others: []int{4400, 1000}},
	} {
		for going, want := range map[bool]int{false: c.begins, true: c.goes} {
			if got := surplus(c.mine, c.others, going); got != want {
				t.Errorf("%d beside %v, going %v: %d, not %d", c.mine, c.others, going, got, want)
			}
		}
	}
}

func TestBalance_AMuchBusierInstance_GivesARoomAway(t *testing.T) {
	w := newWorld(t)
	a, b := w.start(1), w.start(1)
	var asked, small, large, crowd bool
	a.hub.spare = func(fits func(peers, sockets int) bool) bool {
		asked, small, large, crowd = true, fits(2, 10), fits(31, 0), fits(0, maxSpared+1)
		return true
	}
	a.load.Store(60)
	b.meet()
	a.meet()
	a.balance()
	if !asked || !small || large || crowd || a.Stats().Balanced != 1 {
		t.Errorf("asked %v, what fits: %v %v %v; %+v", asked, small, large, crowd, a.Stats())
	}
	for name, change := range map[string]func(){
		"it is leaving":                 func() { a.Leave(t.Context()) },
		"the others carry as much":      func() { b.load.Store(60); b.meet(); a.meet() },
		"the store has been away since": func() { w.store.down.Store(true); a.skew.Add(int64(time.Minute)) },
	} {
		asked = false
		change()
		if a.balance(); asked {
			t.Errorf("%s, and rooms are given away", name)
		}
		w.store.down.Store(false)
		b.load.Store(0)
		b.meet()
		a.Return()
	}
}

func TestBalance_NobodyWhoCarriesMoreThanTheMean_IsGivenARoom(t *testing.T) {
	w := newWorld(t)
	a, b, c := w.start(1), w.start(1), w.start(1)
	a.load.Store(60)
	b.load.Store(50)
	b.hub.take = nil
	taken := c.takes()
	for _, i := range []*instance{a, b, c} {
		i.meet()
	}
	a.meet()
	must(t, w.own(a).HandOver(t.Context()))
	if l := <-taken; !l.MayOpen() {
		t.Error("it was not taken")
	}
}

func TestBalance_SixRoomsAMinuteAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, given := time.Now(), 0
		c := &Cluster{
			id: "a", at: "a", log: zap.NewNop(), ctx: t.Context(),
			load: func() Load { return Load{Peers: 1000} }, now: func() time.Duration { return time.Since(began) },
			members: []member{{ID: "a", At: "a"}, {ID: "b", At: "b"}}, met: map[string]meeting{"a": {last: time.Hour}},
			hub: &hub{spare: func(func(int, int) bool) bool {
				given++
				return true
			}},
		}
		go c.every(balanceEvery, nil, c.balance) // ends with the test's context
		time.Sleep(time.Hour - time.Second)      //nolint:forbidigo // in a bubble
		if synctest.Wait(); given != 60*6 {
			t.Errorf("%d rooms in an hour", given)
		}
	})
}
