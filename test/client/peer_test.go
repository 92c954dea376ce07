package client

import (
	"context"
	"net/netip"
	"runtime"
	"sync"
	"testing"

	"github.com/anteroom/anteroom/sfu"
	"github.com/anteroom/anteroom/sfu/transport"
)

// newSFU starts the real media server on loopback.
func newSFU(t *testing.T) *sfu.SFU {
	t.Helper()
	tr, err := transport.Listen(transport.Config{Listen: netip.MustParseAddrPort("127.0.0.1:0"), Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	s := sfu.New(sfu.Config{Transport: tr})
	t.Cleanup(func() {
		s.Close()
		_ = tr.Close()
	})
	return s
}

// dialSFU connects a peer and returns both of its ends.
func dialSFU(t *testing.T, s *sfu.SFU, slots int) (*Peer, *sfu.Peer) {
	t.Helper()
	p, offer, err := NewPeer(slots)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	far, answer, err := s.NewPeer(offer, sfu.PeerOptions{ID: t.Name()})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Answer(answer); err != nil {
		t.Fatal(err)
	}
	if err := p.WaitConnected(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p, far
}

// stream sends with a mark until the test ends.
func stream(t *testing.T, p *Peer, mark Mark) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = p.Stream(ctx, func() Mark { return mark }) })
	t.Cleanup(func() {
		stop()
		running.Wait()
	})
}

func TestPeer_MarkedPackets_AreCountedInTheirSlot(t *testing.T) {
	s := newSFU(t)
	a, farA := dialSFU(t, s, PhoneSlots)
	b, farB := dialSFU(t, s, DesktopSlots)

	farB.Point([]*sfu.Peer{nil, farA}, nil)
	if err := a.Send("behind the gate", 20); err != nil {
		t.Fatal(err)
	}
	for farA.Stats().Forbidden < 40 { // read by the server, so that the gate was still closed for them
		if runtime.Gosched(); t.Context().Err() != nil {
			t.Fatal("the server never read what was sent")
		}
	}
	farA.SetGate(true)
	stream(t, a, "allowed")
	if err := b.WaitMark(t.Context(), "allowed", 10); err != nil {
		t.Fatal(err)
	}
	tally := b.Tally()
	if n := tally.Of(Audio, "behind the gate") + tally.Of(Video, "behind the gate"); n != 0 {
		t.Errorf("%d packets from behind the gate", n)
	}
	if audio, video := tally.In(1, Audio, "allowed"), tally.In(1, Video, "allowed"); audio < 10 || video < 10 {
		t.Errorf("slot 1 carried %d audio and %d video packets; all: %v", audio, video, tally)
	}
	if n := a.Datagrams(); n.RTPIn != 0 || n.RTPOut < 40 {
		t.Errorf("the sender's sockets: %+v", n)
	}
}
