package sfu

import (
	"encoding/binary"
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
// and counted. Reports, which come all the time, are read without allocating; the rest, which is seldom, by the library.
func (p *Peer) readRTCP(via *transport.Batch, compound []byte, now time.Time) {
	if !wellFramed(compound) {
		p.dropRTCP()
		return
	}
	for len(compound) > 0 {
		size := packetSize(compound)
		b := compound[:size]
		compound = compound[size:]
		blocks := b[len(b):]
		switch b[1] {
		case typeSenderReport:
			p.in.senderReport(readSenderReport(b), now)
			blocks = b[senderReportSize:]
		case typeReceiverReport:
			blocks = b[receiverReportSize:]
		case typeTransportFeedback, typePayloadFeedback:
			p.readFeedback(via, b, now)
		}
		for range min(int(b[0]&0x1f), len(blocks)/receptionBlockSize) {
			p.out.hearLoss(binary.BigEndian.Uint32(blocks), binary.BigEndian.Uint32(blocks[4:])&0xffffff, binary.BigEndian.Uint32(blocks[8:]), now)
			p.in.receptionReport(binary.BigEndian.Uint32(blocks[16:]), binary.BigEndian.Uint32(blocks[20:]), now)
			blocks = blocks[receptionBlockSize:]
		}
	}
}

// Sizes in RFC 3550 section 6.4, and the types of RFC 4585 section 6.1.
const (
	senderReportSize      = 28
	receiverReportSize    = 8
	receptionBlockSize    = 24
	typeTransportFeedback = 205
	typePayloadFeedback   = 206
)

// packetSize returns what the header of the first packet says.
func packetSize(b []byte) int { return 4 + 4*int(binary.BigEndian.Uint16(b[2:])) }

// wellFramed reports whether b is whole packets of RTCP, and each report as long as its blocks need.
func wellFramed(b []byte) bool {
	if len(b) == 0 {
		return false
	}
	for len(b) > 0 {
		if len(b) < 4 || b[0]>>6 != 2 || packetSize(b) > len(b) {
			return false
		}
		least := 4
		blocks := receptionBlockSize * int(b[0]&0x1f)
		switch b[1] {
		case typeSenderReport:
			least = senderReportSize + blocks
		case typeReceiverReport:
			least = receiverReportSize + blocks
		}
		if packetSize(b) < least {
			return false
		}
		b = b[packetSize(b):]
	}
	return true
}

func readSenderReport(b []byte) rtcp.SenderReport {
	return rtcp.SenderReport{
		SSRC: binary.BigEndian.Uint32(b[4:]), NTPTime: binary.BigEndian.Uint64(b[8:]), RTPTime: binary.BigEndian.Uint32(b[16:]),
	}
}

// readFeedback handles one feedback packet.
func (p *Peer) readFeedback(via *transport.Batch, b []byte, now time.Time) {
	pkts, err := rtcp.Unmarshal(b)
	if err != nil {
		p.dropRTCP()
		return
	}
	for _, pkt := range pkts {
		switch pkt := pkt.(type) {
		case *rtcp.TransportLayerNack:
			if p.out.resend(via, pkt, now) {
				p.out.passKeyframeRequest(pkt.MediaSSRC, now)
			}
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

func (p *Peer) dropRTCP() {
	p.in.mu.Lock()
	defer p.in.mu.Unlock()
	p.in.dropped++
}

// resend answers a viewer's NACK. It reports whether that takes a keyframe, since the link does not carry so much again.
func (o *outbound) resend(via *transport.Batch, nack *rtcp.TransportLayerNack, now time.Time) (renew bool) {
	t := o.bySSRC[nack.MediaSSRC]
	if t == nil {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	refused := false
	for i := range nack.Nacks {
		nack.Nacks[i].Range(func(seq uint16) bool {
			refused = !t.resend(via, seq, now) || refused
			return t.budget > 0
		})
	}
	renew = refused && o.link.fits() && now.Sub(t.renewed) >= renewEvery
	if renew {
		t.renewed = now
	}
	return renew
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
