package signaling

import (
	"cmp"
	"slices"
	"time"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/signaling/wire"
)

// presence is which of the staff are here, as all of them see it. A shift that comes in at once is told as one change, at
// most as often as lists are sent.
type presence struct {
	changed bool
	at      time.Time
	staff   []wire.Staff // in order; nil: to be made anew
}

func (p *presence) change() { p.changed, p.staff = true, nil }

// settlePresence marks the views of those who are to see that somebody came or went.
func (a *actor) settlePresence(now time.Time) {
	if !a.presence.changed || now.Sub(a.presence.at) < wire.ListEveryMS*time.Millisecond {
		return
	}
	a.presence.changed, a.presence.at = false, now
	for _, s := range a.atDesk {
		a.alone[s] = struct{}{}
	}
}

// colleaguesOf are all who work here but one.
func (a *actor) colleaguesOf(id rooms.StaffID) []wire.Staff {
	if a.presence.staff == nil {
		a.presence.staff = a.everybodyAtWork()
	}
	others := make([]wire.Staff, 0, len(a.presence.staff))
	for _, s := range a.presence.staff {
		if s.ID != string(id) {
			others = append(others, s)
		}
	}
	return others
}

func (a *actor) everybodyAtWork() []wire.Staff {
	all := make([]wire.Staff, 0, len(a.staff))
	for id, member := range a.staff {
		at := a.atDesk[id]
		all = append(all, wire.Staff{
			ID: string(id), Name: member.Name, Role: wire.Role(member.Role), Here: at != nil && at.conn != nil,
		})
	}
	slices.SortFunc(all, func(x, y wire.Staff) int { return cmp.Or(cmp.Compare(x.Name, y.Name), cmp.Compare(x.ID, y.ID)) })
	return all
}
