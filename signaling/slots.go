package signaling

import (
	"slices"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/signaling/wire"
)

// slot is what one pair of a session's peer carries.
type slot struct {
	seat rooms.SeatID // empty: nobody
	from *peer        // of that seat; nil while it has none
	gen  uint64       // grows whenever the slot starts to carry somebody, so that the page covers the picture

	freed uint64 // of an empty slot: the newest generation when it was emptied
}

// publisher is somebody whose media a session may get.
type publisher struct {
	seat rooms.SeatID
	from *peer
}

// assign puts publishers into slots: who has one keeps it, who is gone leaves it, the rest take those that have been
// empty longest, because a page that has not heard the news yet would show them under the last name. A publisher with
// another peer than before starts anew. Those beyond the slots get none.
func assign(slots []slot, want []publisher, nextGen *uint64) {
	wanted := make(map[rooms.SeatID]*peer, len(want))
	for _, p := range want {
		wanted[p.seat] = p.from
	}
	for i := range slots {
		from, keep := wanted[slots[i].seat]
		switch {
		case slots[i].seat == "":
		case !keep:
			slots[i] = slot{freed: *nextGen}
		case from != slots[i].from:
			slots[i] = started(slots[i].seat, from, nextGen)
		}
		delete(wanted, slots[i].seat)
	}
	for _, p := range want {
		if _, missing := wanted[p.seat]; !missing {
			continue
		}
		if free := longestEmpty(slots); free != nil {
			*free = started(p.seat, p.from, nextGen)
		}
	}
}

func longestEmpty(slots []slot) *slot {
	var free *slot
	for i := range slots {
		if slots[i].seat == "" && (free == nil || slots[i].freed < free.freed) {
			free = &slots[i]
		}
	}
	return free
}

func started(seat rooms.SeatID, from *peer, nextGen *uint64) slot {
	*nextGen++
	return slot{seat: seat, from: from, gen: *nextGen}
}

// kept is slots without what before had not: what may flow on before the pages know the rest.
func kept(slots, before []slot) []slot {
	out := make([]slot, len(slots))
	for i := range slots {
		if i < len(before) && before[i] == slots[i] {
			out[i] = slots[i]
		}
	}
	return out
}

// known is slots without what the page that sees them was not told: it would show somebody under another's name.
func known(slots []slot, told []rooms.SeatID) []slot {
	out := slices.Clone(slots)
	for i := range out {
		if i >= len(told) || told[i] != out[i].seat {
			out[i] = slot{}
		}
	}
	return out
}

func wireSlots(slots []slot) []wire.Slot {
	out := make([]wire.Slot, len(slots))
	for i, s := range slots {
		out[i] = wire.Slot{Seat: string(s.seat), Gen: s.gen}
	}
	return out
}
