package sfu

import (
	"math"
	"time"

	"github.com/pion/rtcp"

	"github.com/anteroom/anteroom/sfu/transport"
)

// A viewer whose link carries less than it is sent would see its queues fill and sound and picture come late. Its browser
// estimates what the link carries, from the times at which packets were sent (the abs-send-time extension) and came, and says so
// (REMB, draft-alvestrand-rmcat-remb-03). While that is less than what is sent, the publishers are asked to send no more; a viewer whose link
// is too weak for any picture gets sound alone and is tried again later. There is one encoding a source here, so the
// weakest viewer's share bounds it.
const (
	leastVideo   = 150e3 // bit/s for a picture worth sending; below that there is none
	voiceRate    = 50e3  // bit/s that a voice takes, with headers
	plentyVideo  = 2.5e6 // bit/s for a picture, above which nothing is bounded
	uncapped     = 20e6  // bit/s, said to a publisher that is not bounded any more
	packetBytes  = 40    // of headers beside a payload, UDP's and IP's included
	fall         = 0.9   // of the estimate before: browsers lower theirs, to 0.85 of what comes, only when queues grow
	rateWindow   = 500 * time.Millisecond
	pauseAfter   = 2 * time.Second // of too little for a picture
	firstPause   = 10 * time.Second
	longestPause = time.Minute
	capEvery     = time.Second // the bound is said again
	capRepeats   = 3           // after its end
)

// bandwidth is what is known of a viewer's link. The viewer's outbound.mu guards it.
type bandwidth struct {
	estimate float64 // bit/s; 0: what is sent is not too much
	heard    float64 // the last one, whether it bounds or not

	sent   uint64 // bytes, with headers
	marked uint64 // of them, at the time
	at     time.Time
	rate   float64 // bit/s sent

	weak    time.Time // since when there is too little for pictures; zero: there is enough
	paused  bool
	since   time.Time     // of the pause, or of its end
	lasting time.Duration // of the next pause
}

// hear takes the browser's estimate, where the viewer watches that many voices and pictures. It reports whether pictures
// pause from now on.
func (b *bandwidth) hear(bps float64, voices, pictures int, now time.Time) (pause bool) {
	fell := bps < fall*b.heard
	b.heard = bps
	if !b.measure(now) || b.paused || pictures == 0 {
		return false
	}
	switch {
	case fell && bps < b.rate:
		b.estimate = bps
	case b.estimate > 0:
		b.estimate = bps
		if b.share(voices, pictures) >= plentyVideo {
			b.estimate = 0
		}
	}
	if b.estimate == 0 || b.share(voices, pictures) >= leastVideo {
		b.weak = time.Time{}
		return false
	}
	if b.weak.IsZero() {
		b.weak = now
	}
	if now.Sub(b.weak) < pauseAfter {
		return false
	}
	if now.Sub(b.since) > longestPause {
		b.lasting = firstPause
	}
	b.paused, b.since, b.weak = true, now, time.Time{}
	return true
}

// measure finds the rate of what is sent; false until there is one.
func (b *bandwidth) measure(now time.Time) bool {
	if b.at.IsZero() {
		b.at, b.marked = now, b.sent
	}
	if d := now.Sub(b.at); d >= rateWindow {
		b.rate = float64(b.sent-b.marked) * 8 / d.Seconds()
		b.at, b.marked = now, b.sent
	}
	return b.rate > 0
}

// share returns how much of the estimate each picture may take; infinite if nothing is bounded.
func (b *bandwidth) share(voices, pictures int) float64 {
	if b.estimate == 0 || pictures == 0 {
		return math.Inf(1)
	}
	return (b.estimate - voiceRate*float64(voices)) / float64(pictures)
}

// resume reports whether a pause is over.
func (b *bandwidth) resume(now time.Time) bool {
	if !b.paused || now.Sub(b.since) < b.lasting {
		return false
	}
	b.paused, b.since, b.lasting = false, now, min(2*b.lasting, longestPause)
	b.estimate, b.heard, b.rate, b.at = 0, 0, 0, time.Time{}
	return true
}

// watched counts what the slots carry. The caller holds mu.
func (o *outbound) watched() (voices, pictures int) {
	o.tracks(func(t *track) {
		switch {
		case t.src == nil:
		case t.kind == audio:
			voices++
		default:
			pictures++
		}
	})
	return voices, pictures
}

// hearEstimate takes a viewer's REMB.
func (o *outbound) hearEstimate(bps float64, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	voices, pictures := o.watched()
	if o.link.hear(bps, voices, pictures, now) {
		o.tracks(func(t *track) { t.started = t.started && t.kind == audio })
	}
}

// share returns what the viewer's link has for each picture, in bit/s.
func (o *outbound) share() float64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.link.paused {
		return math.Inf(1)
	}
	return max(o.link.share(o.watched()), leastVideo)
}

// resumePictures ends a pause that has lasted long enough, and returns the sources that owe a keyframe.
func (o *outbound) resumePictures(now time.Time) []*source {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.link.resume(now) {
		return nil
	}
	return o.awaited()
}

// sendCap is what a publisher was asked to keep to.
type sendCap struct {
	bps  float64 // infinite: nothing
	at   time.Time
	left int // repeats of its end
}

// bound asks the publisher to send no more than its viewers' links carry. The caller holds mu.
func (in *inbound) bound(via *transport.Batch, now time.Time) {
	total, bounded := voiceRate, false
	for _, s := range in.sources {
		if !s.boundable() {
			continue
		}
		least := math.Inf(1)
		for _, t := range s.routes {
			least = min(least, t.owner.out.share())
		}
		bounded = bounded || least < plentyVideo
		total += min(least, plentyVideo)
	}
	switch {
	case bounded:
		if c := &in.capped; math.Abs(total-c.bps) <= 0.03*total && now.Sub(c.at) < capEvery {
			return
		}
		in.capped = sendCap{bps: total, at: now, left: capRepeats}
	case in.capped.left == 0 || in.capped.bps == uncapped && now.Sub(in.capped.at) < capEvery:
		return
	default:
		total = uncapped
		in.capped = sendCap{bps: total, at: now, left: in.capped.left - 1}
	}
	remb := &rtcp.ReceiverEstimatedMaximumBitrate{SenderSSRC: in.ssrc, Bitrate: float32(total)}
	for _, s := range in.sources {
		if s.boundable() {
			remb.SSRCs = append(remb.SSRCs, s.ssrc)
		}
	}
	if len(remb.SSRCs) > 0 {
		writeRTCP(via, in.wire, []rtcp.Packet{remb})
	}
}

func (s *source) boundable() bool { return s.kind != audio && len(s.routes) > 0 && s.ssrc != 0 }
