package sfu

import (
	"time"

	"github.com/pion/rtp"

	"github.com/anteroom/anteroom/sfu/transport"
)

// While pictures pause, their viewer's browser has nothing to estimate by. Pictures that came back only to find out would cost the
// voices a gap at each attempt. So padding comes first, as retransmissions of nothing: it swells to what the least pictures would take, and
// goes on until the estimate has grown, which it does only while queues are empty, or ends as soon as it falls or packets are lost.
const (
	trialStart  = time.Second             // the estimate is still about what was before the pause
	trialRamp   = 3 * time.Second         // from nothing to all of the padding
	trialHold   = 2 * time.Second         // with all of it, at the least
	trialRise   = 1500 * time.Millisecond // without growth, which means that queues are not empty
	trialGrowth = 1.15                    // of the estimate; browsers let theirs grow by 8 % a second
	trialStep   = 1.02                    // of the estimate, which is growth and not a rounding
	trialFall   = 0.97                    // of the highest estimate since it began
	trialLoss   = 0.15                    // of the packets of a second
	padSize     = 255                     // bytes, the most that one packet can hold
	padBytes    = padSize + 40
	maxPads     = 16 // packets between two ticks
)

// trial is of a viewer's link, whether it carries pictures again.
type trial struct {
	began      time.Time // zero: none is under way
	base, best float64   // the browser's estimate at its start, and the highest since, in bit/s
	rose       time.Time // when best did
	failed     bool
	ssrc       uint32 // of the padding
	losses     losses
	padded     float64 // bytes
}

// hear takes the browser's estimate.
func (t *trial) hear(bps float64, now time.Time) {
	switch {
	case t.began.IsZero() || now.Sub(t.began) < trialStart:
	case t.base == 0:
		t.base, t.best, t.rose = bps, bps, now
	case bps >= trialStep*t.best:
		t.best, t.rose = bps, now
	case bps < trialFall*t.best:
		t.failed = true
	}
}

// hearLoss takes what the browser reports of the padding.
func (t *trial) hearLoss(ssrc, lost, newest uint32, now time.Time) {
	if ssrc != t.ssrc || t.began.IsZero() {
		return
	}
	if share, _, ok := t.losses.since(lost, newest, &track{}, now); ok && share >= trialLoss {
		t.failed = true
	}
}

// outcome reports whether the trial is over, and whether the link carries that many bit/s.
func (t *trial) outcome(bps float64, now time.Time) (done, carries bool) {
	d := now.Sub(t.began)
	enough := t.base > 0 && (t.best >= trialGrowth*t.base || t.best >= bps)
	switch {
	case t.failed, d >= trialStart+trialRise && now.Sub(t.rose) >= trialRise && t.best < bps:
		return true, false
	}
	carries = enough && d >= trialRamp+trialHold
	return carries, carries
}

// due returns how many packets to send now, so that they come to that many bit/s.
func (t *trial) due(bps float64, now time.Time) int {
	d, ramp := now.Sub(t.began).Seconds(), trialRamp.Seconds()
	full := max(0, d-ramp) + min(d, ramp)*min(d, ramp)/(2*ramp) // seconds of all of it
	due := bps/8*full - t.padded
	n := int(due / padBytes)
	t.padded += float64(n) * padBytes
	return min(n, maxPads)
}

// goOn goes on with a pause: it returns how many packets of padding are to try the link now, and whether the pause is over. A link
// that cannot be padded is tried with pictures.
func (b *bandwidth) goOn(pictures int, paddable bool, now time.Time) (pads int, over bool) {
	if pictures == 0 {
		b.resume(1, now)
		return 0, true
	}
	if b.trial.began.IsZero() {
		if now.Sub(b.since) < b.lasting {
			return 0, false
		}
		b.trial = trial{began: now}
	}
	switch done, carries := b.trial.outcome(least(pictures), now); {
	case carries || !paddable:
		b.resume(pictures, now)
		return 0, true
	case done:
		b.trial = trial{}
		b.since, b.lasting = now, min(2*b.lasting, longestPause)
		return 0, false
	}
	return b.trial.due(least(pictures), now), false
}

// resume ends a pause. Pictures begin as small as they can be.
func (b *bandwidth) resume(pictures int, now time.Time) {
	b.paused, b.since, b.lasting, b.trial = false, now, min(2*b.lasting, longestPause), trial{}
	b.estimate, b.proven, b.full = least(pictures), true, false
	b.rate, b.at = 0, time.Time{}
}

// tickLink goes on with a pause, and tells the peer's owner of its beginning and end.
func (p *Peer) tickLink(via *transport.Batch, now time.Time) {
	owing, paused, changed := p.out.tickLink(via, now)
	requestKeyframes(owing, now)
	if changed && p.onPause != nil {
		p.onPause(paused)
	}
}

// tickLink returns the sources that owe a keyframe, since a pause is over or what they sent before was too much, and whether pictures pause,
// and whether that is new.
func (o *outbound) tickLink(via *transport.Batch, now time.Time) (owing []*source, paused, changed bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.link.skips {
		o.link.skips = false
		owing = o.awaited()
	}
	if o.link.paused && o.connected {
		by := o.paddable()
		pads, over := o.link.goOn(o.pictures(), by != nil, now)
		if by != nil {
			o.link.trial.ssrc = by.rtxSSRC
		}
		for range pads {
			by.pad(via, now)
		}
		if over {
			owing = o.awaited()
		}
		if by != nil && !o.link.trial.began.IsZero() {
			by.owner.hurry() // so that padding comes evenly
		}
	}
	changed = o.link.paused != o.told
	o.told = o.link.paused
	return owing, o.told, changed
}

// paddable returns a track that padding can be written to; nil if there is none that the viewer's browser would count.
func (o *outbound) paddable() (found *track) {
	o.tracks(func(t *track) {
		if t.kind != audio && t.src != nil && t.rtxPT != 0 && t.sentID != 0 {
			found = t
		}
	})
	return found
}

// pad writes a packet of padding to the track's retransmissions.
func (t *track) pad(via *transport.Batch, now time.Time) {
	h := &t.owner.out.header
	*h = rtp.Header{
		Version: 2, PayloadType: t.rtxPT, SequenceNumber: t.rtxSeq, Timestamp: t.last.ts, SSRC: t.rtxSSRC, Extensions: h.Extensions[:0],
	}
	t.rtxSeq++
	t.mark(h, now)
	_ = t.owner.out.wire.WritePadding(via, h, padSize)
}
