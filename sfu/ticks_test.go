package sfu

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestHurried_AreServedTogetherHalfATickLaterAndThenATickApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHurried()
		defer h.timer.Stop()
		began := time.Now()
		h.add(new(Peer))
		pass(tickEvery / 4)
		h.add(new(Peer))
		<-h.timer.C
		if after := time.Since(began); after != tickEvery/2 {
			t.Errorf("the first after %v", after)
		}
		if got := h.take(nil, time.Now()); len(got) != 2 {
			t.Errorf("%d of 2 at once", len(got))
		}
		h.add(new(Peer))
		<-h.timer.C
		if after := time.Since(began); after != tickEvery*3/2 {
			t.Errorf("the next after %v", after)
		}
		h.take(nil, time.Now())
		pass(time.Second)
		select {
		case <-h.timer.C:
			t.Error("woken for nobody")
		default:
		}
	})
}

func TestHurried_Many_ComeInTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHurried()
		defer h.timer.Stop()
		var all []*Peer
		for range 3*together + 1 {
			all = append(all, new(Peer))
			h.add(all[len(all)-1])
		}
		for len(all) > 0 {
			<-h.timer.C
			got := h.take(nil, time.Now())
			if len(got) == 0 || len(got) > together {
				t.Fatalf("%d at once", len(got))
			}
			for i, p := range got {
				if p != all[i] {
					t.Fatal("not in the order in which they came")
				}
			}
			all = all[len(got):]
		}
	})
}

func TestGroup_EveryPeer_IsInOneOfThem(t *testing.T) {
	s := newSFU(Config{})
	defer s.feedback.Stop()
	var all []*Peer
	for i := range 5 * together {
		p := &Peer{sfu: s}
		s.add(p)
		all = append(all, p)
		if i%7 == 3 {
			s.remove(all[i/2])
			s.remove(all[i/2]) // again: it is another's place now
		}
		seen := map[*Peer]int{}
		for g, first := 0, true; first || g != 0; first = false {
			var group []*Peer
			if group, g = s.group(nil, g); len(group) > together {
				t.Fatalf("%d peers at once", len(group))
			}
			for _, p := range group {
				seen[p]++
			}
		}
		if len(seen) != len(s.peers) {
			t.Fatalf("%d of %d peers are in a group", len(seen), len(s.peers))
		}
		for _, n := range seen {
			if n != 1 {
				t.Fatalf("a peer is in %d groups", n)
			}
		}
	}
}

func TestFeedback_IsDueWhileThereArePeers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSFU(Config{})
		due := func() (times int) {
			for deadline := time.Now().Add(time.Second); ; times++ {
				select {
				case <-s.feedback.C:
					if _, g := s.group(nil, 0); g != 0 {
						t.Fatal("a second group of one peer")
					}
				case <-time.After(time.Until(deadline)):
					return times
				}
			}
		}
		for range 2 {
			if n := due(); n > 1 {
				t.Errorf("%d times for nobody", n)
			}
			p := &Peer{sfu: s}
			s.add(p)
			if n, want := due(), int(time.Second/feedbackEvery); n < want-1 {
				t.Errorf("%d times in a second for one peer, not %d", n, want)
			}
			s.remove(p)
		}
	})
}

func TestRun_ServesWhoHurries_AgainAndAgain(t *testing.T) {
	s := start(t)
	a, b := join(t, s, 'a', shape{pairs: 1}), join(t, s, 'b', shape{pairs: 1})
	for range 20 {
		a.peer.hurry()
		a.until("a tick", func() bool { return !a.peer.hurried.Load() })
	}
	b.peer.hurry()
	b.until("a tick", func() bool { return !b.peer.hurried.Load() })
}
