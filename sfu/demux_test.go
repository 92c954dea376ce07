package sfu

import (
	"slices"
	"testing"
	"time"

	"github.com/pion/rtp"
)

func withMID(p rtp.Packet, mid string) rtp.Packet {
	if err := p.SetExtension(idMID, []byte(mid)); err != nil {
		panic(err)
	}
	return p
}

func TestDemux_BySSRCOrMID(t *testing.T) {
	var cam camera
	key := cam.shoot(1, true)
	from := func(p rtp.Packet, ssrc uint32, pt uint8) rtp.Packet {
		p.SSRC, p.PayloadType = ssrc, pt
		return p
	}
	for _, tc := range []struct {
		name      string
		announced bool
		packets   []rtp.Packet
		forwarded int
	}{
		{"announced", true, key, 2},
		{"announced, other payload type", true, []rtp.Packet{from(key[0], videoSSRC, 98)}, 0},
		{"announced RTX", true, []rtp.Packet{key[0], wrapRTX(key[1], 5)}, 2},
		{"unknown SSRC", true, []rtp.Packet{from(key[0], 77, ptVP8)}, 0},
		{"unknown SSRC, unknown MID", true, []rtp.Packet{withMID(from(key[0], 77, ptVP8), "9")}, 0},
		{"MID of a slot", true, []rtp.Packet{withMID(from(key[0], 77, ptVP8), "2")}, 0},
		{"MID", false, []rtp.Packet{withMID(from(key[0], 77, ptVP8), "1"), from(key[1], 77, ptVP8)}, 2},
		{"MID, payload type not taken", false, []rtp.Packet{withMID(from(key[0], 77, 98), "1")}, 0},
		{"RTX by MID and payload type", false, []rtp.Packet{
			withMID(from(key[0], 77, ptVP8), "1"), withMID(from(wrapRTX(key[1], 5), 78, ptRTX), "1"),
		}, 2},
		{"RTX before its stream", false, []rtp.Packet{withMID(from(wrapRTX(key[1], 5), 78, ptRTX), "1")}, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newTestSFU()
			of := offer(false, 1, 0)
			if !tc.announced {
				for i := range of.Media {
					of.Media[i].SSRC, of.Media[i].RTXSSRC = 0, 0
				}
			}
			a, b := s.testPeer(t, "a", of), s.testPeer(t, "b", offer(false, 1, 0))
			b.Point([]*Peer{a.Peer}, nil)
			a.send(time.Now(), tc.packets...)
			if got := len(b.wire.take()); got != tc.forwarded {
				t.Fatalf("%d packets forwarded, want %d", got, tc.forwarded)
			}
			if got := a.Stats().Dropped; int(got) != len(tc.packets)-tc.forwarded {
				t.Fatalf("%d packets counted as dropped", got)
			}
		})
	}
}

func TestDemux_APeerOpensNoMoreStreamsThanAllowed(t *testing.T) {
	_, a, b := pair(t)
	for ssrc := uint32(1); ssrc <= 1000; ssrc++ {
		p := withMID(voice(uint16(ssrc), ssrc), "0")
		p.SSRC = ssrc
		a.send(time.Now(), p)
	}
	if n := len(a.in.streams); n != 32 {
		t.Fatalf("%d streams", n)
	}
	if got := len(b.wire.take()); got > 32 {
		t.Fatalf("%d packets forwarded", got)
	}
}

// A publisher that changes its SSRC or numbering is one stream to its viewers all the same.
func TestDemux_AnotherSSRCOfTheSameMID_ContinuesTheTrack(t *testing.T) {
	_, a, b := pair(t)
	now := time.Now()
	a.send(now, voice(7, 1000), voice(8, 1960))
	fresh := withMID(voice(60000, 5), "0")
	fresh.SSRC = 4711
	a.send(now.Add(20*time.Millisecond), fresh, voice(9, 2920))
	fresh.SequenceNumber, fresh.Timestamp = 60001, 965
	a.send(now.Add(40*time.Millisecond), fresh)
	got := b.wire.take()
	var seqs []uint16
	for _, p := range got {
		seqs = append(seqs, p.SequenceNumber-got[0].SequenceNumber)
	}
	if !slices.Equal(seqs, []uint16{0, 1, 2, 3}) {
		t.Fatalf("sequence numbers %v", seqs)
	}
	if d := got[2].Timestamp - got[1].Timestamp; d != 960 {
		t.Fatalf("20 ms later is %d ticks later", d)
	}
}
