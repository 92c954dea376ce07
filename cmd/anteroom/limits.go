package main

import (
	"strconv"
	"sync/atomic"

	"github.com/anteroom/anteroom/internal/admission"
	"github.com/anteroom/anteroom/internal/api"
	"github.com/anteroom/anteroom/internal/auth"
	"github.com/anteroom/anteroom/internal/edge"
	"github.com/anteroom/anteroom/signaling"
	"github.com/anteroom/anteroom/signaling/wire"
	"github.com/anteroom/anteroom/turn"
)

// Bounds of the media port, which are given to packages sfu and sfu/transport.
const (
	handshakes     = 256 // DTLS, under way at once
	handshakeRate  = 50  // of one address, a second
	handshakeBurst = 200 // of one address, at once
	streams        = 32  // of one peer
)

// limit is one bound of the server.
type limit struct {
	name    string // in metrics
	what    string
	bound   float64 // by default
	unit    string
	setting string // the flag that changes it; empty: fixed
	beyond  string // what is answered or done
	told    told   // by metrics
}

// told says what metrics know of a limit.
type told int

const (
	nothing told = iota // the part that keeps it tells nobody
	hits
	nearAndHits
)

// limits is every bound that a client or its number can meet, in the order of the way in.
func limits() []limit {
	of := signaling.LimitBounds()
	signals := func(name, what, unit, beyond string, t told) limit {
		return limit{name: name, what: what, bound: of[name], unit: unit, beyond: beyond, told: t}
	}
	const cut = "closed without an answer"
	tooMany := "`" + string(wire.CodeTooMany) + "`"
	full := "`" + string(wire.CodeFull) + "`"
	badValue := "`" + string(wire.CodeBadValue) + "`"
	closes := func(c wire.CloseCode) string { return "closed with " + strconv.Itoa(int(c)) }
	return []limit{
		{"connections", "TCP connections open", edge.DefaultMax, "", "", cut, nearAndHits},
		{"connections_per_address", "of one address, or of one /64 of IPv6", edge.DefaultPerAddress, "", "", cut, nearAndHits},
		{"connections_waiting", "that have not said anything yet", edge.DefaultWaiting, "", "", "the one that has waited longest is closed", nearAndHits},
		{"first_byte_seconds", "to the first byte of HTTP or TURN, TLS included", edge.DefaultWait.Seconds(), "s", "", cut, hits},
		{"header_bytes", "HTTP headers", maxHeader, "bytes", "", "431", nothing},
		{"header_seconds", "to read them", headerTimeout.Seconds(), "s", "", cut, nothing},
		{"request_seconds", "to read an HTTP request", requestTimeout.Seconds(), "s", "", cut, nothing},
		{"rest_body_bytes", "the body of a REST request", api.MaxBody, "bytes", "", "413, `too_large`", hits},
		{"rest_seconds", "for a REST request", api.CommandTimeout.Seconds(), "s", "", "503, `retry`", hits},
		{"joins_per_address", "exchanges of tokens by one address, at once; 30 a second in the long run", api.JoinBurst, "", "", "429, `too_many`", hits},
		{"token_bytes", "a token that is looked at", auth.MaxToken, "bytes", "", "422, `bad_value`; in a cookie `no_session`", nothing},
		{"cookies", "people signed in by one browser", auth.MaxCookies, "", "", "the oldest is signed out", nothing},

		signals("sockets", "signaling sockets open", "", "503", nearAndHits),
		signals("message_bytes", "a message of a client", "bytes", closes(wire.CloseBadMessage), nearAndHits),
		signals("hello_seconds", "from the upgrade to `hello`", "s", closes(wire.CloseSilent), hits),
		signals("silence_seconds", "between two messages of a client", "s", closes(wire.CloseSilent), hits),
		signals("requests_per_second", "of one socket; 100 at once", "", tooMany, hits),
		signals("requests_unanswered", "of one socket", "", tooMany, nearAndHits),
		signals("requests_refused", "of one socket, for being too many", "", closes(wire.CloseBusy), nearAndHits),
		signals("queued_messages", "that wait for a slow reader", "", closes(wire.CloseSlow), nearAndHits),
		signals("queued_replies", "that wait for a slow reader", "", closes(wire.CloseSlow), nearAndHits),
		signals("write_seconds", "for a client to take a message", "s", cut, hits),
		signals("room_events", "that wait for a waiting room's owner", "", "their senders wait", nearAndHits),
		signals("room_visits", "in a waiting room, until they are erased", "", full, nearAndHits),
		signals("visit_seats", "of a visit, by link", "", full, nearAndHits),
		signals("visit_staff", "of a visit", "", full, nearAndHits),
		signals("visit_messages", "of chat in a visit", "", full, nearAndHits),
		signals("visit_transfers", "of a visit to another waiting room", "", full, nearAndHits),
		signals("chat_characters", "of a chat message", "", badValue, hits),

		{"peers", "media connections, for new visits", 2000, "", "max-peers", full + " with `after`", nearAndHits},
		{"cpu", "of the processors, over 5 s, for new visits", 85, "%", "max-cpu", full + " with `after`", nearAndHits},
		{"packets_per_second", "forwarded, over 5 s, for new visits; 0: no bound", 0, "", "max-packets", full + " with `after`", nearAndHits},
		{"peers_in_all", "media connections, those of visits under way too; `--max-peers` and a quarter", 2500, "", "max-peers", full + " with `after`", nearAndHits},
		signals("peer_slots", "people whom a media connection can show", "", "`"+string(wire.CodeBadOffer)+"`", nearAndHits),
		{"peer_streams", "that a media connection may send", streams, "", "", "dropped", nothing},
		{"handshakes", "of media, under way at once", handshakes, "", "", "dropped; clients repeat it", hits},
		{"handshakes_per_address", "a second, of one address; 200 at once", handshakeRate, "", "", "dropped; clients repeat it", hits},
		{"warm", "waiting people of a room who have their media connection up", 10, "", "warm", "connected when it is their turn", nothing},

		{"turn_connections_per_address", "of one address", edge.DefaultTURNPerAddress, "", "", cut, nearAndHits},
		{"turn_allocations", "in all", turn.DefaultAllocations, "", "", "486", nearAndHits},
		{"turn_allocations_per_client", "of one client", turn.DefaultPerID, "", "", "486", nothing},
		{"turn_bytes_per_second", "each way, of one allocation", turn.DefaultBytesPerSecond, "bytes", "", "dropped", hits},
		{"turn_idle_seconds", "without a whole message, or without an allocation", turn.DefaultIdle.Seconds(), "s", "", cut, nothing},
	}
}

// restLimits counts what the REST API tells of its limits.
type restLimits struct{ body, joins, time atomic.Uint64 }

func (r *restLimits) met(l api.Limit) {
	switch l {
	case api.LimitBody:
		r.body.Add(1)
	case api.LimitJoins:
		r.joins.Add(1)
	case api.LimitTime:
		r.time.Add(1)
	}
}

// use is how near a limit is now, or was at its nearest where it is one thing's of many, and how often it was met.
type use struct{ near, hits float64 }

// uses reads what the parts count.
func (s *server) uses() map[string]use {
	all := map[string]use{}
	for name, l := range s.hub.Limits() {
		all[name] = use{float64(l.Use), float64(l.Hits)}
	}
	port, media, gate := s.port.Stats(), s.media.Counters(), s.gate.Use()
	all["connections"] = use{float64(port.Open), float64(port.Hits.Max)}
	all["connections_per_address"] = use{float64(port.Hits.MostOfAddress), float64(port.Hits.PerAddress)}
	all["turn_connections_per_address"] = use{float64(port.Hits.MostTURNOfAddress), float64(port.Hits.TURNPerAddress)}
	all["connections_waiting"] = use{float64(port.Waiting), float64(port.Displaced)}
	all["first_byte_seconds"] = use{hits: float64(port.Slow)}
	all["rest_body_bytes"] = use{hits: float64(s.rest.body.Load())}
	all["rest_seconds"] = use{hits: float64(s.rest.time.Load())}
	all["joins_per_address"] = use{hits: float64(s.rest.joins.Load())}
	all["peers"] = use{float64(gate.Peers), float64(s.gate.Refused(admission.Peers))}
	all["cpu"] = use{100 * gate.CPU, float64(s.gate.Refused(admission.CPU))}
	all["packets_per_second"] = use{gate.Packets, float64(s.gate.Refused(admission.Packets))}
	all["peers_in_all"] = use{float64(gate.Peers), all["peers_in_all"].hits}
	all["handshakes"] = use{hits: float64(media.RefusedHello)}
	all["handshakes_per_address"] = use{hits: float64(media.ThrottledHello)}
	if s.turn != nil {
		relay := s.turn.Stats()
		all["turn_allocations"] = use{float64(relay.Allocations), float64(relay.OverQuota)}
		all["turn_bytes_per_second"] = use{hits: float64(relay.Dropped)}
	}
	return all
}

// boundNow is a limit's bound by the settings.
func (s *server) boundNow(l limit) float64 {
	switch l.name {
	case "peers":
		return float64(s.cfg.MaxPeers)
	case "peers_in_all":
		return float64(s.cfg.PeersOfAll())
	case "cpu":
		return float64(s.cfg.MaxCPU)
	case "packets_per_second":
		return float64(s.cfg.MaxPackets)
	case "warm":
		return float64(s.cfg.Warm)
	}
	return l.bound
}
