package sfu

import (
	"slices"
	"sync"
	"time"

	"github.com/pion/rtp"
)

// slot is what a viewer negotiated for one person, a pair of audio and video, or for one content
// video. It always carries one peer's media.
type slot struct {
	carries *Peer // changes under SFU.mu and outbound.mu both, so that either suffices to read it
	tracks  []*track
}

// outbound is a peer as a viewer: its slots. Of the fields before mu nothing changes after the offer.
type outbound struct {
	slots  []*slot // pairs first, then contents
	pairs  int
	bySSRC map[uint32]*track

	mu        sync.Mutex // guards the rest, and what is in the tracks
	wire      wire
	connected bool
	link      bandwidth
	told      bool // that pictures pause, by the last news to the peer's owner

	forwarded, resent uint64

	// For the packet being written: its header with what extensions hold, and its payload.
	header  rtp.Header
	level   [1]byte
	time    [3]byte
	lead    [16]byte  // of a retransmission's number and a VP8 descriptor
	payload [2][]byte // lead, and the source's
	report  []byte    // for the report being written
}

// change is a track that is to carry another source.
type change struct {
	track    *track
	from, to *source
}

// point sets what every slot carries, and returns the routes to change. The caller holds SFU.mu.
func (o *outbound) point(want func(i int, s *slot) *Peer, now time.Time) (changes []change) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i, s := range o.slots {
		s.carries = want(i, s)
		for _, t := range s.tracks {
			if from, to := t.src, s.carries.source(t.kind); from != to {
				t.point(to, now)
				changes = append(changes, change{t, from, to})
			}
		}
	}
	return changes
}

// tracks calls f with every track.
func (o *outbound) tracks(f func(*track)) {
	for _, s := range o.slots {
		for _, t := range s.tracks {
			f(t)
		}
	}
}

// connect notes that packets can be written, and returns the sources that owe a keyframe.
func (o *outbound) connect() []*source {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.connected = true
	o.link = bandwidth{sent: o.link.sent, lasting: firstPause}
	return o.awaited()
}

// awaited returns the sources whose first packet a track waits for. The caller holds mu.
func (o *outbound) awaited() []*source {
	var waiting []*source
	o.tracks(func(t *track) {
		if t.src != nil && !t.started && !slices.Contains(waiting, t.src) {
			waiting = append(waiting, t.src)
		}
	})
	return waiting
}

func (o *outbound) isConnected() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.connected
}

// disconnect notes that packets are not written any more. Every track that goes on later begins anew, with
// a keyframe, since the viewer has missed what came meanwhile.
func (o *outbound) disconnect() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.connected = false
	o.tracks(func(t *track) { t.started = false })
}
