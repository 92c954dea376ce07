package integration

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/anteroom/anteroom/signaling/wire"
)

func TestDeadSocket_IsNoticedByBothSidesWithin5s(t *testing.T) {
	h := newHouse(t, rand.New(rand.NewPCG(1, 0))) //nolint:gosec // nothing here is random
	const bound = 5 * time.Second
	patients := append([]*sitter{h.maria}, h.line...)
	for _, s := range h.all {
		s.cable.clog()
	}
	since := time.Now()
	var noticed sync.WaitGroup
	for _, s := range h.all {
		noticed.Go(func() {
			code, err := s.WaitClosed(within(t))
			if d := time.Since(since); err != nil || code != wire.CloseCode(1006) || d > bound {
				t.Errorf("the page of %s noticed after %v: %d, %v", s.name, d, code, err)
			} else {
				t.Logf("the page of %s noticed after %v", s.name, d)
			}
		})
	}
	for _, s := range patients {
		noticed.Go(func() {
			_, err := h.desk.WaitList(within(t), func(rows []wire.Row) bool {
				return slices.ContainsFunc(rows, func(r wire.Row) bool { return r.Seat == s.was.Me.Seat && r.Link == wire.LinkReconnecting })
			})
			if d := time.Since(since); err != nil || d > bound {
				t.Errorf("staff saw after %v that %s is away: %v", d, s.name, err)
			} else {
				t.Logf("staff saw after %v that %s is away", d, s.name)
			}
		})
	}
	noticed.Wait()
	for _, s := range h.all {
		must(t, s.Connect(within(t)))
	}
	h.check(t, "after all sockets were dead")
}
