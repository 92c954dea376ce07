package sfu

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/pion/rtcp"

	"github.com/anteroom/anteroom/sfu/transport"
)

// kind is what a source or track carries.
type kind uint8

const (
	audio kind = iota
	video
	content // video of a screen or an exam camera
)

func (k kind) String() string { return [...]string{"audio", "video", "content"}[k] }

func (k kind) clockRate() int64 {
	if k == audio {
		return 48000 // RFC 7587 section 4.1
	}
	return 90000 // RFC 7741 section 6.1
}

// source is one track that a peer publishes. Its publisher's inbound.mu guards it.
type source struct {
	peer      *Peer
	kind      kind
	mid       string
	pt, rtxPT uint8
	ssrc      uint32 // 0 until announced or learned

	routes []*track // whom it is forwarded to; edited under SFU.mu too
	epoch  uint32   // counts restarts of the packet numbering
	rx     receiver
	gaps   gaps
	pid    uint16 // newest PictureID, 15 bits
	key    keyframeWish
	heard  time.Time // the last packet with media
	ring   ring
	close  squeeze

	clock latestClock // read by viewers' reports, without the publisher's lock

	nacked, recovered, plis uint64
}

// packet is one media packet of a source on its way to the tracks. It is valid while its source is locked,
// or while the ring that holds it is.
type packet struct {
	epoch   uint32 // of its source's numbering; a new one continues nothing
	number  int64  // without gaps but those of lost packets; grows over epochs too
	ts      uint32
	marker  bool
	arrival time.Time
	level   uint8 // audio level extension (RFC 6464)
	leveled bool
	vp8     vp8Descriptor // of a video packet that is not empty
	payload []byte        // behind the descriptor; empty: padding whose number was already promised
}

func (s *source) payloadType(rtx bool) uint8 {
	if rtx {
		return s.rtxPT
	}
	return s.pt
}

// reset forgets what was received, so that the next packet starts an epoch.
func (s *source) reset() {
	s.epoch++
	s.rx.restart()
	s.gaps.clear()
	s.ring.clear()
	s.clock.forget()
	s.key = keyframeWish{}
	s.heard = time.Time{}
}

// received handles a packet of the source's own SSRC; false means that it was dropped.
func (s *source) received(pkt *transport.Packet) bool {
	h := &pkt.Header
	if h.SSRC != s.ssrc {
		return false // a former SSRC of this MID
	}
	arrival := ticks(s.peer.sfu.clock.since(pkt.Arrival), s.kind.clockRate())
	seq, verdict := s.rx.receive(h.SequenceNumber, h.Timestamp, uint32(arrival))
	switch verdict {
	case suspect:
		return false
	case restarted:
		s.epoch++
		s.gaps.clear()
		s.requestKeyframe(pkt.Arrival)
	}
	return s.handle(seq, pkt, pkt.Payload)
}

// retransmitted unwraps a packet of the source's RTX stream (RFC 4588 section 4).
func (s *source) retransmitted(pkt *transport.Packet) bool {
	if len(pkt.Payload) == 0 {
		return true // a bandwidth probe
	}
	if len(pkt.Payload) < 2 {
		return false
	}
	seq, ok := s.rx.locate(binary.BigEndian.Uint16(pkt.Payload))
	if !ok {
		return false
	}
	return s.handle(seq, pkt, pkt.Payload[2:])
}

// handle takes note of a packet whose extended sequence number is known and forwards it.
func (s *source) handle(seq int64, pkt *transport.Packet, payload []byte) bool {
	h, now := &pkt.Header, pkt.Arrival
	newest := s.rx.advance(seq)
	if s.kind != audio && len(s.routes) > 0 {
		s.noteGaps(seq, now)
	}
	if len(payload) == 0 && newest {
		s.close.drop(seq)
		return true
	}
	number, ok := s.close.number(seq)
	if !ok {
		return false
	}
	p := packet{
		epoch: s.epoch, number: number, ts: h.Timestamp, marker: h.Marker, arrival: now, payload: payload,
	}
	if s.heard.IsZero() {
		s.peer.hurry()
	}
	switch {
	case len(payload) == 0:
	case s.kind == audio:
		s.heard = now
		if level := extension(h, s.peer.in.levelID); len(level) == 1 {
			p.level, p.leveled = level[0], true
		}
	default:
		s.heard = now
		if !s.parse(&p, newest) {
			return false
		}
	}
	s.forward(pkt.Via, &p)
	return true
}

// noteGaps keeps the list of missing packets. Too many mean that only a keyframe helps.
func (s *source) noteGaps(seq int64, now time.Time) {
	recovered, ok := s.gaps.note(seq, now)
	if recovered {
		s.recovered++
	}
	if !ok {
		s.requestKeyframe(now)
	}
	if s.gaps.open() {
		s.peer.hurry()
	}
}

// parse reads the VP8 descriptor off the payload.
func (s *source) parse(p *packet, newest bool) bool {
	d, size, ok := parseVP8(p.payload)
	if !ok {
		return false
	}
	d.pid = d.widenPID(s.pid)
	if newest {
		s.pid = d.pid
	}
	p.vp8, p.payload = d, p.payload[size:]
	return true
}

// forward hands a packet to every track the source is routed to.
func (s *source) forward(via *transport.Batch, p *packet) {
	if len(s.routes) == 0 || s.kind != audio && !s.ring.put(p) {
		return // nobody watches, or it is a duplicate
	}
	all := true
	for _, t := range s.routes {
		all = t.take(via, s, p) && all
	}
	if all && p.vp8.key {
		s.key.wanted = false
	}
}

// addRoute starts forwarding to a track. A viewer who is not connected yet gets the keyframe when they are: an earlier one
// would be lost, and the publisher would not listen to the next request. The caller holds SFU.mu. A nil source does nothing.
func (s *source) addRoute(t *track) {
	if s == nil {
		return
	}
	s.peer.in.mu.Lock()
	defer s.peer.in.mu.Unlock()
	s.routes = append(s.routes, t)
	if t.owner.out.isConnected() {
		s.requestKeyframe(time.Now())
	}
}

// removeRoute ends forwarding to a track. The caller holds SFU.mu. A nil source does nothing.
func (s *source) removeRoute(t *track) {
	if s == nil {
		return
	}
	s.peer.in.mu.Lock()
	defer s.peer.in.mu.Unlock()
	s.routes = slices.DeleteFunc(s.routes, func(r *track) bool { return r == t })
	if len(s.routes) == 0 {
		s.gaps.clear()
		s.ring.clear()
		s.key = keyframeWish{}
	}
}

// nack returns the request for missing packets that is due, or nil.
func (s *source) nack(now time.Time) rtcp.Packet {
	seqs := s.gaps.due(now, s.peer.in.rtt)
	if len(seqs) == 0 {
		return nil
	}
	s.nacked += uint64(len(seqs))
	return &rtcp.TransportLayerNack{
		SenderSSRC: s.peer.in.ssrc, MediaSSRC: s.ssrc, Nacks: rtcp.NackPairsFromSequenceNumbers(seqs),
	}
}
