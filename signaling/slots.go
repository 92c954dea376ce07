package signaling

import (
	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/signaling/wire"
)

// slot is what one pair of a session's peer carries.
type slot struct {
	seat rooms.SeatID // empty: nobody
	from *peer        // of that seat; nil while it has none
	gen  uint64       // grows whenever the slot starts to carry somebody, so that the page covers the picture
}

// publisher is somebody whose media a session may get.
type publisher struct {
	seat rooms.SeatID
	from *peer
}

// assign puts publishers into slots: who has one keeps it, who is gone leaves it, the rest take free ones in
// order. A publisher with another peer than before starts anew. Those beyond the slots get none.
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
			slots[i] = slot{}
		case from != slots[i].from:
			slots[i] = started(slots[i].seat, from, nextGen)
		}
		delete(wanted, slots[i].seat)
	}
	for _, p := range want {
		if _, missing := wanted[p.seat]; !missing {
			continue
		}
		for i := range slots {
			if slots[i].seat == "" {
				slots[i] = started(p.seat, p.from, nextGen)
				break
			}
		}
	}
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

func wireSlots(slots []slot) []wire.Slot {
	out := make([]wire.Slot, len(slots))
	for i, s := range slots {
		out[i] = wire.Slot{Seat: string(s.seat), Gen: s.gen}
	}
	return out
}
