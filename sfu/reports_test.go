package sfu

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtcp"
)

// wallOf returns the server's time of an RTP timestamp by a sender report.
func wallOf(sr *rtcp.SenderReport, ts uint32, rate int64) time.Duration {
	return time.Duration(fromNTP(sr.NTPTime)) + time.Duration(int32(ts-sr.RTPTime))*time.Second/time.Duration(rate)
}

// The publisher's clock is ten minutes off, its two streams begin at unlike timestamps, and its reports take
// unlike times to arrive. What was captured at one moment is at one moment of the viewer's reports too, also
// after the slot has carried somebody else.
func TestReports_SoundAndPictureOfOneMoment_StayTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, a, b := pair(t)
		other := s.testPeer(t, "other", offer(false, 0, 0))
		for round := range 2 {
			sound, picture := uint32(1000), uint32(900000)
			now := time.Now()
			theirs := toNTP(s.clock.nanos(now) + int64(10*time.Minute))
			a.tell(now, &rtcp.SenderReport{SSRC: audioSSRC, NTPTime: theirs, RTPTime: sound})
			a.tell(now.Add(40*time.Millisecond), &rtcp.SenderReport{SSRC: videoSSRC, NTPTime: theirs, RTPTime: picture})
			cam := camera{ts: picture - 3600} // its first frame is of the moment of the reports
			a.send(now, voice(uint16(1000*round+1), sound))
			a.send(now, cam.shoot(1, true)...)
			s.run20ms()
			sent, reports := b.wire.take(), said[*rtcp.SenderReport](b.wire)
			if len(sent) != 3 || len(reports) != 2 {
				t.Fatalf("%d packets and %d reports", len(sent), len(reports))
			}
			if reports[0].NTPTime != reports[1].NTPTime {
				t.Error("a pair's reports are not of one moment")
			}
			heard := wallOf(reports[0], sent[0].Timestamp, 48000)
			seen := wallOf(reports[1], sent[1].Timestamp, 90000)
			if apart := (heard - seen).Abs(); apart > time.Millisecond {
				t.Errorf("round %d: sound and picture are %v apart", round, apart)
			}
			if off := (heard - time.Duration(s.clock.nanos(now))).Abs(); off > 5*time.Millisecond { // a part of the report's delay
				t.Errorf("round %d: the sound is %v from the server's time", round, off)
			}
			b.Point([]*Peer{other.Peer}, nil)
			other.send(time.Now(), voice(1, 77))
			b.Point([]*Peer{a.Peer}, nil)
			b.wire.take()
		}
	})
}

func TestReports_BeforeTheSourcesFirst_NoneAreSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, a, b := pair(t)
		a.send(time.Now(), voice(1, 1))
		for range 100 {
			s.run20ms()
		}
		if got := said[*rtcp.SenderReport](b.wire); len(got) != 0 {
			t.Fatalf("guessed %v", got)
		}
	})
}

func TestReports_EverySecond_CountWhatWasWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, a, b := pair(t)
		a.tell(time.Now(), &rtcp.SenderReport{SSRC: audioSSRC, NTPTime: toNTP(s.clock.nanos(time.Now())), RTPTime: 1})
		for i := range 150 { // 3 s
			a.send(time.Now(), voice(uint16(i), uint32(i)*960))
			s.run20ms()
		}
		got := said[*rtcp.SenderReport](b.wire)
		if len(got) != 3 {
			t.Fatalf("%d reports in 3 s", len(got))
		}
		last := got[2]
		if last.SSRC != b.track(audio).ssrc || last.PacketCount < 100 || last.OctetCount != 5*last.PacketCount {
			t.Errorf("report %+v", last)
		}
	})
}

func TestReports_ToThePublisher_SayWhatIsLostAndWhenItReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, a, _ := pair(t)
		ntp := toNTP(s.clock.nanos(time.Now()))
		a.send(time.Now(), voice(1, 960), voice(2, 1920), voice(4, 3840))
		a.tell(time.Now(), &rtcp.SenderReport{SSRC: audioSSRC, NTPTime: ntp, RTPTime: 960})
		said[rtcp.Packet](a.wire)
		a.in.reported = time.Now()
		for range 50 {
			s.run20ms()
		}
		got := said[*rtcp.ReceiverReport](a.wire)
		if len(got) != 1 || len(got[0].Reports) != 1 {
			t.Fatalf("reports %v", got)
		}
		r := got[0].Reports[0]
		if r.SSRC != audioSSRC || r.TotalLost != 1 || r.LastSenderReport != middle32(ntp) || r.Delay>>16 != 1 {
			t.Errorf("report %+v, want one lost and a delay of 1 s", r)
		}
	})
}

func TestReports_OfTheViewer_GiveTheRoundTrip(t *testing.T) {
	s := newTestSFU()
	p := s.testPeer(t, "p", offer(false, 1, 0))
	sent := s.clock.began.Add(time.Hour)
	report := func(lsr, delay uint32) {
		p.tell(sent.Add(300*time.Millisecond), &rtcp.ReceiverReport{Reports: []rtcp.ReceptionReport{{
			SSRC: 1, LastSenderReport: lsr, Delay: delay,
		}}})
	}
	lsr := middle32(toNTP(s.clock.nanos(sent)))
	for _, tc := range []struct {
		name       string
		lsr, delay uint32
		want       time.Duration
	}{
		{"no report of ours yet", 0, 0, 0},
		{"held for 200 ms", lsr, 65536 / 5, 100 * time.Millisecond},
		{"from the future", lsr + 65536, 0, 100 * time.Millisecond},
		{"days old", lsr - 1<<31, 0, 100 * time.Millisecond},
	} {
		report(tc.lsr, tc.delay)
		if d := (p.in.rtt - tc.want).Abs(); d > time.Millisecond {
			t.Errorf("%s: round trip %v, want %v", tc.name, p.in.rtt, tc.want)
		}
	}
}

func TestFeedback_TransportWide_TellsOfEveryPacket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, a, _ := pair(t)
		said[rtcp.Packet](a.wire)
		for i := range uint16(10) {
			p := voice(i, uint32(i)*960)
			if err := p.SetExtension(idTWCC, []byte{0, byte(i + 5)}); err != nil {
				t.Fatal(err)
			}
			if i != 4 {
				a.send(time.Now(), p)
			}
		}
		s.run20ms()
		got := said[*rtcp.TransportLayerCC](a.wire)
		if len(got) != 1 || got[0].BaseSequenceNumber != 5 || got[0].PacketStatusCount != 10 || len(got[0].RecvDeltas) != 9 {
			t.Fatalf("feedback %v", got)
		}
	})
}

func TestClock_NTPRoundTrip(t *testing.T) {
	for _, nanos := range []int64{0, 1, int64(time.Second) - 1, ntpEpoch, ntpEpoch + 1795644547386449123} {
		if got := fromNTP(toNTP(nanos)); got > nanos || nanos-got > 1 {
			t.Errorf("%d became %d", nanos, got)
		}
	}
}

func TestClockOffset_LeastCountsAtOnce_MoreSlowly(t *testing.T) {
	var o clockOffset
	for _, step := range []struct {
		name          string
		observe, want time.Duration
	}{
		{"the first one", 100 * time.Millisecond, 100 * time.Millisecond},
		{"less delay", 60 * time.Millisecond, 60 * time.Millisecond},
		{"more delay", 76 * time.Millisecond, 61 * time.Millisecond},
		{"the clock was set", time.Hour, time.Hour},
	} {
		o.observe(int64(step.observe))
		if got := time.Duration(o.nanos.Load()); got != step.want {
			t.Errorf("%s: %v, want %v", step.name, got, step.want)
		}
	}
}
