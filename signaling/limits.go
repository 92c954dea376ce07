package signaling

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/signaling/wire"
)

// limit is one bound that holds in waiting rooms and on sockets.
type limit int

const (
	limitSockets limit = iota
	limitMessageBytes
	limitHello
	limitSilence
	limitRequestRate
	limitUnanswered
	limitRefusals
	limitQueuedMessages
	limitQueuedReplies
	limitWrite
	limitInbox
	limitSlots
	limitVisits
	limitSeats
	limitStaff
	limitMessages
	limitTransfers
	limitText
	limitPeers
	limitCount
)

// limitNames are the limits' names in metrics.
var limitNames = [limitCount]string{
	limitSockets: "sockets", limitMessageBytes: "message_bytes", limitHello: "hello_seconds", limitSilence: "silence_seconds",
	limitRequestRate: "requests_per_second", limitUnanswered: "requests_unanswered", limitRefusals: "requests_refused",
	limitQueuedMessages: "queued_messages", limitQueuedReplies: "queued_replies", limitWrite: "write_seconds", limitInbox: "room_events",
	limitSlots: "peer_slots", limitVisits: "room_visits", limitSeats: "visit_seats", limitStaff: "visit_staff",
	limitMessages: "visit_messages", limitTransfers: "visit_transfers", limitText: "chat_characters", limitPeers: "peers_in_all",
}

// limitBounds are the bounds; that of limitPeers is the media transport's.
var limitBounds = [limitCount]float64{
	limitSockets: defaultSockets, limitMessageBytes: wire.MaxMessageBytes, limitHello: wire.HelloTimeoutMS / 1000.,
	limitSilence: wire.PingTimeoutMS / 1000., limitRequestRate: requestRate, limitUnanswered: wire.MaxUnanswered,
	limitRefusals: refusalsToShut, limitQueuedMessages: maxQueuedMessages, limitQueuedReplies: maxQueuedReplies,
	limitWrite: float64(writeTimeout / time.Second), limitInbox: inboxSize, limitSlots: maxSlots, limitVisits: rooms.MaxVisits, limitSeats: rooms.MaxSeats,
	limitStaff: rooms.MaxStaff, limitMessages: rooms.MaxMessages, limitTransfers: rooms.MaxTransfers, limitText: rooms.MaxText,
}

// LimitBounds answers the default bound of every limit that this package keeps, by its name.
func LimitBounds() map[string]float64 {
	all := make(map[string]float64, limitCount)
	for i, name := range limitNames {
		all[name] = limitBounds[i]
	}
	return all
}

// LimitUse is how near a limit is, or was at its nearest since the start where the limit is one thing's of many, and how often
// it was met.
type LimitUse struct{ Use, Hits uint64 }

// Limits answers every limit that this package keeps, by its name.
func (h *Hub) Limits() map[string]LimitUse {
	all := make(map[string]LimitUse, limitCount)
	for i := range h.meters {
		all[limitNames[i]] = LimitUse{h.meters[i].nearest.Load(), h.meters[i].hits.Load()}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	all[limitNames[limitSockets]] = LimitUse{uint64(h.sockets), h.meters[limitSockets].hits.Load()} //nolint:gosec // never negative
	return all
}

// meters count what the limits of a hub have met. Safe for concurrent use.
type meters [limitCount]meter

type meter struct{ nearest, hits atomic.Uint64 }

func (m *meters) hit(l limit) { m[l].hits.Add(1) }

// near notes a use.
func (m *meters) near(l limit, use int) {
	for n := uint64(max(use, 0)); ; { //nolint:gosec // not negative
		was := m[l].nearest.Load()
		if n <= was || m[l].nearest.CompareAndSwap(was, n) {
			return
		}
	}
}

// fullOf says which limit a refusal of the rooms' rules is about.
var fullOf = map[string]limit{
	"seats": limitSeats, "seats of staff": limitStaff, "messages": limitMessages, "visits": limitVisits, "transfers": limitTransfers,
}

// refused counts a refusal that is a limit's.
func (m *meters) refused(err error) {
	var rule *rooms.Error
	if !errors.As(err, &rule) {
		return
	}
	if l, ok := fullOf[rule.Detail]; ok && rule.Is(rooms.ErrFull) {
		m.hit(l)
	}
	if rule.Is(rooms.ErrBadValue) && rule.Detail == "text" {
		m.hit(limitText)
	}
}

// measure notes how near a visit that changed is to its bounds.
func (m *meters) measure(v *rooms.Visit) {
	staff := 0
	for i := range v.Seats {
		if v.Seats[i].Staff != "" {
			staff++
		}
	}
	m.near(limitStaff, staff)
	m.near(limitSeats, len(v.Seats)-staff)
	m.near(limitMessages, len(v.Chat))
	m.near(limitTransfers, v.Transfers)
}
