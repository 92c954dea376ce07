package sfu

import (
	"math"
	"slices"
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
	for _, p := range s.peers {
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
		b.remb(400e3) // of pictures alone: browsers leave sound out
		film(s, a, cam, 3*time.Second)
		got := a.caps()
		if len(got) < 3 || math.Abs(got[0]-voiceRate-400e3) > 1e3 {
			t.Fatalf("asked for %v, want 450 kbit/s each second", got)
		}
		b.remb(700e3)
		film(s, a, cam, 200*time.Millisecond)
		if got := a.caps(); len(got) != 1 || math.Abs(got[0]-voiceRate-700e3) > 1e3 {
			t.Fatalf("asked for %v, want 750 kbit/s at once", got)
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

// Nothing else can be carried beside the sound, so that waiting would cost words.
func TestBandwidth_LessThanHalfOfAPicture_PausesItAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, bps := range []float32{50e3, 1} {
			_, _, b, _ := watching(t)
			b.remb(bps)
			if !b.Stats().Slots[0].Tracks[1].Paused {
				t.Errorf("%v: the picture goes on", bps)
			}
		}
	})
}

// What is still on its way for the wider link would fill the queue of the narrow one, and the sound with it.
func TestBandwidth_AFarNarrowerLink_PicturesBeginAnewAndSmall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, a, b, cam := watching(t)
		a.plis()
		b.wire.onRTP = nil
		b.remb(300e3)
		film(s, a, cam, 400*time.Millisecond)
		if got := videos(b.wire.take()); len(got) > 0 || b.Stats().Slots[0].Tracks[1].Paused {
			t.Errorf("%d packets of what was too much", len(got))
		}
		if a.plis() == 0 {
			t.Error("no keyframe is asked for")
		}
		a.send(time.Now(), cam.shoot(2, true)...)
		if len(videos(b.wire.take())) == 0 {
			t.Error("the keyframe did not pass")
		}
	})
}

func TestBandwidth_APause_IsToldOnceAndItsEndToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, a, b, cam := watching(t)
		var news []bool
		b.onPause = func(paused bool) { news = append(news, paused) }
		a.onPause = func(bool) { t.Error("the publisher was told") }
		film(s, a, cam, time.Second)
		b.remb(50e3)
		film(s, a, cam, firstPause-time.Second)
		if !slices.Equal(news, []bool{true}) {
			t.Fatalf("told %v", news)
		}
		film(s, a, cam, 2*time.Second)
		if !slices.Equal(news, []bool{true, false}) {
			t.Fatalf("told %v", news)
		}
	})
}

// The weakest viewer bounds the others' picture while they see it, and no longer.
func TestBandwidth_WhereAPicturePauses_ItBoundsThoseWhoSeeItNoMore_AndIsKeptSmallForNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, a, b, cam := watching(t)
		c := s.testPeer(t, "another viewer", offer(false, 1, 0))
		c.wire.onRTP = func(rtp.Packet) {}
		c.Point([]*Peer{a.Peer}, nil)
		b.remb(50e3)
		film(s, a, cam, 3*time.Second)
		if got := a.caps(); len(got) != 0 {
			t.Fatalf("asked for %v, though the other viewer has enough", got)
		}
		c.Point(nil, nil)
		film(s, a, cam, time.Second)
		if got := a.caps(); len(got) == 0 || got[0] != voiceRate+leastVideo {
			t.Fatalf("asked for %v, want the least, as nobody sees it", got)
		}
	})
}

// report tells what has become of the track's packets, as browsers do each second, and with each NACK.
func (p testPeer) report(of *track, newest, lost uint32) {
	p.tell(time.Now(), &rtcp.ReceiverReport{Reports: []rtcp.ReceptionReport{{
		SSRC: of.ssrc, FractionLost: 255, TotalLost: lost, LastSequenceNumber: newest,
	}}})
}

func TestBandwidth_HeavyLossOfASecond_BoundsToWhatComes(t *testing.T) {
	for name, tc := range map[string]struct {
		lost uint32 // of 100 a second
		want float64
	}{
		"bad luck":    {25, 0},
		"a full link": {60, 0.4},
		"a dead link": {100, leastVideo / 801.6e3},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, a, b, cam := watching(t)
				picture := b.track(video)
				picture.sentID = slotIDSent // a browser that will tell when it has more
				for i := range uint32(3) {
					newest := uint32(picture.last.seq)
					b.report(picture, newest, tc.lost*i)
					b.report(picture, newest+1, tc.lost*i+1) // with a NACK: all of one packet is lost
					b.remb(2e6)                              // full queues do not grow
					film(s, a, cam, time.Second)
				}
				got := a.caps()
				switch {
				case tc.want == 0 && len(got) > 0:
					t.Errorf("asked for %v", got)
				case tc.want > 0 && (len(got) == 0 || math.Abs(got[0]-voiceRate-tc.want*b.out.link.rate) > 0.1*b.out.link.rate):
					t.Errorf("asked for %v, of %v", got, b.out.link.rate)
				}
			})
		})
	}
}

func TestLosses_AreCountedOverTimesThatAreLongEnough(t *testing.T) {
	var l losses
	now := time.Unix(0, 0)
	for i, c := range []struct {
		after        time.Duration
		lost, newest uint32
		share        float64
		ok           bool
	}{
		{0, 1<<24 - 1, 1<<16 - 10, 0, false},           // the first
		{lossWindow / 2, 0, 1<<16 - 9, 0, false},       // too soon
		{lossWindow / 2, 9, 1<<16 + 10, 0.5, true},     // both counts wrapped
		{lossWindow, 4, 1<<16 + 30, 0, true},           // what came late is not lost
		{lossWindow, 4, 1<<16 + 30, 0, false},          // nothing was sent
		{lossWindow, 4, 1 << 15, 0, false},             // the count began anew
		{lossWindow, 14, 1<<15 + 10, 1, true},          //
		{lossWindow, 14 + 1<<23, 1<<15 + 20, 0, true},  // as if 2^23 packets had come late
		{lossWindow, 14 + 1<<23, 1<<15 + 119, 0, true}, //
	} {
		now = now.Add(c.after)
		if share, _, ok := l.since(c.lost, c.newest, &track{}, now); ok != c.ok || ok && share != c.share {
			t.Errorf("report %d: %v, %v", i, share, ok)
		}
	}
}

// What a full link loses is asked for, and would fill it again.
func TestBandwidth_WhatIsSentAgain_IsAPartOfWhatTheLinkCarries_AndAKeyframeTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, a, b, cam := watching(t)
		b.remb(700e3)
		film(s, a, cam, time.Second)
		b.remb(700e3)
		b.wire.onRTP = nil
		b.wire.take()
		a.plis()
		picture := b.track(video)
		const seconds = 4
		for range 50 * seconds {
			var all []uint16
			for back := range uint16(60) {
				all = append(all, picture.last.seq-back)
			}
			b.tell(time.Now(), &rtcp.TransportLayerNack{MediaSSRC: picture.ssrc, Nacks: rtcp.NackPairsFromSequenceNumbers(all)})
			film(s, a, cam, 20*time.Millisecond)
			b.remb(700e3)
		}
		bytes := 0
		for _, p := range b.wire.take() {
			if p.PayloadType == slotRTX {
				bytes += len(p.Payload)
			}
		}
		if most := 700e3 / 8 / 4 * (seconds + resendBurst.Seconds()) * 1.05; float64(bytes) > most || float64(bytes) < most/3 {
			t.Errorf("%d bytes were sent again, want up to %.0f", bytes, most)
		}
		if n := a.plis(); n == 0 || n > seconds*int(time.Second/pliEvery)+1 {
			t.Errorf("%d keyframes were asked for", n)
		}
	})
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
