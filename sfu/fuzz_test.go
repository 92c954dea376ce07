package sfu

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/anteroom/anteroom/sfu/transport"
)

// FuzzRTP throws anything that is RTP at a publisher. What its viewer gets is of the viewer's own streams all
// the same, in the viewer's payload types.
func FuzzRTP(f *testing.F) {
	f.Add([]byte{0x80, ptVP8, 0, 1, 0, 0, 0, 1, 0, 0, 0x07, 0xd0, 0x90, 0x80, 0x11, 0x00, 'x'})
	f.Add([]byte{0x80, ptRTX, 0, 1, 0, 0, 0, 1, 0, 0, 0x07, 0xd1, 0, 1, 0x10, 0x00, 'x'})
	f.Add([]byte{0x80, ptOpus, 0, 1, 0, 0, 0, 1, 0, 0, 0x03, 0xe8, 'v'})
	f.Add([]byte{0x90, ptVP8, 0, 2, 0, 0, 0, 1, 0, 0, 0, 9, 0xbe, 0xde, 0, 1, idMID << 4, '1', idTWCC << 4, 1, 0x10, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		_, a, v := pair(t)
		now := time.Now()
		for len(b) > 0 { // several packets of 24 bytes at most
			n := min(24, len(b))
			var p rtp.Packet
			if p.Unmarshal(b[:n]) == nil {
				a.send(now, p)
			}
			b, now = b[n:], now.Add(time.Millisecond)
		}
		a.tick(nil, now, true)
		for _, p := range v.wire.take() {
			track := v.trackOf(p.SSRC)
			if track == nil || p.PayloadType != track.pt {
				t.Errorf("forwarded %v", p)
			}
		}
	})
}

// FuzzRTCP throws anything at what a client may say, while media flows.
func FuzzRTCP(f *testing.F) {
	for _, p := range []rtcp.Packet{
		&rtcp.SenderReport{SSRC: videoSSRC, NTPTime: 1 << 40, Reports: []rtcp.ReceptionReport{{LastSenderReport: 1}}},
		&rtcp.ReceiverReport{Reports: []rtcp.ReceptionReport{{LastSenderReport: 1}}},
		&rtcp.TransportLayerNack{Nacks: []rtcp.NackPair{{PacketID: 1, LostPackets: 0xffff}}},
		&rtcp.PictureLossIndication{MediaSSRC: 1},
		&rtcp.FullIntraRequest{FIR: []rtcp.FIREntry{{SSRC: 1}}},
	} {
		b, err := p.Marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, a, v := pair(t)
		v.track(video).ssrc = 1
		v.out.bySSRC[1] = v.track(video)
		var cam camera
		a.send(time.Now(), cam.shoot(3, true)...)
		v.wire.take()
		v.tick(nil, time.Now(), true)
		handler{v.Peer}.RTCP(nil, b)
		handler{a.Peer}.RTCP(nil, b)
		if n := len(v.wire.take()); n > resendBudget {
			t.Errorf("%d packets resent", n)
		}
		handler{v.Peer}.State(transport.State{Phase: transport.Closed})
		if len(s.peers) != 1 {
			t.Errorf("%d peers", len(s.peers))
		}
	})
}
