package signaling

import (
	"cmp"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/anteroom/anteroom/rooms"
)

func TestAssign_KeepsWhoHasASlotAndShowsNobodyElse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		slots := make([]slot, rapid.IntRange(0, 4).Draw(t, "slots"))
		peers := []*peer{nil, {id: "a"}, {id: "b"}}
		var gen uint64
		for range rapid.IntRange(1, 8).Draw(t, "steps") {
			before := append([]slot(nil), slots...)
			var want []publisher
			wanted := map[rooms.SeatID]*peer{}
			for n := range 6 {
				seat := rooms.SeatID(fmt.Sprint(n))
				if rapid.Bool().Draw(t, "there") {
					wanted[seat] = rapid.SampledFrom(peers).Draw(t, "peer")
					want = append(want, publisher{seat, wanted[seat]})
				}
			}
			assign(slots, want, &gen)
			checkSlots(t, before, slots, wanted)
		}
	})
}

func checkSlots(t *rapid.T, before, slots []slot, wanted map[rooms.SeatID]*peer) {
	shown := map[rooms.SeatID]bool{}
	for i, s := range slots {
		from, ok := wanted[s.seat]
		switch {
		case s.seat == "":
			if s.gen != 0 || s.from != nil {
				t.Fatalf("an empty slot is %+v", s)
			}
			continue
		case !ok || from != s.from || shown[s.seat]:
			t.Fatalf("slot %d carries %+v", i, s)
		case before[i].seat == s.seat && before[i].from == s.from && before[i].gen != s.gen:
			t.Fatalf("slot %d starts anew", i)
		case (before[i].seat != s.seat || before[i].from != s.from) && before[i].gen == s.gen:
			t.Fatalf("slot %d has an old generation", i)
		}
		shown[s.seat] = true
	}
	for _, s := range before {
		if _, still := wanted[s.seat]; still && s.seat != "" && !shown[s.seat] {
			t.Fatalf("%s lost the slot", s.seat)
		}
	}
	if len(shown) != min(len(slots), len(wanted)) {
		t.Fatalf("%d of %d are shown in %d slots", len(shown), len(wanted), len(slots))
	}
}

func TestKept_IsWhatBothHave(t *testing.T) {
	p := &peer{}
	now := []slot{{seat: "1", from: p, gen: 1}, {seat: "2", from: p, gen: 3}, {}, {seat: "4", from: p, gen: 4}}
	got := kept(now, []slot{{seat: "1", from: p, gen: 1}, {seat: "2", from: p, gen: 2}, {seat: "3", from: p, gen: 3}})
	if fmt.Sprint(got) != fmt.Sprint([]slot{now[0], {}, {}, {}}) {
		t.Errorf("%v", got)
	}
}

func TestAssign_TakesTheSlotThatWasEmptyLongest(t *testing.T) {
	slots := make([]slot, 3)
	var gen uint64
	for _, step := range []struct{ want, slots string }{
		{"a", "a  "}, {"", "   "}, {"b", " b "}, {"bc", " bc"}, {"c", "  c"}, {"cd", "d c"}, {"cde", "dec"},
	} {
		var want []publisher
		for _, seat := range step.want {
			want = append(want, publisher{seat: rooms.SeatID(seat)})
		}
		assign(slots, want, &gen)
		got := ""
		for _, s := range slots {
			got += cmp.Or(string(s.seat), " ")
		}
		if got != step.slots {
			t.Fatalf("with %q: %q, not %q", step.want, got, step.slots)
		}
	}
}

func TestKnown_IsWhatThePageCanName(t *testing.T) {
	p := &peer{}
	got := known([]slot{{seat: "1", from: p, gen: 5}, {seat: "2", from: p, gen: 6}, {seat: "3", from: p, gen: 7}}, []rooms.SeatID{"1", ""})
	if got[0].seat != "1" || got[1].seat != "" || got[2].seat != "" {
		t.Errorf("%v", got)
	}
}
