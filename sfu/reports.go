package sfu

import (
	"time"

	"github.com/pion/rtcp"

	"github.com/anteroom/anteroom/sfu/transport"
)

// tellReception tells the publisher how its sources arrive (RFC 3550 section 6.4.2). The caller holds mu.
func (in *inbound) tellReception(via *transport.Batch, now time.Time) {
	b, start := beginReceiverReport(in.told[:0], in.ssrc)
	head := len(b)
	for _, s := range in.sources {
		c, ok := s.rx.report()
		if !ok {
			continue
		}
		block := receptionBlock{ssrc: s.ssrc, counts: c}
		if clock, known := s.clock.load(); known {
			block.lastReport = middle32(clock.ntp)
			block.sinceReport = uint32(ticks(now.Sub(clock.received), 65536))
		}
		b = appendBlock(b, start, block)
	}
	if len(b) > head {
		b = appendName(b, in.ssrc, in.cname)
		_ = in.wire.WriteRTCP(via, b) // what cannot be sent is lost like any datagram
	}
	in.told = b
}

// senderReport learns a source's clock, and by its delay the publisher's.
func (in *inbound) senderReport(sr rtcp.SenderReport, now time.Time) {
	in.mu.Lock()
	defer in.mu.Unlock()
	st, ok := in.stream(sr.SSRC)
	if !in.gate || !ok || st.rtx || sr.SSRC != st.src.ssrc {
		return
	}
	clock := senderClock{ntp: sr.NTPTime, nanos: fromNTP(sr.NTPTime), rtp: sr.RTPTime, received: now}
	if in.offset.observe(in.peer.sfu.clock.nanos(now) - clock.nanos) {
		for _, s := range in.sources { // their own next reports tell their new clocks
			s.clock.forget()
		}
	}
	st.src.clock.store(clock)
}

// receptionReport learns the round trip from one of the peer's reports on our slots: the middle of the sender report's NTP time that it
// answers, and how long ago that came, in 1/65536 s (RFC 3550 section 6.4.1).
func (in *inbound) receptionReport(lastReport, sinceReport uint32, now time.Time) {
	if lastReport == 0 {
		return
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	units := middle32(toNTP(in.peer.sfu.clock.nanos(now))) - lastReport - sinceReport
	if rtt := time.Duration(units) * time.Second / 65536; rtt < maxRTT {
		in.rtt = rtt
	}
}

// maxRTT is the longest round trip that is believed.
const maxRTT = 5 * time.Second

// tick sends the sender reports that are due. A pair's come together, of one moment, also if only one of them is due: our estimate
// of the publisher's clock moves with the delay of their reports, and may be wrong as long as it is equally wrong for both.
func (o *outbound) tick(via *transport.Batch, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, s := range o.slots {
		due := false
		for _, t := range s.tracks {
			due = due || now.Sub(t.reported) >= reportEvery && t.started && t.src.clock.isKnown()
		}
		if !due {
			continue
		}
		b := o.report[:0]
		for _, t := range s.tracks {
			b = t.appendReport(b, now)
		}
		for _, t := range s.tracks {
			if t.reported.Equal(now) {
				b = appendName(b, t.ssrc, t.cname)
			}
		}
		_ = o.wire.WriteRTCP(via, b) // what cannot be sent is lost like any datagram
		o.report = b
	}
}

// appendReport appends the track's sender report if the source's clock is known: before its first sender report a guess would only
// spoil the lip sync.
func (t *track) appendReport(b []byte, now time.Time) []byte {
	if !t.started {
		return b
	}
	clock, known := t.src.clock.load()
	if !known {
		return b
	}
	t.reported = now
	publisher := &t.src.peer.in
	nanos := publisher.peer.sfu.clock.nanos(now)
	ts := clock.timestamp(nanos, publisher.offset.nanos.Load(), t.kind.clockRate()) + t.shift.ts
	return appendSenderReport(b, t.ssrc, toNTP(nanos), ts, t.packets, t.octets)
}
