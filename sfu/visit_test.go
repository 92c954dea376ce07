package sfu

import "testing"

func TestVisit_TwoPeers_SeeAndHearEachOther(t *testing.T) {
	s := start(t)
	a, b := join(t, s, 'a', shape{pairs: 1}), join(t, s, 'b', shape{pairs: 1})
	a.peer.SetGate(true)
	b.peer.SetGate(true)
	a.peer.Point([]*Peer{b.peer}, nil)
	b.peer.Point([]*Peer{a.peer}, nil)
	a.sees("slot0audio", 'b', 20)
	a.sees("slot0video", 'b', 20)
	b.sees("slot0audio", 'a', 20)
	b.sees("slot0video", 'a', 20)
}
