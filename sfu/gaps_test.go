package sfu

import (
	"slices"
	"testing"
	"time"
)

func TestGaps_AreAskedForUntilFilledOrGivenUp(t *testing.T) {
	var g gaps
	now := time.Now()
	rtt := 50 * time.Millisecond
	g.note(1<<16-2, now)
	g.note(1<<16+2, now) // 65535, 0 and 1 are missing
	if got := g.due(now, rtt); !slices.Equal(got, []uint16{65535, 0, 1}) {
		t.Fatalf("first asked for %v", got)
	}
	if got := g.due(now.Add(rtt-1), rtt); len(got) != 0 {
		t.Fatalf("asked again for %v within the round trip", got)
	}
	if recovered, ok := g.note(1<<16, now); !recovered || !ok {
		t.Fatal("the packet that was asked for is not counted as recovered")
	}
	for n := 1; n < maxNACKs; n++ {
		now = now.Add(rtt)
		if got := g.due(now, rtt); !slices.Equal(got, []uint16{65535, 1}) {
			t.Fatalf("request %d for %v", n+1, got)
		}
	}
	if got := g.due(now.Add(rtt), rtt); len(got) != 0 || len(g.missing) != 0 {
		t.Fatalf("not given up: %v", got)
	}
}

func TestGaps_ReorderedPacketIsNeitherAskedForNorRecovered(t *testing.T) {
	var g gaps
	now := time.Now()
	g.note(10, now)
	g.note(12, now)
	if recovered, _ := g.note(11, now); recovered {
		t.Error("counted as recovered")
	}
	if got := g.due(now, 0); len(got) != 0 {
		t.Errorf("asked for %v", got)
	}
}

func TestGaps_TooMany_AreGivenUpAtOnce(t *testing.T) {
	var g gaps
	now := time.Now()
	g.note(1, now)
	if _, ok := g.note(1+maxGaps+1, now); !ok {
		t.Fatal("the bound itself was refused")
	}
	if _, ok := g.note(1+maxGaps+3, now); ok || len(g.missing) != 0 {
		t.Fatalf("%d gaps are kept", len(g.missing))
	}
}

func TestGaps_WithoutRoundTrip_AGuessIsUsed(t *testing.T) {
	var g gaps
	now := time.Now()
	g.note(1, now)
	g.note(3, now)
	g.due(now, 0)
	if got := g.due(now.Add(nackInterval-1), 0); len(got) != 0 {
		t.Errorf("asked again for %v too early", got)
	}
	if got := g.due(now.Add(nackInterval), 0); len(got) != 1 {
		t.Errorf("asked again for %v", got)
	}
}
