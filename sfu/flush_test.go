package sfu

import (
	"slices"
	"testing"
	"time"

	"github.com/anteroom/anteroom/sfu/transport"
)

func TestFlush_AUsedSlotsNextVoiceBeginsAnew(t *testing.T) {
	_, a, b := pair(t)
	a.send(time.Now(), voice(1, 1))
	b.Point(nil, nil)
	before := b.wire.take()
	if len(before) != 1 || before[0].PayloadType != slotOpus {
		t.Fatalf("an unused slot's first voice came as %v", before)
	}
	b.Point([]*Peer{a.Peer}, nil)
	a.send(time.Now(), voice(2, 961))
	got := b.wire.take()
	if len(got) != 2 || got[0].PayloadType != 0 || got[1].PayloadType != slotOpus {
		t.Fatalf("want a packet of the other codec, then the voice; got %v", got)
	}
	if !slices.Equal(got[0].Payload, silence) || string(got[0].GetExtension(slotIDMID)) != "2" {
		t.Errorf("the flush is %v", got[0])
	}
	all := append(before, got...)
	for i, p := range all[1:] {
		if p.SequenceNumber != all[i].SequenceNumber+1 || int32(p.Timestamp-all[i].Timestamp) < 1 || p.SSRC != all[i].SSRC {
			t.Errorf("%v does not follow %v", p, all[i])
		}
	}
}

func TestFlush_WithoutTheOtherCodec_NothingIsSent(t *testing.T) {
	s := newTestSFU()
	a := s.testPeer(t, "a", offer(false, 0, 0))
	of := offer(false, 1, 0)
	of.Media[2].Codecs = slices.DeleteFunc(of.Media[2].Codecs, func(c transport.Codec) bool { return c.Name == "PCMU" })
	b := s.testPeer(t, "b", of)
	for range 2 {
		b.Point([]*Peer{a.Peer}, nil)
		a.send(time.Now(), voice(1, 1))
		b.Point(nil, nil)
	}
	if got := b.wire.take(); len(got) != 2 || got[0].PayloadType != slotOpus || got[1].PayloadType != slotOpus {
		t.Fatalf("got %v", got)
	}
}

// Nothing but voices may come on the lines that a client sends: the other codec is for viewers.
func TestFlush_ClientsMayNotSendTheOtherCodec(t *testing.T) {
	p := &Peer{sfu: newTestSFU()}
	answer, err := p.negotiate(offer(false, 1, 0))
	if err != nil {
		t.Fatal(err)
	}
	if own, slot := answer.Media[0].Codecs, answer.Media[2].Codecs; len(own) != 1 || len(slot) != 2 {
		t.Errorf("own line takes %v, slot %v", own, slot)
	}
}
