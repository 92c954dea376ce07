package sfu

import (
	"time"

	"github.com/pion/rtcp"

	"github.com/anteroom/anteroom/sfu/transport"
)

// maxCompound keeps compound packets within one datagram on any path.
const maxCompound = 1200

// writeRTCP sends packets in as few compounds as fit (reduced-size ones may begin with any type, RFC
// 5506). What cannot be sent is lost like any datagram; what matters is repeated.
func writeRTCP(via *transport.Batch, w wire, pkts []rtcp.Packet) {
	var compound []byte
	for _, p := range pkts {
		b, err := p.Marshal()
		if err != nil {
			continue
		}
		if len(compound) > 0 && len(compound)+len(b) > maxCompound {
			_ = w.WriteRTCP(via, compound)
			compound = compound[:0]
		}
		compound = append(compound, b...)
	}
	if len(compound) > 0 {
		_ = w.WriteRTCP(via, compound)
	}
}

// readRTCP handles what the client says, as publisher and as viewer. Malformed compounds are dropped
// and counted.
func (p *Peer) readRTCP(via *transport.Batch, compound []byte, now time.Time) {
	pkts, err := rtcp.Unmarshal(compound)
	if err != nil {
		p.in.mu.Lock()
		p.in.dropped++
		p.in.mu.Unlock()
		return
	}
	for _, pkt := range pkts {
		switch pkt := pkt.(type) {
		case *rtcp.SenderReport:
			p.in.senderReport(pkt, now)
			p.in.receptionReports(pkt.Reports, now)
		case *rtcp.ReceiverReport:
			p.in.receptionReports(pkt.Reports, now)
		case *rtcp.TransportLayerNack:
			p.out.resend(via, pkt, now)
		case *rtcp.ReceiverEstimatedMaximumBitrate:
			p.out.hearEstimate(float64(pkt.Bitrate), now)
		case *rtcp.PictureLossIndication:
			p.out.passKeyframeRequest(pkt.MediaSSRC, now)
		case *rtcp.FullIntraRequest:
			for _, entry := range pkt.FIR {
				p.out.passKeyframeRequest(entry.SSRC, now)
			}
		}
	}
}

// resend answers a viewer's NACK.
func (o *outbound) resend(via *transport.Batch, nack *rtcp.TransportLayerNack, now time.Time) {
	t := o.bySSRC[nack.MediaSSRC]
	if t == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range nack.Nacks {
		nack.Nacks[i].Range(func(seq uint16) bool {
			t.resend(via, seq, now)
			return t.budget > 0
		})
	}
}

// passKeyframeRequest passes a viewer's PLI or FIR to the publisher. While the track itself waits for a
// keyframe there is nothing to pass on.
func (o *outbound) passKeyframeRequest(ssrc uint32, now time.Time) {
	t := o.bySSRC[ssrc]
	if t == nil {
		return
	}
	o.mu.Lock()
	src, started := t.src, t.started
	o.mu.Unlock()
	if src != nil && started {
		src.requestKeyframeFor(t, now)
	}
}
