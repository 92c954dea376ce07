package signaling

import "time"

// idleAfter is how long a waiting room that nobody needs is kept in memory, and owned. What is planned for it is no reason to keep it:
// the sweep reads the store, and has a room loaded in which something is due.
const idleAfter = 5 * time.Minute

// hasLeft tells whether an actor has ended so that the room goes on by another one, here or elsewhere, who is to be asked instead. It is
// safe from any goroutine.
func (a *actor) hasLeft() bool { return a.handed.Load() || a.unused.Load() }

// isUnused tells whether nobody has needed the room for long: then its actor may end. Whoever comes at this moment finds that and
// has the room loaded again; what has come already is heard first.
func (a *actor) isUnused(now time.Time) bool {
	if !a.isQuiet() {
		a.quietSince = time.Time{}
		return false
	}
	if a.quietSince.IsZero() {
		a.quietSince = now
	}
	if now.Sub(a.quietSince) < a.hub.idleAfter || len(a.inbox) > 0 {
		return false
	}
	if a.hasLive() {
		a.quietSince = now // looked at again as much later
		return false
	}
	return true
}

// isQuiet tells whether nobody is here or on the way, and nothing is still to be done.
func (a *actor) isQuiet() bool {
	return len(a.atSeat) == 0 && len(a.atDesk) == 0 && len(a.transfers.carried) == 0 && !a.leaving && a.isSettled()
}
