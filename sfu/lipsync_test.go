package sfu

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// lipSync is how far apart sound and picture of one moment may be (ITU-R BT.1359 finds 45 ms to be noticed at the earliest).
const lipSync = 40 * time.Millisecond

// A slot carries one person after the other. Their clocks are hours off and run too fast or too slow, as do their sound cards, and
// their reports come when the network likes. Whenever the viewer has our reports of both tracks since a switch, they put sound and
// picture of one moment together.
func TestLipSync_AfterEachOfAHundredSwitches(t *testing.T) {
	for seed, late := range []time.Duration{20 * time.Millisecond, 100 * time.Millisecond, 400 * time.Millisecond} {
		t.Run(fmt.Sprintf("reports up to %v late", late), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dice := rand.New(rand.NewPCG(uint64(seed), 0))
				s := newTestSFU()
				viewer := s.testPeer(t, "viewer", offer(false, 1, 0))
				var people []*actor
				for _, drift := range []float64{200e-6, -200e-6, 0} {
					people = append(people, newActor(s.testPeer(t, "p", offer(false, 0, 0)), dice, drift, late))
				}
				eye := &watcher{viewer: viewer}
				switches, worst := 0, time.Duration(0)
				for i := range 120 {
					on := people[i%len(people)]
					viewer.Point([]*Peer{on.Peer}, nil)
					eye.forget()
					for range 50 + dice.IntN(250) { // 1 to 6 s
						for _, a := range people {
							a.act()
						}
						s.run20ms()
						worst = max(worst, eye.watch(t))
					}
					if eye.judged {
						switches++
					}
				}
				t.Logf("%d switches, at worst %v apart", switches, worst)
				if switches < 100 {
					t.Errorf("judged after %d switches only", switches)
				}
			})
		})
	}
}
