package rooms

import (
	"slices"
	"time"
)

// Route lets the media of one seat reach another.
type Route struct{ From, To SeatID }

// Routes is who may see and hear whom: everybody admitted, while the visit is active or its patient
// is on hold. Observers receive and do not publish. The order is that of the seats.
func Routes(v *Visit) []Route {
	if v.Phase != PhaseActive && v.Phase != PhaseHeld {
		return nil
	}
	var routes []Route
	for _, from := range v.Seats {
		if from.State != SeatAdmitted || from.Role == Observer {
			continue
		}
		for _, to := range v.Seats {
			if to.State == SeatAdmitted && to.ID != from.ID {
				routes = append(routes, Route{From: from.ID, To: to.ID})
			}
		}
	}
	return routes
}

// Parts tells whether people were together before who are not after.
func Parts(before, after *Visit) bool { return opens(after, before) }

// InForce is what the media plane applies: the routes of the newest state that the last durable one
// has too. So what parts people takes effect at once, what joins them when it is durable. Without
// a durable state there are none.
func InForce(newest, durable *Visit) []Route {
	if newest == nil || durable == nil {
		return nil
	}
	had := Routes(durable)
	return slices.DeleteFunc(Routes(newest), func(r Route) bool { return !slices.Contains(had, r) })
}

// Shown is what people are shown: the newest state, but who is admitted in it and not yet in the
// durable one stands as in the durable one, and the phase is what follows from that. Seats of staff
// that the durable state has not are left out.
func Shown(newest, durable *Visit) *Visit {
	shown := *newest
	shown.Seats = make([]Seat, 0, len(newest.Seats))
	for _, s := range newest.Seats {
		if s.State == SeatAdmitted {
			was, ok := before(durable, s)
			if !ok {
				continue
			}
			s.State, s.AdmittedAt, s.AdmittedBy = was.State, was.AdmittedAt, was.AdmittedBy
		}
		shown.Seats = append(shown.Seats, s)
	}
	if shown.Phase.Over() {
		return &shown
	}
	if durable == nil || durable.StartedAt.IsZero() {
		shown.StartedAt = time.Time{}
	}
	shown.Phase = phaseOf(&shown)
	return &shown
}

// before is a seat as the durable state has it. A seat by link that is not durable at all stands as
// waiting, since it cannot have been admitted from anywhere else.
func before(durable *Visit, s Seat) (Seat, bool) {
	if durable != nil {
		if was, ok := durable.Seat(s.ID); ok {
			return *was, true
		}
	}
	return Seat{State: SeatWaiting}, s.Staff == ""
}
