package sfu

import (
	"slices"
	"time"

	"github.com/pion/rtcp"
)

const (
	// pliEvery is above the 300 ms within which Chromium ignores another request.
	pliEvery = 310 * time.Millisecond
	// gateDelay is how long a client may take to open its own gate after ours, if it sends nothing before: a keyframe
	// that its gate still drops costs pliEvery.
	gateDelay = 60 * time.Millisecond
	// pliPatience bounds the requests to a source that sends nothing; they go on when it does.
	pliPatience = 3 * time.Second
)

// keyframeWish is a keyframe that some track of a source waits for.
type keyframeWish struct {
	wanted bool
	since  time.Time
	sent   time.Time // the last request
}

// requestKeyframe asks the publisher for a keyframe, now or as soon as it would listen, until one has
// passed. The caller holds the publisher's inbound.mu.
func (s *source) requestKeyframe(now time.Time) {
	if s.kind == audio || len(s.routes) == 0 || !s.peer.in.gate {
		return
	}
	if !s.key.wanted {
		s.key.wanted, s.key.since = true, now
		s.peer.hurry()
	}
	s.repeatPLI(now)
}

// requestKeyframes asks for keyframes of sources of several publishers.
func requestKeyframes(of []*source, now time.Time) {
	for _, s := range of {
		s.askForKeyframe(now)
	}
}

func (s *source) askForKeyframe(now time.Time) {
	s.peer.in.mu.Lock()
	defer s.peer.in.mu.Unlock()
	s.requestKeyframe(now)
}

// repeatPLI sends the request that is due.
func (s *source) repeatPLI(now time.Time) {
	k := &s.key
	in := &s.peer.in
	if !k.wanted || s.ssrc == 0 || now.Sub(k.sent) < pliEvery {
		return
	}
	if !in.opened.IsZero() && now.Sub(in.opened) < gateDelay {
		return // its first packet says that its gate is open
	}
	if now.Sub(k.since) > pliPatience && now.Sub(s.heard) > silentAfter {
		return
	}
	k.sent = now
	s.plis++
	writeRTCP(nil, in.wire, []rtcp.Packet{&rtcp.PictureLossIndication{SenderSSRC: in.ssrc, MediaSSRC: s.ssrc}})
}

// requestKeyframeFor passes on a viewer's request, if the track still carries what it did.
func (s *source) requestKeyframeFor(t *track, now time.Time) {
	s.peer.in.mu.Lock()
	defer s.peer.in.mu.Unlock()
	if slices.Contains(s.routes, t) {
		s.requestKeyframe(now)
	}
}
