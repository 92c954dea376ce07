package sfu

import (
	"runtime"
	"runtime/metrics"
	"testing"
	"time"

	"github.com/pion/rtp"
)

// liveBytes returns what is reachable, in bytes. It collects twice, since pools give up what they keep at the second time.
func liveBytes() int64 {
	runtime.GC()
	runtime.GC()
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64())
}

func TestPeers_MadeAndClosed_LeaveNothing(t *testing.T) {
	const visits = 25 // of two
	s := start(t)
	visit := func(t *testing.T) {
		t.Parallel() // connecting is mostly waiting
		a, b := join(t, s, 'a', shape{pairs: 1}), join(t, s, 'b', shape{pairs: 1})
		for _, c := range [][2]*client{{a, b}, {b, a}} {
			c[0].peer.SetGate(true)
			c[0].peer.Point([]*Peer{c[1].peer}, nil)
		}
		a.sees("slot0video", 'b', 2)
		b.sees("slot0video", 'a', 2)
		a.peer.Close()
		b.peer.Close()
	}
	hold := func(n int) {
		t.Run("visits", func(t *testing.T) {
			for range n {
				t.Run("visit", visit)
			}
		})
	}
	hold(2)
	goroutines, bytes := runtime.NumGoroutine(), liveBytes()
	hold(visits)
	// A live peer holds more than 10 kB, and its ring as much again.
	if grown := liveBytes() - bytes; grown > 2*visits*2<<10 {
		t.Errorf("%d peers that are gone left %d bytes", 2*visits, grown)
	}
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines more than before", n-goroutines)
	}
	if st := s.Stats(); st.Peers != 0 || st.Routes != 0 {
		t.Errorf("%d peers and %d routes are still known", st.Peers, st.Routes)
	}
}

func TestHold_GivesTheMediaMemoryBack(t *testing.T) {
	const pairs = 20
	s := newTestSFU()
	var publishers, viewers []testPeer
	for range pairs {
		publisher, viewer := s.testPeer(t, "publisher", offer(false, 0, 0)), s.testPeer(t, "viewer", offer(false, 1, 0))
		publisher.SetGate(false)
		viewer.wire.onRTP = func(rtp.Packet) {}
		publishers, viewers = append(publishers, publisher), append(viewers, viewer)
	}
	empty := liveBytes()
	begun := time.Now()
	cameras := make([]camera, pairs)
	admit := func() int64 {
		for i, p := range publishers {
			p.SetGate(true)
			viewers[i].Point([]*Peer{p.Peer}, nil)
			for n := range 150 {
				pkts := cameras[i].shoot(1, n == 0)
				pkts[0].Payload = append(pkts[0].Payload, make([]byte, mtu/2)...)
				p.send(begun.Add(time.Duration(n)*20*time.Millisecond), pkts...)
			}
		}
		return liveBytes() - empty
	}
	if got := admit(); got < pairs*ringChunks/2*chunkSize {
		t.Fatalf("%d visits hold %d bytes, so that this test shows nothing", pairs, got)
	}
	holds := map[string]func(i int){
		"gate closed":    func(i int) { publishers[i].SetGate(false) },
		"routes removed": func(i int) { viewers[i].Point(nil, nil) },
	}
	// What stays of a gate that is open are arrivals (4 kB), and each viewer's buffer for a payload.
	const stays = 8 << 10
	for name, hold := range holds {
		admit()
		for i := range pairs {
			hold(i)
		}
		if got := liveBytes() - empty; got > pairs*stays {
			t.Errorf("%s: %d visits on hold still hold %d bytes", name, pairs, got)
		}
		for i := range pairs {
			publishers[i].SetGate(false)
			viewers[i].Point(nil, nil)
		}
	}
	runtime.KeepAlive(publishers)
	runtime.KeepAlive(viewers)
}
