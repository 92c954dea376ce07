package signaling

import (
	"errors"
	"strings"
	"testing"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/signaling/wire"
)

func TestLimits_AreCountedByTheirNames(t *testing.T) {
	w := newWorld(t, nil)
	maria := w.visit("Maria")
	flood := func() {
		p, _ := w.open(w.visit("Mallory"))
		for range requestBurst + 2*refusalsToShut {
			p.lastID++
			if p.ws.WriteJSON(wire.Request{T: wire.TypePing, ID: p.lastID}) != nil {
				break // closed already
			}
		}
		p.closeCode()
	}
	for name, test := range map[string]struct {
		do   func()
		near bool // the use is at the bound afterwards
	}{
		"message_bytes": {func() {
			p, _ := w.open(w.visit("Mallory"))
			w.must(text(`{"t":"` + strings.Repeat("x", wire.MaxMessageBytes) + `","id":2}`)(p.ws))
			p.closeCode()
		}, true},
		"requests_per_second": {flood, false},
		"requests_refused":    {flood, false},
		"silence_seconds": {func() {
			p, _ := w.open(w.visit("Mallory"))
			p.closeCode()
		}, false},
		"hello_seconds": {func() { w.dial(maria).closeCode() }, false},
		"queued_messages": {func() {
			o := newOutbox(&w.hub.meters)
			o.addMessages(make([]wire.Message, maxQueuedMessages+1))
		}, true},
		"queued_replies": {func() {
			o := newOutbox(&w.hub.meters)
			for range maxQueuedReplies + 1 {
				o.answer(1, wire.Empty{})
			}
		}, true},
		"requests_unanswered": {func() {
			o := newOutbox(&w.hub.meters)
			for o.begin() { // until it is refused
			}
		}, true},
		"visit_seats": {func() {
			for {
				guest := rooms.Seat{ID: rooms.SeatID(newID()), Role: rooms.Caregiver, Name: "Ana"}
				if _, err := w.do(maria.Visit, rooms.Invite{Seat: guest}); errors.Is(err, rooms.ErrFull) {
					return
				}
			}
		}, true},
		"chat_characters": {func() {
			p, _ := w.open(maria)
			if got := code(p.ask(wire.TypeChat, wire.Chat{Text: strings.Repeat("x", rooms.MaxText+1)}, nil)); got != wire.CodeBadValue {
				t.Errorf("%q", got)
			}
		}, false},
	} {
		before, bound := w.hub.Limits()[name], LimitBounds()[name]
		test.do()
		after := w.hub.Limits()[name]
		if after.Hits <= before.Hits {
			t.Errorf("%s: %d hits, then %d", name, before.Hits, after.Hits)
		}
		if test.near && float64(after.Use) != bound {
			t.Errorf("%s: %d used of %v", name, after.Use, bound)
		}
	}
	w.hub.maxSockets = 0
	if w.hub.enter() || w.hub.Limits()["sockets"].Hits != 1 {
		t.Error("a socket too many is not counted")
	}
}

func TestLimits_HaveNamesAndBounds(t *testing.T) {
	for l, name := range limitNames {
		if name == "" || limitBounds[l] == 0 && limit(l) != limitPeers {
			t.Errorf("limit %d: %q, bound %v", l, name, limitBounds[l])
		}
	}
}
