package transport

import (
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtp"
)

// A NAT that forgets an address makes a client's checks come from another one. Pion, as Firefox, does not
// nominate that.
func TestNATRebinding_MediaFollowsTheClient(t *testing.T) {
	tr, relay := throughRelay(t, Config{}, passAll)
	c := newClient(t)
	p, r := c.connect(t, tr)
	checkDownstream(t, c, p)
	next := relay.rebind(t)
	p.recv.Lock()
	p.selected.Load().checked -= staleRoute // instead of waiting
	p.recv.Unlock()
	stop := repeat(t, func(seq uint16) {
		_ = c.audio.WriteRTP(&rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: seq}, Payload: []byte("x")})
	})
	defer stop()
	for p.Stats().Remote != next {
		receive(t, r.rtp, "media from the new address")
	}
}

func TestChecked_SelectedAddressStale_AnotherTakesItsPlace(t *testing.T) {
	tr := listen(t, Config{})
	p, _ := accepted(t, tr)
	in := inbound{t: tr, now: time.Now()}
	old, next := path{addr: clientAddr}, path{addr: netip.MustParseAddrPort("192.0.2.1:6000")}
	p.checked(&in, old, true)
	for _, step := range []struct {
		after time.Duration
		want  path
	}{{staleRoute - 1, old}, {1, next}} {
		in.now = in.now.Add(step.after)
		p.checked(&in, next, false)
		if got := p.selected.Load().path; got != step.want {
			t.Fatalf("selected %v, want %v", got, step.want)
		}
	}
}
