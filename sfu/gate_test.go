package sfu

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtcp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

func TestGate_Closed_NothingIsForwardedNorAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, a, b := pair(t)
		said[rtcp.Packet](a.wire)
		a.SetGate(false)
		var cam camera
		for i := range 100 {
			pkts := cam.shoot(1, true)
			a.send(time.Now(), pkts[0]) // the second one is missing
			a.send(time.Now(), voice(uint16(i), uint32(i)*960))
			a.tell(time.Now(), &rtcp.SenderReport{SSRC: videoSSRC, NTPTime: 1 << 40})
			b.tell(time.Now(), &rtcp.PictureLossIndication{MediaSSRC: b.track(video).ssrc})
			s.run20ms()
		}
		if got := b.wire.take(); len(got) != 0 {
			t.Errorf("%d packets forwarded", len(got))
		}
		if got := said[rtcp.Packet](a.wire); len(got) != 0 {
			t.Errorf("answered with %v", got)
		}
		if st := a.Stats(); st.Forbidden != 200 || st.Dropped != 0 {
			t.Errorf("%d packets counted as forbidden, %d as dropped", st.Forbidden, st.Dropped)
		}
	})
}

func TestGate_IsClosedAtFirst(t *testing.T) {
	p := &Peer{sfu: newTestSFU()}
	if _, err := p.negotiate(offer(false, 0, 0)); err != nil {
		t.Fatal(err)
	}
	p.attach(&fakeWire{})
	testPeer{Peer: p}.send(time.Now(), voice(1, 1))
	if n := p.Stats().Forbidden; n != 1 {
		t.Fatalf("%d packets counted as forbidden", n)
	}
}

func TestGate_Closing_ForgetsWhatCouldBeResent(t *testing.T) {
	_, a, b := pair(t)
	var cam camera
	a.send(time.Now(), cam.shoot(2, true)...)
	seq := b.wire.take()[1].SequenceNumber
	b.tick(nil, time.Now(), false)
	a.SetGate(false)
	b.tell(time.Now(), nackFor(b.track(video), seq))
	if got := b.wire.take(); len(got) != 0 {
		t.Fatalf("resent %v", got)
	}
}

func TestGate_Opened_AsksForAKeyframeAndGoesOn(t *testing.T) {
	_, a, b := pair(t)
	var cam camera
	a.send(time.Now(), cam.shoot(2, true)...)
	before := b.wire.take()[3]
	a.SetGate(false)
	said[rtcp.Packet](a.wire)
	a.send(time.Now(), cam.shoot(20000, false)...)
	a.SetGate(true)
	if n := a.plis(); n != 0 {
		t.Fatalf("%d keyframes asked for before the client's own gate can be open", n)
	}
	a.send(time.Now(), cam.shoot(1, false)...)
	if n := a.plis(); n != 1 {
		t.Fatalf("%d keyframes asked for", n)
	}
	a.send(time.Now(), cam.shoot(1, true)...)
	got := b.wire.take()
	if len(got) != 2 || got[0].SequenceNumber != before.SequenceNumber+1 {
		t.Fatalf("went on with %v after %v", got, before)
	}
}

func TestGate_Opened_AsksWhoeverSendsNothingAllTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, a, _ := pair(t)
		began := time.Now()
		for a.plis() == 0 {
			s.run20ms()
		}
		if after := time.Since(began); after < gateDelay || after > gateDelay+2*tickEvery {
			t.Errorf("asked after %v", after)
		}
	})
}

func TestGate_ForbiddenMedia_IsLoggedSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.InfoLevel)
		s := newSFU(Config{Logger: zap.New(core)})
		a := s.testPeer(t, "seat-7", offer(false, 0, 0))
		a.SetGate(false)
		for i := range 1000 {
			a.send(time.Now(), voice(uint16(i), 0))
			s.run20ms()
		}
		if n := logs.FilterMessage("media_forbidden").Len(); n != 2 {
			t.Fatalf("%d lines in 20 s", n)
		}
		if line := logs.All()[0].ContextMap(); line["peer"] != "seat-7" {
			t.Fatalf("logged %v", line)
		}
	})
}

func TestMedia_SeenAndSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestSFU()
		a := s.testPeer(t, "a", offer(true, 0, 0))
		var told []MediaState
		a.onMedia = func(m MediaState) { told = append(told, m) }
		var cam camera
		a.send(time.Now(), voice(1, 0))
		a.send(time.Now(), cam.shoot(1, true)...)
		began := time.Now()
		for i := 0; len(told) < 3; i++ {
			if i < 50 {
				a.send(time.Now(), voice(uint16(i+2), 0))
			}
			s.run20ms()
		}
		want := []MediaState{{Audio: true, Video: true}, {Audio: true}, {}}
		for i, m := range told {
			if m != want[i] {
				t.Fatalf("told %v, want %v", told, want)
			}
		}
		if took := time.Since(began); took < 2900*time.Millisecond || took > 3100*time.Millisecond {
			t.Fatalf("silence was told %v after the start, the last packet came after 1 s", took)
		}
	})
}
