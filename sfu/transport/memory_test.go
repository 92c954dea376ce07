package transport

import (
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"
)

// liveBytes returns what is reachable, in bytes. It collects twice, since pools give up what they keep at the second time.
func liveBytes() int64 {
	runtime.GC()
	runtime.GC()
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64())
}

func TestPeer_DoesNotHoldItsOffer(t *testing.T) {
	const peers = 50
	tr := listen(t, Config{})
	text := chromiumOffer(t)
	padding := strings.Repeat("a=x-nothing:that is of use to us\r\n", 1000)
	var before int64
	var kept [][]string // what a handler keeps of an offer: here its mids
	for i := range 1 + peers {
		if i == 1 {
			before = liveBytes()
		}
		_, _, err := tr.Accept(text+padding, func(o *Offer) (Accepted, error) {
			var mids []string
			for _, m := range o.Media {
				mids = append(mids, m.MID)
			}
			kept = append(kept, mids)
			return takeAll(newSilent())(o)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if each := (liveBytes() - before) / peers; each > 8<<10 {
		t.Errorf("a peer that has not connected holds %d bytes, its offer had %d", each, len(text)+len(padding))
	}
	runtime.KeepAlive(kept)
}

// silent is a Handler that does nothing.
type silent struct{}

func newSilent() Handler { return silent{} }

func (silent) RTP(*Packet)         {}
func (silent) RTCP(*Batch, []byte) {}
func (silent) State(State)         {}
