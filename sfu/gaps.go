package sfu

import "time"

const (
	maxGaps      = 256 // missing packets of one source; more need a keyframe
	maxNACKs     = 10  // for one packet
	nackInterval = 100 * time.Millisecond
)

// gaps are the packets of a source that are missing, oldest first.
type gaps struct {
	newest  int64 // 0: nothing received yet
	missing []gap
}

type gap struct {
	number int64
	nacks  int
	due    time.Time
}

// note takes a packet that was received and reports whether it had been asked for, and whether the
// gaps are within bounds; if not, they are given up.
func (g *gaps) note(number int64, now time.Time) (recovered, ok bool) {
	if g.newest == 0 {
		g.newest = number
		return false, true
	}
	if number <= g.newest {
		return g.fill(number), true
	}
	from := g.newest + 1
	g.newest = number
	if int64(len(g.missing))+number-from > maxGaps {
		g.missing = g.missing[:0]
		return false, false
	}
	for n := from; n < number; n++ {
		g.missing = append(g.missing, gap{number: n, due: now})
	}
	return false, true
}

func (g *gaps) fill(number int64) (recovered bool) {
	for i, m := range g.missing {
		if m.number == number {
			g.missing = append(g.missing[:i], g.missing[i+1:]...)
			return m.nacks > 0
		}
	}
	return false
}

// due returns the sequence numbers to ask for now, and gives up those asked for often enough. Each is
// asked for again after the round trip, or a guess at it.
func (g *gaps) due(now time.Time, rtt time.Duration) []uint16 {
	wait := max(rtt, tickEvery)
	if rtt == 0 {
		wait = nackInterval
	}
	var seqs []uint16
	kept := g.missing[:0]
	for _, m := range g.missing {
		if !now.Before(m.due) {
			if m.nacks == maxNACKs {
				continue
			}
			m.nacks++
			m.due = now.Add(wait)
			seqs = append(seqs, uint16(m.number))
		}
		kept = append(kept, m)
	}
	g.missing = kept
	return seqs
}

// open reports whether anything is missing.
func (g *gaps) open() bool { return len(g.missing) > 0 }

func (g *gaps) clear() { *g = gaps{} }
