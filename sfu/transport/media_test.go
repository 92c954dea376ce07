package transport

import (
	"bytes"
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

func TestMedia_PionClient_FlowsBothWays(t *testing.T) {
	for name, at := range map[string]string{"IPv4": "127.0.0.1:0", "IPv6": "[::1]:0", "both families": "[::]:0"} {
		t.Run(name, func(t *testing.T) {
			tr := listen(t, Config{Listen: netip.MustParseAddrPort(at), Loopback: true})
			c := newClient(t)
			p, r := c.connect(t, tr)
			checkUpstream(t, c, r)
			checkDownstream(t, c, p)
			checkFeedback(t, c, p, r)
		})
	}
}

// checkUpstream has the client send until the transport hands on a packet of each kind.
func checkUpstream(t *testing.T, c *client, r *recorder) {
	t.Helper()
	sound, picture := []byte("sound"), []byte{0x10, 1, 2, 3}
	stop := repeat(t, func(seq uint16) {
		_ = c.audio.WriteRTP(&rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: seq}, Payload: sound})
		_ = c.video.WriteRTP(&rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: seq}, Payload: picture})
	})
	defer stop()
	heard, saw := false, false
	for !heard || !saw {
		p := receive(t, r.rtp, "packet from the client")
		heard = heard || bytes.Equal(p.Payload, sound)
		saw = saw || bytes.Equal(p.Payload, picture)
	}
}

// checkDownstream sends on the client's slots, lines 2 and 3, until it has a track of each.
func checkDownstream(t *testing.T, c *client, p *Peer) {
	t.Helper()
	stop := repeat(t, func(seq uint16) {
		for i, pt := range []uint8{111, 96} {
			h := rtp.Header{Version: 2, PayloadType: pt, SequenceNumber: seq, SSRC: uint32(1002 + i), Padding: true}
			if err := p.WriteRTP(nil, &h, []byte{0x10, 7, 8, 9}); err != nil {
				t.Error(err)
			}
		}
	})
	defer stop()
	for range 2 {
		track := receive(t, c.tracks, "track at the client")
		got, _, err := track.ReadRTP()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Payload, []byte{0x10, 7, 8, 9}) || track.StreamID()[0] != 's' {
			t.Errorf("payload %x of stream %q", got.Payload, track.StreamID())
		}
	}
}

func checkFeedback(t *testing.T, c *client, p *Peer, r *recorder) {
	t.Helper()
	if err := c.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{SenderSSRC: 1, MediaSSRC: 1003}}); err != nil {
		t.Fatal(err)
	}
	for {
		got, err := rtcp.Unmarshal(receive(t, r.rtcp, "feedback from the client"))
		if err != nil {
			t.Fatal(err)
		}
		if pli, ok := got[0].(*rtcp.PictureLossIndication); ok && pli.MediaSSRC == 1003 {
			break
		}
	}
	ssrc := uint32(c.pc.GetSenders()[1].GetParameters().Encodings[0].SSRC)
	ours := &rtcp.PictureLossIndication{SenderSSRC: 1, MediaSSRC: ssrc}
	raw, err := ours.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.WriteRTCP(nil, raw); err != nil {
		t.Fatal(err)
	}
	packets, _, err := c.pc.GetSenders()[1].ReadRTCP()
	if err != nil {
		t.Fatal(err)
	}
	if pli, ok := packets[0].(*rtcp.PictureLossIndication); !ok || pli.MediaSSRC != ssrc {
		t.Errorf("the client got %v", packets)
	}
}

// repeat calls f every 10 ms with rising numbers until stop, which waits for the last call.
func repeat(t *testing.T, f func(seq uint16)) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for seq := uint16(1); ; seq++ {
			select {
			case <-tick.C:
				f(seq)
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}
