package sfu

import (
	"encoding/binary"
	"slices"
	"sync"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"go.uber.org/zap"

	"github.com/anteroom/anteroom/sfu/transport"
)

// inbound is a peer as a publisher: its sources and the feedback it gets.
type inbound struct {
	peer  *Peer
	ssrc  uint32 // ours, as the sender of feedback
	cname string
	// Header extension ids, one meaning for all m-lines of a bundle (RFC 8843 section 9); 0: not offered.
	midID, twccID, levelID uint8

	mu       sync.Mutex // guards the rest, and what is in the sources
	wire     wire
	gate     bool
	opened   time.Time // of a gate that is open: when, until the first packet has come; else zero
	sources  []*source // audio, video, perhaps content; the list itself never changes
	streams  []stream  // few, so looked through
	arrivals *arrivals // while the gate is open
	told     []byte    // the last report's memory
	capped   sendCap
	offset   clockOffset
	rtt      time.Duration // 0: not known
	seen     MediaState
	reported time.Time // the last receiver report
	logged   time.Time // the last line about forbidden media

	forbidden, loggedForbidden, dropped uint64
}

// stream is what one SSRC carries: a source's packets or their retransmissions.
type stream struct {
	ssrc uint32
	rtx  bool
	src  *source
}

// stream returns what an SSRC that was announced or learned carries.
func (in *inbound) stream(ssrc uint32) (stream, bool) {
	for i := range in.streams {
		if in.streams[i].ssrc == ssrc {
			return in.streams[i], true
		}
	}
	return stream{}, false
}

func (in *inbound) setGate(open bool, now time.Time) {
	if in.gate == open {
		return
	}
	in.gate, in.opened = open, time.Time{}
	if open {
		in.opened = now
	}
	in.arrivals, in.capped = nil, sendCap{}
	if open {
		in.arrivals = &arrivals{}
	}
	for _, s := range in.sources {
		s.reset()
		s.requestKeyframe(now)
	}
}

// receive handles one packet. The caller holds mu.
func (in *inbound) receive(pkt *transport.Packet) {
	if !in.gate {
		in.forbidden++
		return
	}
	st, ok := in.demux(&pkt.Header)
	if !ok {
		in.dropped++
		return
	}
	if !in.opened.IsZero() {
		in.opened = time.Time{}
		for _, s := range in.sources {
			s.repeatPLI(pkt.Arrival)
		}
	}
	if ext := extension(&pkt.Header, in.twccID); len(ext) == 2 {
		in.arrivals.note(binary.BigEndian.Uint16(ext), in.peer.sfu.clock.since(pkt.Arrival).Microseconds())
	}
	if st.rtx {
		ok = st.src.retransmitted(pkt)
	} else {
		ok = st.src.received(pkt)
	}
	if !ok {
		in.dropped++
	}
}

// demux finds the packet's stream: by its SSRC, announced or learned, else by MID and payload type
// (RFC 8843 section 9.2), which teaches the SSRC.
func (in *inbound) demux(h *rtp.Header) (stream, bool) {
	if st, ok := in.stream(h.SSRC); ok {
		return st, h.PayloadType == st.src.payloadType(st.rtx)
	}
	mid := extension(h, in.midID)
	i := slices.IndexFunc(in.sources, func(s *source) bool { return s.mid == string(mid) })
	if len(mid) == 0 || i < 0 || h.SSRC == 0 || len(in.streams) >= in.peer.sfu.streams {
		return stream{}, false
	}
	st := stream{ssrc: h.SSRC, src: in.sources[i]}
	switch {
	case h.PayloadType == st.src.pt:
		if st.src.ssrc != 0 {
			st.src.reset()
		}
		st.src.ssrc = h.SSRC
	case h.PayloadType == st.src.rtxPT && st.src.rtxPT != 0:
		st.rtx = true
	default:
		return stream{}, false
	}
	in.streams = append(in.streams, st)
	return st, true
}

// extension returns the packet's header extension of that id; nil if it or the id is not there.
func extension(h *rtp.Header, id uint8) []byte {
	if id == 0 {
		return nil
	}
	return h.GetExtension(id)
}

// viewers returns the peers that sources of this one are routed to.
func (in *inbound) viewers() []*Peer {
	in.mu.Lock()
	defer in.mu.Unlock()
	var viewers []*Peer
	for _, s := range in.sources {
		for _, t := range s.routes {
			if !slices.Contains(viewers, t.owner) {
				viewers = append(viewers, t.owner)
			}
		}
	}
	return viewers
}

// tick sends the feedback that is due and returns which media is seen and whether that changed.
func (in *inbound) tick(via *transport.Batch, now time.Time, feedback, hurried bool) (media MediaState, changed bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.logForbidden(now)
	if in.gate {
		in.feedback(via, now, feedback)
		if hurried {
			in.ask(via, now)
		}
	}
	for _, s := range in.sources {
		seen := in.gate && !s.heard.IsZero() && now.Sub(s.heard) < silentAfter
		switch s.kind {
		case audio:
			media.Audio = seen
		case video:
			media.Video = seen
		case content:
			media.Content = seen
		}
	}
	changed = media != in.seen
	in.seen = media
	return media, changed
}

func (in *inbound) feedback(via *transport.Batch, now time.Time, transportWide bool) {
	if now.Sub(in.reported) >= reportEvery {
		in.reported = now
		in.tellReception(via, now)
	}
	if transportWide {
		in.tellArrivals(via)
		in.bound(via, now)
	}
}

// ask asks for packets and keyframes that are missing.
func (in *inbound) ask(via *transport.Batch, now time.Time) {
	var pkts []rtcp.Packet
	for _, s := range in.sources {
		if nack := s.nack(now); nack != nil {
			pkts = append(pkts, nack)
		}
		s.repeatPLI(now)
		if s.gaps.open() || s.key.wanted {
			in.peer.hurry()
		}
	}
	writeRTCP(via, in.wire, pkts)
}

// tellArrivals sends the transport-wide feedback.
func (in *inbound) tellArrivals(via *transport.Batch) {
	for {
		in.told = in.arrivals.feedback(in.told[:0], in.ssrc, in.sources[0].ssrc)
		if len(in.told) == 0 {
			return
		}
		_ = in.wire.WriteRTCP(via, in.told) // what cannot be sent is lost like any datagram
	}
}

// logForbidden tells of media that a closed gate dropped, seldom enough for a log.
func (in *inbound) logForbidden(now time.Time) {
	if in.forbidden == in.loggedForbidden || now.Sub(in.logged) < logEvery {
		return
	}
	in.peer.sfu.log.Warn("media_forbidden", zap.String("peer", in.peer.id), zap.Uint64("packets", in.forbidden-in.loggedForbidden))
	in.logged, in.loggedForbidden = now, in.forbidden
}
