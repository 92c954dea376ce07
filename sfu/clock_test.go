package sfu

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtcp"
)

// The publisher's clock is set, or the server slept, in which its own clock stood still. The reports of its sound and of its
// picture show it one after the other; between them viewers are told nothing that is of both clocks.
func TestReports_AClockIsSet_SoundAndPictureStayTogether(t *testing.T) {
	for name, step := range map[string]time.Duration{
		"publisher an hour ahead": time.Hour, "publisher an hour back": -time.Hour, "server asleep for ten minutes": 10 * time.Minute,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, a, b := pair(t)
				ahead := time.Duration(0)
				sound, picture := uint32(1000), uint32(900000)
				cam := camera{ts: picture - 3600}
				report := func(ssrc, ts uint32) {
					theirs := toNTP(s.clock.nanos(time.Now()) + int64(ahead))
					a.tell(time.Now(), &rtcp.SenderReport{SSRC: ssrc, NTPTime: theirs, RTPTime: ts})
				}
				second := func() []*rtcp.SenderReport {
					said[rtcp.Packet](b.wire)
					for range 50 {
						s.run20ms()
					}
					sound, picture = sound+48000, picture+90000
					return said[*rtcp.SenderReport](b.wire)
				}
				report(audioSSRC, sound)
				report(videoSSRC, picture)
				a.send(time.Now(), voice(1, sound))
				a.send(time.Now(), cam.shoot(1, true)...)
				first := b.wire.take()
				voiceTS, pictureTS := first[0].Timestamp, first[1].Timestamp // of one moment
				if got := second(); len(got) != 2 {
					t.Fatalf("%d reports at first", len(got))
				}
				ahead = step
				report(audioSSRC, sound)
				for _, sr := range second() {
					if sr.SSRC != b.track(audio).ssrc {
						t.Errorf("told of the picture's clock before that was known: %+v", sr)
					}
				}
				report(videoSSRC, picture)
				got := second()
				if len(got) != 2 {
					t.Fatalf("%d reports afterwards", len(got))
				}
				heard, seen := wallOf(got[0], voiceTS, 48000), wallOf(got[1], pictureTS, 90000)
				if apart := (heard - seen).Abs(); apart > time.Millisecond {
					t.Errorf("sound and picture are %v apart", apart)
				}
			})
		})
	}
}

// Ten minutes in which nothing ran, with the steady clock going on, as in a process that was stopped.
func TestTracks_StoppedForTenMinutes_GoOnAsMuchLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, a, b := pair(t)
		a.send(time.Now(), voice(1, 960))
		before := b.wire.take()
		const asleep = 10 * time.Minute
		pass(asleep)
		for range 10 {
			s.run20ms()
		}
		a.send(time.Now(), voice(2, 960+48000*600))
		after := b.wire.take()
		if len(before) != 1 || len(after) == 0 {
			t.Fatalf("%d packets before, %d after", len(before), len(after))
		}
		if got := after[len(after)-1].Timestamp - before[0].Timestamp; got != 48000*600 {
			t.Errorf("%d ticks later, want %d", got, 48000*600)
		}
	})
}
