package sfu

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// remb says what a viewer's browser estimates.
func (p testPeer) remb(bps float32) {
	p.tell(time.Now(), &rtcp.ReceiverEstimatedMaximumBitrate{Bitrate: bps})
}

// caps returns what the publisher was asked to keep to since the last call.
func (p testPeer) caps() (bps []float64) {
	for _, c := range said[*rtcp.ReceiverEstimatedMaximumBitrate](p.wire) {
		bps = append(bps, float64(c.Bitrate))
	}
	return bps
}

// film has a sends about 800 kbit/s of video, and the SFU do its work, for that long.
func film(s *SFU, a testPeer, cam *camera, d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		for _, p := range cam.shoot(1, false) {
			p.Payload = append(p.Payload, make([]byte, 1000)...)
			a.send(time.Now(), p)
		}
		s.tickAll()
		pass(20 * time.Millisecond)
	}
}

// tickAll does what the SFU does each 100 ms, feedback included.
func (s *SFU) tickAll() {
	for p := range s.peers {
		p.tick(nil, time.Now(), true)
	}
}

func watching(t *testing.T) (s *SFU, a, b testPeer, cam *camera) {
	t.Helper()
	s, a, b = pair(t)
	cam = &camera{}
	a.send(time.Now(), cam.shoot(1, true)...)
	b.wire.take()
	b.wire.onRTP = func(rtp.Packet) {}
	b.remb(2e6) // the rate is measured from the first estimate on
	film(s, a, cam, time.Second)
	a.wire.take()
	a.caps()
	return s, a, b, cam
}

func TestBandwidth_EnoughForAll_BoundsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, a, b, cam := watching(t)
		for _, bps := range []float32{
			1e6,                        // fell, but to more than is sent
			905e3, 820e3, 740e3, 670e3, // less than is sent, but did not fall by much: it lags behind
		} {
			b.remb(bps)
			film(s, a, cam, time.Second)
		}
		if got := a.caps(); len(got) != 0 {
			t.Fatalf("asked for %v", got)
		}
	})
}

func TestBandwidth_AWeakViewersShare_BoundsThePublisher_UntilThereIsPlenty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, a, b, cam := watching(t)
		b.remb(400e3)
		film(s, a, cam, 3*time.Second)
		got := a.caps()
		if len(got) < 3 || math.Abs(got[0]-400e3) > 1e3 {
			t.Fatalf("asked for %v, want 400 kbit/s each second", got)
		}
		b.remb(700e3)
		film(s, a, cam, 200*time.Millisecond)
		if got := a.caps(); len(got) != 1 || math.Abs(got[0]-700e3) > 1e3 {
			t.Fatalf("asked for %v, want 700 kbit/s at once", got)
		}
		b.remb(3e6)
		film(s, a, cam, 10*time.Second)
		if got := a.caps(); len(got) != capRepeats || got[0] < plentyVideo {
			t.Fatalf("asked for %v, want an end of the bound, said %d times", got, capRepeats)
		}
	})
}

func TestBandwidth_TooLittleForAPicture_PausesItAndKeepsTheVoice_AndTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, a, b, cam := watching(t)
		for range 4 {
			b.remb(90e3)
			film(s, a, cam, time.Second)
		}
		b.wire.onRTP = nil
		film(s, a, cam, time.Second)
		a.send(time.Now(), voice(1, 1))
		if got := b.wire.take(); len(got) != 1 || got[0].PayloadType != slotOpus {
			t.Fatalf("%d packets while the picture pauses, want the voice alone", len(got))
		}
		if !b.Stats().Slots[0].Tracks[1].Paused || b.Stats().Slots[0].Tracks[0].Paused {
			t.Error("the statistics do not say so")
		}
		a.plis()
		film(s, a, cam, firstPause)
		if n := a.plis(); n == 0 {
			t.Fatal("no keyframe is asked for after the pause")
		}
		a.send(time.Now(), cam.shoot(2, true)...)
		if got := videos(b.wire.take()); len(got) != 4 {
			t.Fatalf("%d packets of the picture after the pause", len(got))
		}
	})
}

// A pause takes longer each time, so that a link that stays weak is not flooded again and again.
func TestBandwidth_PausesGetLonger_UpToAMinute(t *testing.T) {
	b := bandwidth{lasting: firstPause}
	now := time.Unix(0, 0)
	var pauses []time.Duration
	for range 5 {
		for i := 0; !b.paused; i++ {
			b.sent += 100e3
			now = now.Add(time.Second)
			b.hear([]float64{1e6, 1e6, 90e3}[min(i, 2)], 1, 1, now)
			if i > 10 {
				t.Fatal("no pause")
			}
		}
		began := now
		for !b.resume(now) {
			now = now.Add(time.Second)
		}
		pauses = append(pauses, now.Sub(began))
	}
	want := []time.Duration{10 * time.Second, 20 * time.Second, 40 * time.Second, time.Minute, time.Minute}
	for i := range want {
		if pauses[i] != want[i] {
			t.Fatalf("paused for %v, want %v", pauses, want)
		}
	}
}

func TestSendTime_IsIn18BitsOfASecond(t *testing.T) {
	var b [3]byte
	for _, tc := range []struct {
		at   time.Duration
		want uint32
	}{{0, 0}, {time.Second, 1 << 18}, {63*time.Second + 500*time.Millisecond, 63<<18 + 1<<17}, {64 * time.Second, 0}, {100 * time.Hour, 360000 % 64 << 18}} {
		putSendTime(&b, tc.at)
		if got := uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2]); got != tc.want {
			t.Errorf("%v is %d, want %d", tc.at, got, tc.want)
		}
	}
}
