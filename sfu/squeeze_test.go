package sfu

import (
	"testing"

	"pgregory.net/rapid"
)

// Whatever is dropped and however late a packet is asked about: kept packets get consecutive numbers in
// their order, always the same ones, or none if the drops around them are forgotten.
func TestSqueeze_KeptPacketsAreConsecutive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q squeeze
		dropped := rapid.SliceOfN(rapid.Bool(), 1, 300).Draw(t, "dropped")
		var want int64 // the number of the next kept packet
		numbers := make([]int64, len(dropped))
		for i, drop := range dropped {
			seq := int64(i + 1)
			if drop {
				q.drop(seq)
				continue
			}
			want++
			numbers[i] = want
			late := rapid.IntRange(0, i).Draw(t, "late")
			for _, at := range []int{i, late} {
				n, ok := q.number(int64(at + 1))
				remembered := q.folded == 0 || int64(at+1) > q.floor
				if ok != (remembered && !dropped[at]) || ok && n != numbers[at] {
					t.Fatalf("packet %d: %d, %v; want %d", at+1, n, ok, numbers[at])
				}
			}
		}
	})
}
