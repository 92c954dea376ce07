package sfu

import (
	"testing"
	"time"
)

// Between two feedbacks only peers that hurry are looked at, so whatever waits for a tick has to hurry, and nothing else may: it would cost
// every peer a tick for nothing.
func TestHurry_WhileSomethingWaitsForATick(t *testing.T) {
	_, a, b := pair(t)
	var cam camera
	now := time.Now()
	wants := func(p testPeer, hurried bool, when string) {
		t.Helper()
		if p.hurried.Load() != hurried {
			t.Fatalf("%s: hurries %v", when, !hurried)
		}
	}
	frame := func(key bool) { now = now.Add(33 * time.Millisecond); a.send(now, cam.shoot(1, key)...) }
	tick := func() { now = now.Add(tickEvery); a.tick(nil, now, false); b.tick(nil, now, false) }

	wants(a, true, "a keyframe is wanted")
	tick()
	wants(a, true, "a keyframe is still wanted")
	frame(true)
	wants(b, true, "a sender report is due")
	tick()
	tick()
	wants(a, false, "the keyframe has come")
	wants(b, false, "the viewer was told")
	for range 5 {
		frame(false)
	}
	wants(a, false, "all has come")
	wants(b, false, "all has come")

	lost := cam.shoot(1, false)
	frame(false)
	wants(a, true, "a packet is missing")
	tick()
	wants(a, true, "a packet is still missing")
	a.send(now, lost...)
	tick()
	wants(a, false, "the packet has come")
}
