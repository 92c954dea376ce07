package sfu

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/anteroom/anteroom/sfu/transport"
)

func TestPoint_HoldEmptiesEverySlotAtOnce(t *testing.T) {
	_, a, b := pair(t)
	b.Point([]*Peer{a.Peer}, []*Peer{a.Peer})
	var cam camera
	a.send(time.Now(), cam.shoot(1, true)...)
	b.Point(nil, nil)
	b.wire.take()
	a.send(time.Now(), cam.shoot(5, true)...)
	a.send(time.Now(), voice(1, 1))
	if got := b.wire.take(); len(got) != 0 {
		t.Fatalf("%d packets after the hold", len(got))
	}
	for i := range a.in.sources {
		if src := a.in.sources[i]; len(src.routes) != 0 || src.ring.entries != nil {
			t.Errorf("%v keeps routes or a ring", src.kind)
		}
	}
}

func TestPoint_ASlotThatKeepsItsPeer_GoesOnUndisturbed(t *testing.T) {
	s, a, b := pair(t)
	var cam camera
	a.send(time.Now(), cam.shoot(1, true)...)
	a.plis()
	b.Point([]*Peer{a.Peer}, []*Peer{s.testPeer(t, "c", offer(true, 0, 0)).Peer})
	a.send(time.Now(), cam.shoot(1, false)...)
	if got := b.wire.take(); len(got) != 4 {
		t.Fatalf("%d packets, want those of both frames", len(got))
	}
	if n := a.plis(); n != 0 {
		t.Fatalf("%d keyframes asked for", n)
	}
}

func TestPoint_ContentGoesToContentSlotsOnly(t *testing.T) {
	_, a, b := pair(t)
	b.Point(nil, []*Peer{a.Peer})
	var cam camera
	screen := cam.shoot(1, true)
	for i := range screen {
		screen[i].SSRC = 9000
		screen[i] = withMID(screen[i], "2")
	}
	a.send(time.Now(), screen...)
	a.send(time.Now(), cam.shoot(1, true)...)
	a.send(time.Now(), voice(1, 1))
	got := b.wire.take()
	if len(got) != 2 || got[0].SSRC != b.track(content).ssrc {
		t.Fatalf("forwarded %v", got)
	}
}

func TestPoint_TooManyOrClosedPeers_LeaveSlotsEmpty(t *testing.T) {
	s, a, b := pair(t)
	gone := s.testPeer(t, "gone", offer(false, 0, 0))
	gone.Close()
	b.Point([]*Peer{gone.Peer, a.Peer, a.Peer}, []*Peer{nil, a.Peer})
	for i, sl := range b.Stats().Slots {
		if sl.Carries != "" {
			t.Errorf("slot %d carries %q", i, sl.Carries)
		}
	}
}

func TestClose_EmptiesTheSlotsThatCarryThePeer(t *testing.T) {
	s, a, b := pair(t)
	var cam camera
	a.send(time.Now(), cam.shoot(1, false)...)
	b.wire.take()
	a.Close()
	a.Close()
	a.send(time.Now(), cam.shoot(1, true)...)
	if got := b.wire.take(); len(got) != 0 {
		t.Errorf("%d packets after Close", len(got))
	}
	if !a.wire.closed {
		t.Error("the connection is open")
	}
	if st := b.Stats(); st.Slots[0].Carries != "" {
		t.Errorf("the slot still carries %q", st.Slots[0].Carries)
	}
	if st := s.Stats(); st.Peers != 1 || st.Routes != 0 || st.PLIs != 1 {
		t.Errorf("totals %+v, want one peer, no route and the closed peer's PLI", st)
	}
}

func TestClose_OfAViewer_FreesItsSources(t *testing.T) {
	_, a, b := pair(t)
	handler{b.Peer}.State(transport.State{Phase: transport.Closed})
	for _, src := range a.in.sources {
		if len(src.routes) != 0 {
			t.Errorf("%v still has routes", src.kind)
		}
	}
}

// While three publishers flood and the viewer wants everything again, its slots change at random; after each
// Point returned no packet of anybody else is written, whatever was under way.
func TestPoint_WithPacketsFlowing_NothingOfARemovedSourceAfterIt(t *testing.T) {
	s := newTestSFU()
	viewer := s.testPeer(t, "viewer", offer(false, 2, 0))
	stop := make(chan struct{})
	var flood sync.WaitGroup
	var pubs []*Peer
	for i := range 3 {
		p := s.testPeer(t, "p", offer(false, 0, 0))
		pubs = append(pubs, p.Peer)
		flood.Go(func() { p.flood(byte(i), stop) })
	}
	guard := &guard{enough: make(chan struct{}, 1)}
	viewer.wire.onRTP = func(p rtp.Packet) {
		guard.judge(t, int(p.Payload[len(p.Payload)-1]))
		if p.PayloadType == slotVP8 { // ask for it again: the answer comes from another goroutine
			select {
			case guard.again <- nackFor(viewer.trackOf(p.SSRC), p.SequenceNumber):
			default:
			}
		}
	}
	guard.again = make(chan *rtcp.TransportLayerNack, 1)
	flood.Go(func() {
		for {
			select {
			case <-stop:
				return
			case nack := <-guard.again:
				viewer.tick(nil, time.Now(), true)
				viewer.tell(time.Now(), nack)
			}
		}
	})
	for range 300 {
		var watched [2]*Peer
		first, second := rand.IntN(len(pubs)+1), rand.IntN(len(pubs)+1) // one more stands for nobody
		for i, k := range []int{first, second} {
			if k < len(pubs) {
				watched[i] = pubs[k]
			}
		}
		guard.allow(-1, -1)
		viewer.Point(watched[:], nil)
		guard.allow(first, second)
		if watched != [2]*Peer{} {
			<-guard.enough
		}
	}
	close(stop)
	flood.Wait()
	if viewer.Stats().Resent == 0 {
		t.Error("nothing was resent")
	}
}

// guard judges what is written to a viewer.
type guard struct {
	mu     sync.Mutex
	first  int // whose packets may come; -1: anybody's, a Point is under way
	second int
	seen   int
	enough chan struct{} // tells that packets came since the last allow
	again  chan *rtcp.TransportLayerNack
}

func (g *guard) allow(first, second int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.first, g.second, g.seen = first, second, 0
	select {
	case <-g.enough:
	default:
	}
}

func (g *guard) judge(t *testing.T, from int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.first >= 0 && from != g.first && from != g.second {
		t.Errorf("a packet of %d while the slots carry %d and %d", from, g.first, g.second)
	}
	if g.seen++; g.seen == 10 {
		g.enough <- struct{}{}
	}
}

// flood sends without a pause until stop; every payload ends with the mark.
func (p testPeer) flood(mark byte, stop <-chan struct{}) {
	cam := camera{}
	for n := uint16(0); ; n++ {
		select {
		case <-stop:
			return
		default:
		}
		v := voice(n, uint32(n)*960)
		v.Payload = []byte{mark}
		pkts := append(cam.shoot(1, true), v)
		for k := range pkts {
			pkts[k].Payload[len(pkts[k].Payload)-1] = mark
		}
		p.send(time.Now(), pkts...)
		runtime.Gosched() // else Point waits for a whole time slice at each lock
	}
}
