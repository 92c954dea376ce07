package transport

import (
	"testing"

	"github.com/pion/rtp"
)

func TestWritePadding_APionClient_GetsPaddingAndNothingElse(t *testing.T) {
	tr := listen(t, Config{})
	c := newClient(t)
	p, _ := c.connect(t, tr)
	stop := repeat(t, func(seq uint16) {
		h := rtp.Header{Version: 2, PayloadType: 96, SequenceNumber: seq, SSRC: 1003}
		if err := p.WritePadding(nil, &h, 200); err != nil {
			t.Error(err)
		}
	})
	defer stop()
	got, _, err := receive(t, c.tracks, "track at the client").ReadRTP()
	if err != nil {
		t.Fatal(err)
	}
	if !got.Padding || got.PaddingSize != 200 || len(got.Payload) > 0 {
		t.Errorf("%d bytes of padding, payload %x", got.PaddingSize, got.Payload)
	}
}
