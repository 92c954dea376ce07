package sfu

import (
	"slices"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
)

// admit lets a and b see and hear each other.
func admit(a, b *client) {
	a.peer.SetGate(true)
	b.peer.SetGate(true)
	a.peer.Point([]*Peer{b.peer}, nil)
	b.peer.Point([]*Peer{a.peer}, nil)
}

func TestVisit_TwoPeers_SeeAndHearEachOther(t *testing.T) {
	s := start(t)
	a, b := join(t, s, 'a', shape{pairs: 1}), join(t, s, 'b', shape{pairs: 1})
	admit(a, b)
	a.sees("slot0audio", 'b', 20)
	a.sees("slot0video", 'b', 20)
	b.sees("slot0audio", 'a', 20)
	b.sees("slot0video", 'a', 20)
}

func TestVisit_Hold_CutsBothWaysAndResumes(t *testing.T) {
	s := start(t)
	a, b := join(t, s, 'a', shape{pairs: 1}), join(t, s, 'b', shape{pairs: 1})
	admit(a, b)
	a.sees("slot0video", 'b', 4)
	b.sees("slot0video", 'a', 4)
	a.peer.SetGate(false)
	a.peer.Point(nil, nil)
	b.peer.Point(nil, nil)
	before := [2]uint64{a.peer.Stats().Forwarded, b.peer.Stats().Forwarded}
	held := a.peer.Stats().Forbidden
	a.until("forbidden media", func() bool { return a.peer.Stats().Forbidden >= held+20 })
	if after := [2]uint64{a.peer.Stats().Forwarded, b.peer.Stats().Forwarded}; after != before {
		t.Errorf("forwarded %v before and %v after 20 packets on hold", before, after)
	}
	admit(a, b)
	a.sees("slot0video", 'b', 4)
	b.sees("slot0video", 'a', 4)
}

func TestVisit_Content_IsSeenInTheContentSlot(t *testing.T) {
	s := start(t)
	a, b := join(t, s, 'a', shape{content: true}), join(t, s, 'b', shape{pairs: 1, contents: 1})
	a.peer.SetGate(true)
	b.peer.Point(nil, []*Peer{a.peer})
	b.sees("slot1content", 'a', 20)
	if n := len(b.packets("slot0video")) + len(b.packets("slot0audio")); n != 0 {
		t.Errorf("%d packets in the pair", n)
	}
}

func TestVisit_LossOnTheWay_IsRepaired(t *testing.T) {
	for name, tc := range map[string]struct {
		up, down *lossy
	}{
		"from the publisher": {up: &lossy{sent: true}},
		"to the viewer":      {down: &lossy{received: true}},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			publisher, viewer := shape{}, shape{pairs: 1}
			loss := tc.up
			if tc.up != nil {
				publisher.interceptors = []interceptor.Factory{tc.up}
			} else {
				loss = tc.down
				viewer.interceptors = []interceptor.Factory{tc.down}
			}
			a, b := join(t, s, 'a', publisher), join(t, s, 'b', viewer)
			a.peer.SetGate(true)
			b.peer.Point([]*Peer{a.peer}, nil)
			b.until("40 pictures in a row", func() bool { return inARow(b, "slot0video") >= 80 && loss.count() > 0 })
			up, down := a.peer.Stats().Sources[1].Recovered, b.peer.Stats().Resent
			if tc.up != nil && up == 0 || tc.down != nil && down == 0 {
				t.Errorf("%d packets came after a request, %d were sent again", up, down)
			}
		})
	}
}

// inARow returns how many consecutive sequence numbers the client has from the line's first on.
func inARow(c *client, line string) int {
	pkts := c.packets(line)
	have := make(map[uint16]bool)
	for _, p := range pkts {
		have[p.SequenceNumber] = true
	}
	n := 0
	for len(pkts) > 0 && have[pkts[0].SequenceNumber+uint16(n)] {
		n++
	}
	return n
}

func TestVisit_DeafPublisher_IsAskedAgainForAKeyframe(t *testing.T) {
	s := start(t)
	a, b := join(t, s, 'a', shape{}), join(t, s, 'b', shape{pairs: 1})
	a.answerKeyframeRequests(false)
	a.peer.SetGate(true)
	b.peer.Point([]*Peer{a.peer}, nil)
	a.until("third request", func() bool { return len(a.requests()) >= 3 })
	at := a.requests()
	if apart := at[2].Sub(at[0]); apart < 500*time.Millisecond {
		t.Errorf("three requests within %v", apart)
	}
	if n := len(b.packets("slot0video")); n != 0 {
		t.Errorf("%d packets before a keyframe", n)
	}
	a.answerKeyframeRequests(true)
	b.sees("slot0video", 'a', 4)
}

func TestVisit_Reports_ReachBothEnds(t *testing.T) {
	s := start(t)
	a, b := join(t, s, 'a', shape{}), join(t, s, 'b', shape{pairs: 1})
	a.peer.SetGate(true)
	b.peer.Point([]*Peer{a.peer}, nil)
	b.until("sender reports of sound and picture", func() bool { return len(reporters[*rtcp.SenderReport](b)) == 2 })
	a.until("receiver reports", func() bool { return len(reporters[*rtcp.ReceiverReport](a)) > 0 })
}

// reporters returns the SSRCs that the client has got reports of that type about.
func reporters[T rtcp.Packet](c *client) (of []uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.reports {
		if r, ok := p.(T); ok {
			of = append(of, r.DestinationSSRC()...)
			if sr, ok := p.(*rtcp.SenderReport); ok {
				of = append(of, sr.SSRC)
			}
		}
	}
	slices.Sort(of)
	return slices.Compact(of)
}
