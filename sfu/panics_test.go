package sfu

import (
	"testing"

	"github.com/pion/rtp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/anteroom/anteroom/sfu/transport"
)

// mined is a wire over which every packet of a kind panics.
type mined struct {
	wire
	media bool // else feedback
}

func (m mined) WriteRTP(via *transport.Batch, h *rtp.Header, payload ...[]byte) error {
	if m.media {
		panic("mined")
	}
	return m.wire.WriteRTP(via, h, payload...)
}

func (m mined) WriteRTCP(via *transport.Batch, compound []byte) error {
	if !m.media {
		panic("mined")
	}
	return m.wire.WriteRTCP(via, compound)
}

func TestPanic_OverOnePeer_EndsItAloneAndIsToldOnce(t *testing.T) {
	for _, tc := range []struct {
		name string
		who  string // whom it ends
		mine func(a, b *Peer)
	}{
		{"a viewer, in the publisher's packet", "b", func(_, b *Peer) {
			b.out.mu.Lock()
			defer b.out.mu.Unlock()
			b.out.wire = mined{b.out.wire, true}
		}},
		{"a viewer, at its tick", "b", func(_, b *Peer) {
			b.out.mu.Lock()
			defer b.out.mu.Unlock()
			b.out.wire = mined{b.out.wire, false}
		}},
		{"a publisher, at its tick", "a", func(a, _ *Peer) {
			a.in.mu.Lock()
			defer a.in.mu.Unlock()
			a.in.wire = mined{a.in.wire, false}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel() // connecting is mostly waiting
			s := start(t)
			core, seen := observer.New(zap.ErrorLevel)
			s.log = zap.New(core)
			a, b := join(t, s, 'a', shape{pairs: 1}), join(t, s, 'b', shape{pairs: 1})
			c, d := join(t, s, 'c', shape{pairs: 1}), join(t, s, 'd', shape{pairs: 1})
			a.peer.SetGate(true)
			b.peer.Point([]*Peer{a.peer}, nil)
			admit(c, d)
			b.sees("slot0video", 'a', 4)
			c.sees("slot0video", 'd', 4)

			tc.mine(a.peer, b.peer)
			c.until("end", func() bool { return s.Stats().Peers == 3 })

			from := len(c.packets("slot0audio"))
			c.sees("slot0video", 'd', 20)
			d.sees("slot0audio", 'c', 20)
			if lost := gapsIn(c.packets("slot0audio")[from:]); lost != 0 {
				t.Errorf("%d packets of sound are missing beside it", lost)
			}
			for id, p := range map[string]*Peer{"a": a.peer, "b": b.peer} {
				ended := p.Stats().Transport.State.Phase == transport.Closed
				if ended != (id == tc.who) {
					t.Errorf("%s ended: %t", id, ended)
				}
			}
			if n := s.Stats().Panics + s.transport.Counters().Panics; n != 1 || seen.FilterMessage("peer_panic").Len() != 1 {
				t.Errorf("%d counted, logged %v", n, seen.All())
			}
		})
	}
}

// gapsIn counts the sequence numbers that are missing.
func gapsIn(pkts []rtp.Packet) (missing int) {
	for i := 1; i < len(pkts); i++ {
		missing += int(pkts[i].SequenceNumber - pkts[i-1].SequenceNumber - 1)
	}
	return missing
}
