package sfu

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtcp"

	"github.com/anteroom/anteroom/sfu/transport"
)

// plis counts the keyframe requests that the peer's client got.
func (p testPeer) plis() int { return len(said[*rtcp.PictureLossIndication](p.wire)) }

func TestPLI_AtPoint_AndAgainUntilAKeyframeHasPassed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, a, _ := pair(t)
		var cam camera
		cam.shoot(1, false)
		var at []time.Duration
		began := time.Now()
		for range 100 {
			a.send(time.Now(), cam.shoot(1, false)...)
			if a.plis() > 0 {
				at = append(at, time.Since(began))
			}
			s.run20ms()
		}
		if at[0] != 0 || len(at) != 7 {
			t.Fatalf("asked at %v", at)
		}
		for i := range at[1:] {
			if gap := at[i+1] - at[i]; gap < pliEvery || gap > pliEvery+tickEvery {
				t.Fatalf("asked at %v", at)
			}
		}
		a.send(time.Now(), cam.shoot(1, true)...)
		a.plis()
		for range 50 {
			s.run20ms()
		}
		if n := a.plis(); n != 0 {
			t.Fatalf("asked %d times after the keyframe", n)
		}
	})
}

func TestPLI_ToASourceThatSendsNothing_EndsAndResumesWithItsPackets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, a, _ := pair(t)
		for range 500 {
			s.run20ms()
		}
		if n := a.plis(); n > int(pliPatience/pliEvery)+1 {
			t.Fatalf("asked %d times", n)
		}
		var cam camera
		cam.shoot(1, false)
		a.send(time.Now(), cam.shoot(1, false)...)
		s.run20ms()
		if n := a.plis(); n != 1 {
			t.Fatalf("asked %d times when it began", n)
		}
	})
}

func TestPLI_OfViewers_IsCoalescedPerSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, a, b := pair(t)
		c := s.testPeer(t, "c", offer(false, 1, 0))
		c.Point([]*Peer{a.Peer}, nil)
		var cam camera
		a.send(time.Now(), cam.shoot(1, true)...)
		pass(time.Second)
		a.plis()
		for range 10 {
			b.tell(time.Now(), &rtcp.PictureLossIndication{MediaSSRC: b.track(video).ssrc})
			c.tell(time.Now(), &rtcp.FullIntraRequest{FIR: []rtcp.FIREntry{{SSRC: c.track(video).ssrc}}})
		}
		if n := a.plis(); n != 1 {
			t.Fatalf("%d requests reached the publisher", n)
		}
	})
}

func TestPLI_OfAViewerWithoutOpenRoute_IsNotPassedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, a, b := pair(t)
		c := s.testPeer(t, "c", offer(false, 1, 0))
		c.Point([]*Peer{a.Peer}, nil)
		var cam camera
		a.send(time.Now(), cam.shoot(1, true)...)
		b.Point(nil, nil)
		pass(time.Second)
		a.plis()
		b.tell(time.Now(), &rtcp.PictureLossIndication{MediaSSRC: b.track(video).ssrc})
		s.run20ms()
		if n := a.plis(); n != 0 {
			t.Fatalf("%d requests reached the publisher", n)
		}
	})
}

func TestPLI_ViewerThatConnectsLate_AsksThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestSFU()
		a := s.testPeer(t, "a", offer(false, 0, 0))
		b := s.testPeer(t, "b", offer(false, 1, 0))
		handler{b.Peer}.State(transport.State{Phase: transport.Disconnected})
		b.Point([]*Peer{a.Peer}, nil)
		var cam camera
		a.send(time.Now(), cam.shoot(1, true)...)
		pass(time.Second)
		a.plis()
		s.run20ms()
		if n := a.plis(); n != 0 {
			t.Fatalf("%d requests for a viewer who cannot receive", n)
		}
		handler{b.Peer}.State(transport.State{Phase: transport.Connected})
		if n := a.plis(); n != 1 {
			t.Fatalf("%d requests when the viewer connected", n)
		}
		a.send(time.Now(), cam.shoot(1, true)...)
		if n := len(b.wire.take()); n != 2 {
			t.Fatalf("%d packets forwarded", n)
		}
	})
}

// While a viewer's consent has run out nothing can be written; what it missed only a keyframe makes good.
func TestPLI_ViewerThatComesBack_GoesOnWithAKeyframe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, a, b := pair(t)
		var cam camera
		a.send(time.Now(), cam.shoot(1, true)...)
		before := b.wire.take()[1]
		handler{b.Peer}.State(transport.State{Phase: transport.Disconnected})
		a.send(time.Now(), cam.shoot(20, false)...)
		pass(time.Second)
		a.plis()
		handler{b.Peer}.State(transport.State{Phase: transport.Connected})
		if n := a.plis(); n != 1 {
			t.Fatalf("%d keyframes asked for", n)
		}
		a.send(time.Now(), cam.shoot(1, false)...)
		a.send(time.Now(), cam.shoot(1, true)...)
		got := b.wire.take()
		if len(got) != 2 || got[0].SequenceNumber != before.SequenceNumber+1 {
			t.Fatalf("went on with %v after %v", got, before)
		}
	})
}

// A keyframe that comes before the viewer can take it would be lost, and Chromium ignores the next request for 300 ms.
func TestPLI_ForAViewerNotYetConnected_WaitsForTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, a, b := pair(t)
		var cam camera
		a.send(time.Now(), cam.shoot(1, true)...)
		b.Point(nil, nil)
		handler{b.Peer}.State(transport.State{Phase: transport.Disconnected})
		pass(time.Second)
		a.plis()
		b.Point([]*Peer{a.Peer}, nil)
		s.run20ms()
		if n := a.plis(); n != 0 {
			t.Fatalf("asked %d times for nobody", n)
		}
		handler{b.Peer}.State(transport.State{Phase: transport.Connected})
		if n := a.plis(); n != 1 {
			t.Fatalf("asked %d times when the viewer was connected", n)
		}
	})
}
