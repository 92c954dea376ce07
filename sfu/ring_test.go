package sfu

import (
	"testing"
)

func TestRing_KeepsTheLastPackets(t *testing.T) {
	var r ring
	for n := int64(1000); n < 1000+2*ringSize; n++ {
		if !r.put(&packet{number: n, payload: []byte{byte(n), byte(n >> 8)}}) {
			t.Fatalf("packet %d is not new", n)
		}
	}
	for n, want := range map[int64]bool{
		999: false, 1000: false, 1000 + ringSize - 1: false, 1000 + ringSize: true, 1000 + 2*ringSize - 1: true, 1000 + 2*ringSize: false,
	} {
		got := r.with(n, func(p *packet) {
			if p.number != n || p.payload[0] != byte(n) || p.payload[1] != byte(n>>8) {
				t.Errorf("packet %d is %+v", n, p)
			}
		})
		if got != want {
			t.Errorf("packet %d there: %v, want %v", n, got, want)
		}
	}
}

func TestRing_RefusesDuplicatesAndTheTooOld(t *testing.T) {
	var r ring
	r.put(&packet{number: 700})
	if r.put(&packet{number: 700}) || r.put(&packet{number: 700 - ringSize}) {
		t.Error("a duplicate or what its place has outgrown was taken for new")
	}
	if !r.put(&packet{number: 699}) {
		t.Error("a late packet was refused")
	}
}

func TestRing_CopiesWhatItKeeps(t *testing.T) {
	var r ring
	payload := []byte("as it was")
	r.put(&packet{number: 5, payload: payload})
	copy(payload, "overwrite")
	r.with(5, func(p *packet) {
		if string(p.payload) != "as it was" {
			t.Errorf("kept %q", p.payload)
		}
	})
	r.clear()
	if r.entries != nil || r.with(5, func(*packet) {}) {
		t.Error("clear left something")
	}
}
