package sfu

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
)

func TestReadRTCP_WhatIsCutOrMisframed_IsDroppedWhole(t *testing.T) {
	_, a, _ := pair(t)
	sr := &rtcp.SenderReport{SSRC: videoSSRC, NTPTime: 1 << 40, Reports: []rtcp.ReceptionReport{{SSRC: 1}}}
	whole, err := rtcp.Marshal([]rtcp.Packet{sr, &rtcp.PictureLossIndication{MediaSSRC: 1}})
	if err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		before := a.Stats().Dropped
		a.readRTCP(nil, whole[:n], time.Now())
		// The report alone is whole.
		if dropped, want := a.Stats().Dropped-before, n != sr.MarshalSize(); dropped == 1 != want {
			t.Errorf("cut to %d of %d bytes: dropped %d", n, len(whole), dropped)
		}
	}
	more := append([]byte(nil), whole...)
	more[0] |= 0x1f // claims blocks that are not there
	before := a.Stats().Dropped
	a.readRTCP(nil, more, time.Now())
	if a.Stats().Dropped != before+1 {
		t.Error("a report with fewer blocks than it claims was read")
	}
}

// Clients report each second as long as they are there.
func TestReadRTCP_ReportsAllocateNextToNothing(t *testing.T) {
	s, a, _ := pair(t)
	var blocks []rtcp.ReceptionReport
	for range 8 {
		blocks = append(blocks, rtcp.ReceptionReport{SSRC: 1, LastSenderReport: middle32(toNTP(s.clock.nanos(time.Now().Add(-50 * time.Millisecond)))), Delay: 1})
	}
	compound, err := rtcp.Marshal([]rtcp.Packet{
		&rtcp.SenderReport{SSRC: videoSSRC, NTPTime: 1 << 40}, &rtcp.ReceiverReport{Reports: blocks},
		&rtcp.SourceDescription{Chunks: []rtcp.SourceDescriptionChunk{{Source: 1, Items: []rtcp.SourceDescriptionItem{{Type: rtcp.SDESCNAME, Text: "c"}}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	// One for the clock that the sender report sets, which viewers read without a lock.
	if n := testing.AllocsPerRun(100, func() { a.readRTCP(nil, compound, now) }); n > 1 {
		t.Errorf("%v allocations", n)
	}
	if a.in.rtt == 0 {
		t.Error("no round trip was learned")
	}
}
