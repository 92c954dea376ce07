package sfu

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

const slotIDSent = 6

// pausing is a viewer whose browser knows abs-send-time, at the beginning of a pause.
func pausing(t *testing.T) (s *SFU, a, b testPeer, cam *camera) {
	t.Helper()
	s = newTestSFU()
	of := offer(false, 1, 0)
	for i := range of.Media[2:] {
		of.Media[2+i].Extensions[extSent] = slotIDSent
	}
	a, b, cam = s.testPeer(t, "publisher", offer(false, 0, 0)), s.testPeer(t, "viewer", of), &camera{}
	b.Point([]*Peer{a.Peer}, nil)
	a.send(time.Now(), cam.shoot(1, true)...)
	b.wire.onRTP = func(rtp.Packet) {}
	b.remb(2e6)
	film(s, a, cam, time.Second)
	b.remb(2e6)
	b.remb(50e3)
	if !b.paused() {
		t.Fatal("no pause")
	}
	return s, a, b, cam
}

func (p testPeer) paused() bool { return p.Stats().Slots[0].Tracks[1].Paused }

// padding returns what was written since the last time, in bytes, and checks whose it is.
func (p testPeer) padding(t *testing.T) (bytes int) {
	t.Helper()
	p.wire.mu.Lock()
	defer p.wire.mu.Unlock()
	for _, h := range p.wire.padded {
		if h.SSRC != p.track(video).rtxSSRC || h.PayloadType != slotRTX {
			t.Errorf("padding on %+v", h)
		}
		bytes += int(h.PaddingSize)
	}
	p.wire.padded = nil
	return bytes
}

// grow says each 200 ms for that long that the estimate has grown by 8 % a second.
func (p testPeer) grow(s *SFU, a testPeer, cam *camera, from float32, d time.Duration) (to float32) {
	for range d / (200 * time.Millisecond) {
		film(s, a, cam, 200*time.Millisecond)
		from *= 1.0155
		p.remb(from)
	}
	return from
}

func TestTrial_PaddingSwells_AndPicturesComeBackWhereItIsCarried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, a, b, cam := pausing(t)
		film(s, a, cam, firstPause)
		if n := b.padding(t); n > 2*padSize {
			t.Fatalf("%d bytes of padding before the trial", n)
		}
		bps := b.grow(s, a, cam, 20e3, trialRamp/2)
		first := b.padding(t)
		bps = b.grow(s, a, cam, bps, trialRamp/2)
		second := b.padding(t)
		if first == 0 || second < 2*first || !b.paused() {
			t.Fatalf("%d bytes of padding, then %d; paused: %v", first, second, b.paused())
		}
		bps = b.grow(s, a, cam, bps, trialHold/2)
		if n := float64(b.padding(t)); n < 0.8*leastVideo/8*trialHold.Seconds()/2 || n > leastVideo/8*trialHold.Seconds()/2 {
			t.Errorf("%.0f bytes of padding in %v", n, trialHold/2)
		}
		a.plis()
		b.grow(s, a, cam, bps, trialHold/2+400*time.Millisecond)
		if b.paused() || a.plis() == 0 {
			t.Error("no picture is asked for after the trial")
		}
		b.wire.onRTP = nil
		b.padding(t)
		a.caps()
		a.send(time.Now(), cam.shoot(1, true)...)
		if len(videos(b.wire.take())) == 0 {
			t.Error("no picture comes after the trial")
		}
		b.wire.onRTP = func(rtp.Packet) {}
		// The estimate has yet to grow so far, which takes it half a minute.
		b.grow(s, a, cam, 30e3, 20*time.Second)
		if b.paused() || b.padding(t) > 0 {
			t.Error("pictures pause again, though the link carries them")
		}
		for _, bps := range a.caps() {
			if bps != voiceRate+leastVideo {
				t.Errorf("the publisher was asked for %v", bps)
			}
		}
		b.grow(s, a, cam, leastVideo+10e3, time.Second)
		if got := a.caps(); len(got) == 0 || got[len(got)-1] <= voiceRate+leastVideo {
			t.Errorf("the publisher is asked for %v when the link has more", got)
		}
	})
}

func TestTrial_EndsWhereTheLinkIsFull_AndTheNextOnesComeLater(t *testing.T) {
	full := map[string]func(b testPeer, i uint32){
		"the estimate falls": func(b testPeer, _ uint32) { b.remb(18e3) },
		"padding is lost": func(b testPeer, i uint32) {
			b.tell(time.Now(), &rtcp.ReceiverReport{Reports: []rtcp.ReceptionReport{{
				SSRC: b.track(video).rtxSSRC, TotalLost: 20 * i, LastSequenceNumber: 100 * i,
			}}})
		},
		"the estimate stands still": func(testPeer, uint32) {},
	}
	for name, is := range full {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, a, b, cam := pausing(t)
				news := 0
				film(s, a, cam, 200*time.Millisecond)
				b.onPause = func(bool) { news++ }
				pause := firstPause
				for i := range uint32(5) {
					quiet := time.Now()
					for b.padding(t) == 0 {
						film(s, a, cam, 20*time.Millisecond)
					}
					if d := time.Since(quiet); d < pause-300*time.Millisecond || d > pause+500*time.Millisecond {
						t.Errorf("trial %d began after %v, want %v", i, d, pause)
					}
					pause = min(2*pause, longestPause)
					for n := uint32(0); b.padding(t) > 0 || n < 5; n++ {
						b.remb(20e3)
						if n > 6 {
							is(b, 10*i+n)
						}
						film(s, a, cam, 250*time.Millisecond)
					}
					if !b.paused() {
						t.Fatal("pictures go on")
					}
				}
				if news > 0 {
					t.Error("the page was told of trials")
				}
			})
		})
	}
}

// On hold nothing reaches anybody, padding included.
func TestTrial_WithoutAPictureToWaitFor_ThereIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, a, b, cam := pausing(t)
		film(s, a, cam, firstPause+time.Second)
		if b.padding(t) == 0 {
			t.Fatal("no trial")
		}
		b.Point(nil, nil)
		film(s, a, cam, longestPause)
		if n := b.padding(t); n > 0 || b.out.link.paused {
			t.Errorf("%d bytes of padding", n)
		}
	})
}
