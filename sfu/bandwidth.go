package sfu

import (
	"math"
	"time"

	"github.com/pion/rtcp"

	"github.com/anteroom/anteroom/sfu/transport"
)

// A viewer whose link carries less than it is sent would see its queues fill and sound and picture come late. Its browser
// estimates what the link carries beside the sound, from the times at which packets were sent (the abs-send-time extension) and came,
// and says so (REMB, draft-alvestrand-rmcat-remb-03). While that is less than what is sent, the publishers are asked to send no more.
// Queues that are full do not grow any more; then it is the loss that tells (losses.go). A viewer whose link is too weak for any picture gets sound
// alone, and is tried again later (trial.go). There is one encoding a source here, so the weakest viewer's share bounds it.
const (
	leastVideo   = 150e3                  // bit/s that a publisher is asked for at the least
	weakVideo    = 120e3                  // bit/s for a picture, below which there is none; above, the least still fits, as estimates are low (fall)
	voiceRate    = 50e3                   // bit/s that a voice takes of what a publisher sends, with headers
	plentyVideo  = 2.5e6                  // bit/s for a picture, above which nothing is bounded
	uncapped     = 20e6                   // bit/s, said to a publisher that is not bounded any more
	fall         = 0.9                    // of the estimate before: browsers lower theirs, to 0.85 of what comes, only when queues grow
	farLess      = 0.4                    // of what is sent: what is on its way then only fills queues
	growth       = 0.1                    // a second, the most; browsers let theirs grow by 0.08
	resendBurst  = 500 * time.Millisecond // worth of what may be sent again
	renewEvery   = time.Second            // keyframes in place of what may not
	rateWindow   = 500 * time.Millisecond
	pauseAfter   = 2 * time.Second // of too little for a picture; at once if it is less than half
	firstPause   = 5 * time.Second // to the first trial; twice as long to each that follows
	longestPause = 20 * time.Second
	calm         = time.Minute // without a pause, after which the next is as short as the first
	capEvery     = time.Second // the bound is said again
	capRepeats   = 3           // after its end
)

// bandwidth is what is known of a viewer's link. The viewer's outbound.mu guards it.
type bandwidth struct {
	estimate float64 // bit/s for pictures; 0: what is sent is not too much
	heard    float64 // the last one, whether it bounds or not; 0: none
	grown    time.Time
	full     bool // by the loss, and the browser's estimate is higher
	skips    bool // what was sent until the link became so much narrower is not worth its queue: keyframes are to be asked for
	proven   bool // a trial has shown that the least pictures fit, and the estimate has yet to grow so far

	sent   uint64 // bytes of pictures
	marked uint64 // of them, at the time
	at     time.Time
	rate   float64 // bit/s sent

	room   float64 // bytes that may be sent again
	filled time.Time

	weak    time.Time // since when there is too little for pictures; zero: there is enough
	paused  bool
	since   time.Time     // of the pause or of its last trial, or of its end
	lasting time.Duration // to the next trial
	trial   trial
}

// least is what that many pictures take at the least, in bit/s.
func least(pictures int) float64 { return leastVideo * float64(pictures) }

// hear takes the browser's estimate, where the viewer watches that many pictures. It reports whether they stop, for a pause or until
// their publishers send less.
func (b *bandwidth) hear(bps float64, pictures int, now time.Time) (stop bool) {
	bps = max(1, bps) // 0 would mean no bound
	fell := bps < fall*b.heard
	b.heard = bps
	if b.paused {
		b.trial.hear(bps, now)
		return false
	}
	b.measure(now)
	if pictures == 0 {
		return false
	}
	switch {
	case fell && bps < b.rate:
		b.estimate, b.proven, b.full = bps, false, false
		b.skips = b.skips || bps < farLess*b.rate
	case b.estimate > 0:
		b.follow(bps, pictures, now)
	}
	return b.weaken(pictures, now) || b.skips
}

// follow lets the estimate follow the browser's. After a loss, of which the browser's may know nothing, it grows no faster than theirs do.
func (b *bandwidth) follow(bps float64, pictures int, now time.Time) {
	b.proven = b.proven && bps < least(pictures)
	switch grown := b.estimate * (1 + growth*min(1, now.Sub(b.grown).Seconds())); {
	case b.proven:
		b.estimate = least(pictures)
	case b.full && grown < bps:
		b.estimate = grown
	default:
		b.estimate, b.full = bps, false
	}
	b.grown = now
	if b.share(pictures) >= plentyVideo {
		b.estimate = 0
	}
}

// weaken begins a pause where there has been too little for too long.
func (b *bandwidth) weaken(pictures int, now time.Time) (pause bool) {
	share := b.share(pictures)
	if share >= weakVideo {
		b.weak = time.Time{}
		return false
	}
	if b.weak.IsZero() {
		b.weak = now
	}
	if share >= weakVideo/2 && now.Sub(b.weak) < pauseAfter {
		return false
	}
	if now.Sub(b.since) > calm {
		b.lasting = firstPause
	}
	b.paused, b.since, b.weak, b.skips, b.trial = true, now, time.Time{}, false, trial{}
	return true
}

// measure finds the rate of what is sent.
func (b *bandwidth) measure(now time.Time) {
	if b.at.IsZero() {
		b.at, b.marked = now, b.sent
	}
	if d := now.Sub(b.at); d >= rateWindow {
		b.rate = float64(b.sent-b.marked) * 8 / d.Seconds()
		b.at, b.marked = now, b.sent
	}
}

// mayResend reports whether so many bytes may be sent again now. What a full link loses must not fill it again.
func (b *bandwidth) mayResend(bytes int, now time.Time) bool {
	if b.rate == 0 {
		return true
	}
	bps := b.rate / 2
	if b.estimate > 0 {
		bps = min(b.rate, b.estimate) / 4
	}
	b.room = min(b.room+bps/8*now.Sub(b.filled).Seconds(), bps/8*resendBurst.Seconds())
	b.filled = now
	if b.room < float64(bytes) {
		return false
	}
	b.room -= float64(bytes)
	return true
}

// fits reports whether what is sent is about what the link carries.
func (b *bandwidth) fits() bool { return b.estimate == 0 || b.rate <= 1.25*b.estimate }

// share returns how much of the estimate each picture may take; infinite if nothing is bounded.
func (b *bandwidth) share(pictures int) float64 {
	if b.estimate == 0 || pictures == 0 {
		return math.Inf(1)
	}
	return b.estimate / float64(pictures)
}

// pictures counts those that the slots carry. The caller holds mu.
func (o *outbound) pictures() (n int) {
	o.tracks(func(t *track) {
		if t.src != nil && t.kind != audio {
			n++
		}
	})
	return n
}

// hearEstimate takes a viewer's REMB.
func (o *outbound) hearEstimate(bps float64, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.link.hear(bps, o.pictures(), now) {
		o.stopPictures()
	}
}

// stopPictures has them begin anew after a pause, with keyframes. The caller holds mu.
func (o *outbound) stopPictures() {
	o.tracks(func(t *track) { t.started = t.started && t.kind == audio })
}

// share returns what the viewer's link has for each picture, in bit/s; false if pictures pause.
func (o *outbound) share() (bps float64, shown bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return max(o.link.share(o.pictures()), leastVideo), !o.link.paused
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
		bps := s.bound()
		bounded = bounded || bps < plentyVideo
		total += min(bps, plentyVideo)
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

// bound returns what the weakest link of those that see the source has for it, in bit/s. Where all pictures pause, it is kept
// ready to begin small.
func (s *source) bound() float64 {
	least, seen := math.Inf(1), false
	for _, t := range s.routes {
		if bps, shown := t.owner.out.share(); shown {
			least, seen = min(least, bps), true
		}
	}
	if !seen {
		return leastVideo
	}
	return least
}

func (s *source) boundable() bool { return s.kind != audio && len(s.routes) > 0 && s.ssrc != 0 }
