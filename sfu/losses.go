package sfu

import "time"

const (
	heavyLoss  = 0.3                    // of the packets of a second, which is the link's doing, and not bad luck
	lossWindow = 900 * time.Millisecond // a report each second is the least that browsers send
)

// hearLoss takes what a viewer reports of one SSRC of ours: how many packets it has lost in all, and the newest's number (RFC 3550
// section 6.4.1).
func (o *outbound) hearLoss(ssrc, lost, newest uint32, now time.Time) {
	t, ours := o.bySSRC[ssrc]
	if !ours || t != nil && t.kind == audio {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if t == nil { // retransmissions, which are padding while a trial lasts
		o.link.trial.hearLoss(ssrc, lost, newest, now)
		return
	}
	if !t.started || int16(uint16(newest)-t.begins()) < 0 {
		return // what was lost before a pause is reported after it
	}
	share, came, ok := t.losses.since(lost, newest, t, now)
	if ok && t.sentID != 0 && o.link.hearLoss(share, came, o.pictures(), now) {
		o.stopPictures()
	}
}

// losses are what a viewer has reported lost of one SSRC, over times that are long enough: browsers report with each NACK.
type losses struct {
	lost, newest uint32
	at           time.Time // zero: nothing was reported yet

	packets, octets uint32 // sent
}

// since returns the share of a track's packets that was lost since the last time, and what came, in bit/s; false while that was a moment
// ago. What is reported was sent a while ago, so that packets count by their numbers, and weigh as much as those of now.
func (l *losses) since(lost, newest uint32, t *track, now time.Time) (share, came float64, ok bool) {
	was, d := *l, now.Sub(l.at)
	if !was.at.IsZero() && d < lossWindow {
		return 0, 0, false
	}
	*l = losses{lost: lost, newest: newest, at: now, packets: t.packets, octets: t.octets}
	packets, gone := newest-was.newest, int32((lost-was.lost)<<8)>>8 //nolint:gosec // 24 bits, and what comes late counts down
	if was.at.IsZero() || packets == 0 || packets >= 1<<15 {
		return 0, 0, false
	}
	share = min(1, max(0, float64(gone))/float64(packets))
	weight := float64(l.octets-was.octets) * 8 / max(1, float64(l.packets-was.packets)) // bits
	return share, float64(packets) * (1 - share) * weight / d.Seconds(), true
}

// hearLoss takes the share of a picture's packets that the link has lost of late, and what came of it, in bit/s. It reports whether pictures
// pause from now on.
func (b *bandwidth) hearLoss(lost, came float64, pictures int, now time.Time) (pause bool) {
	if b.paused || pictures == 0 || lost < heavyLoss {
		return false
	}
	came = max(1, came*float64(pictures)) // 0 would mean no bound
	if b.estimate == 0 || came < b.estimate {
		b.estimate, b.proven, b.full, b.grown = came, false, true, now
	}
	return b.weaken(pictures, now)
}
