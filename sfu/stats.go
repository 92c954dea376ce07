package sfu

import "github.com/anteroom/anteroom/sfu/transport"

// Stats are a peer's counters since NewPeer.
type Stats struct {
	Transport transport.Stats
	Forbidden uint64 // packets dropped by the closed gate
	Dropped   uint64 // packets of no known stream, or malformed
	Forwarded uint64 // packets written to this peer, retransmissions not counted
	Resent    uint64 // retransmissions written to this peer
	Sources   []SourceStats
	Slots     []SlotStats // pairs first, then contents
}

// SourceStats are the counters of one source that the peer publishes.
type SourceStats struct {
	Kind      string // "audio", "video", "content"
	Routes    int    // tracks it is forwarded to
	Packets   uint64 // received by themselves, since its numbering began
	Lost      uint64 // never received by themselves, since its numbering began
	Nacked    uint64 // requests for packets
	Recovered uint64 // packets that came after a request
	PLIs      uint64 // keyframe requests sent to the publisher
}

// SlotStats say what one slot carries.
type SlotStats struct {
	Carries string // the peer's ID; empty: nobody
	Tracks  []TrackStats
}

// TrackStats are the counters of one outgoing stream.
type TrackStats struct {
	Kind    string
	Waiting bool   // for a source's first packet or keyframe
	Paused  bool   // since the viewer's link is too weak for pictures
	Packets uint64 // modulo 2^32, as in sender reports
	Resent  uint64
}

// Totals are an SFU's counters since New, for metrics.
type Totals struct {
	Peers, Routes                                   int // now
	Received, Forwarded, Resent, Forbidden, Dropped uint64
	Nacked, Recovered, PLIs                         uint64
	Panics                                          uint64 // ours, over one peer
}

// Stats returns the peer's counters.
func (p *Peer) Stats() Stats {
	st := Stats{}
	p.in.stats(&st)
	p.out.stats(&st)
	return st
}

func (in *inbound) stats(st *Stats) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.wire != nil {
		st.Transport = in.wire.Stats()
	}
	st.Forbidden, st.Dropped = in.forbidden, in.dropped
	for _, s := range in.sources {
		st.Sources = append(st.Sources, SourceStats{
			Kind: s.kind.String(), Routes: len(s.routes),
			Packets: uint64(s.rx.received), Lost: uint64(s.rx.lost()),
			Nacked: s.nacked, Recovered: s.recovered, PLIs: s.plis,
		})
	}
}

func (o *outbound) stats(st *Stats) {
	o.mu.Lock()
	defer o.mu.Unlock()
	st.Forwarded, st.Resent = o.forwarded, o.resent
	for _, s := range o.slots {
		var ss SlotStats
		if s.carries != nil {
			ss.Carries = s.carries.id
		}
		for _, t := range s.tracks {
			ss.Tracks = append(ss.Tracks, TrackStats{
				Kind: t.kind.String(), Waiting: t.src != nil && !t.started, Paused: t.kind != audio && t.src != nil && o.link.paused,
				Packets: uint64(t.packets), Resent: t.resent,
			})
		}
		st.Slots = append(st.Slots, ss)
	}
}

// Stats returns the counters of all peers, also of those that are gone.
func (s *SFU) Stats() Totals {
	s.mu.Lock()
	defer s.mu.Unlock()
	sum := s.former
	sum.Peers, sum.Panics = len(s.peers), s.panics.Load()
	for _, p := range s.peers {
		st := p.Stats()
		sum.add(st)
		for _, src := range st.Sources {
			sum.Routes += src.Routes
		}
	}
	return sum
}

// add adds the counters of one peer.
func (t *Totals) add(st Stats) {
	t.Received += st.Transport.PacketsIn
	t.Forwarded += st.Forwarded
	t.Resent += st.Resent
	t.Forbidden += st.Forbidden
	t.Dropped += st.Dropped
	for _, s := range st.Sources {
		t.Nacked += s.Nacked
		t.Recovered += s.Recovered
		t.PLIs += s.PLIs
	}
}
