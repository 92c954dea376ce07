package sfu

import (
	"time"

	"github.com/pion/rtcp"

	"github.com/anteroom/anteroom/sfu/transport"
)

// receiverReport tells the publisher how its sources arrive (RFC 3550 section 6.4.2). The caller holds
// mu.
func (in *inbound) receiverReport(now time.Time) []rtcp.Packet {
	report := &rtcp.ReceiverReport{SSRC: in.ssrc}
	for _, s := range in.sources {
		c, ok := s.rx.report()
		if !ok {
			continue
		}
		block := rtcp.ReceptionReport{
			SSRC: s.ssrc, FractionLost: c.fractionLost, TotalLost: c.lost, LastSequenceNumber: c.highest, Jitter: c.jitter,
		}
		if clock := s.clock.Load(); clock != nil {
			block.LastSenderReport = middle32(clock.ntp)
			block.Delay = uint32(ticks(now.Sub(clock.received), 65536))
		}
		report.Reports = append(report.Reports, block)
	}
	if len(report.Reports) == 0 {
		return nil
	}
	return []rtcp.Packet{
		report, &rtcp.SourceDescription{Chunks: []rtcp.SourceDescriptionChunk{cname(in.ssrc, in.cname)}},
	}
}

func cname(ssrc uint32, name string) rtcp.SourceDescriptionChunk {
	return rtcp.SourceDescriptionChunk{
		Source: ssrc, Items: []rtcp.SourceDescriptionItem{{Type: rtcp.SDESCNAME, Text: name}},
	}
}

// senderReport learns a source's clock, and by its delay the publisher's.
func (in *inbound) senderReport(sr *rtcp.SenderReport, now time.Time) {
	in.mu.Lock()
	defer in.mu.Unlock()
	st, ok := in.bySSRC[sr.SSRC]
	if !in.gate || !ok || st.rtx || sr.SSRC != st.src.ssrc {
		return
	}
	clock := &senderClock{ntp: sr.NTPTime, nanos: fromNTP(sr.NTPTime), rtp: sr.RTPTime, received: now}
	in.offset.observe(in.peer.sfu.clock.nanos(now) - clock.nanos)
	st.src.clock.Store(clock)
}

// receptionReports learn the round trip from the peer's reports on our slots (RFC 3550 section 6.4.1).
func (in *inbound) receptionReports(blocks []rtcp.ReceptionReport, now time.Time) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, b := range blocks {
		if b.LastSenderReport == 0 {
			continue
		}
		units := middle32(toNTP(in.peer.sfu.clock.nanos(now))) - b.LastSenderReport - b.Delay
		if rtt := time.Duration(units) * time.Second / 65536; rtt < maxRTT {
			in.rtt = rtt
		}
	}
}

// maxRTT is the longest round trip that is believed.
const maxRTT = 5 * time.Second

// tick sends the sender reports that are due. A pair's come in one compound, of one moment.
func (o *outbound) tick(via *transport.Batch, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, s := range o.slots {
		var reports []rtcp.Packet
		var names []rtcp.SourceDescriptionChunk
		for _, t := range s.tracks {
			t.budget = resendBudget
			if sr := t.senderReport(now); sr != nil {
				reports = append(reports, sr)
				names = append(names, cname(t.ssrc, t.cname))
			}
		}
		if len(reports) > 0 {
			writeRTCP(via, o.wire, append(reports, &rtcp.SourceDescription{Chunks: names}))
		}
	}
}

// senderReport returns the track's report if it is due and the source's clock is known: before its first
// sender report a guess would only spoil the lip sync.
func (t *track) senderReport(now time.Time) rtcp.Packet {
	if !t.started || now.Sub(t.reported) < reportEvery {
		return nil
	}
	clock := t.src.clock.Load()
	if clock == nil {
		return nil
	}
	t.reported = now
	publisher := &t.src.peer.in
	nanos := publisher.peer.sfu.clock.nanos(now)
	return &rtcp.SenderReport{
		SSRC:        t.ssrc,
		NTPTime:     toNTP(nanos),
		RTPTime:     clock.timestamp(nanos, publisher.offset.nanos.Load(), t.kind.clockRate()) + t.shift.ts,
		PacketCount: t.packets,
		OctetCount:  t.octets,
	}
}
