package sfu

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/anteroom/anteroom/sfu/transport"
)

func TestNegotiate_ShapesOfOffers(t *testing.T) {
	a, v := transport.Audio, transport.Video
	for _, tc := range []struct {
		name            string
		sent, received  []transport.Kind
		change          func(*transport.Offer)
		pairs, contents int
		refused         string // part of the error; empty: accepted
	}{
		{name: "phone", sent: []transport.Kind{a, v}, received: []transport.Kind{a, v, a, v, v}, pairs: 2, contents: 1},
		{name: "with content", sent: []transport.Kind{a, v, v}, received: []transport.Kind{a, v, v, v}, pairs: 1, contents: 2},
		{name: "watches nothing", sent: []transport.Kind{a, v}},
		{name: "no video sent", sent: []transport.Kind{a}, received: []transport.Kind{a, v}, refused: "first sendonly audio, video"},
		{name: "video first", sent: []transport.Kind{v, a}, refused: "line 0 sendonly audio"},
		{name: "two audios sent", sent: []transport.Kind{a, v, a}, refused: "line 2 sendonly video"},
		{name: "four sent", sent: []transport.Kind{a, v, v, v}, refused: "got 4 such lines"},
		{name: "audio slot alone", sent: []transport.Kind{a, v}, received: []transport.Kind{a, v, a}, refused: "line 4 recvonly video"},
		{name: "pair after content", sent: []transport.Kind{a, v}, received: []transport.Kind{a, v, v, a, v}, refused: "line 5 recvonly video"},
		{name: "too many slots", sent: []transport.Kind{a, v}, received: slices.Repeat([]transport.Kind{v}, 33), refused: "at most 32"},
		{
			name: "sendrecv", sent: []transport.Kind{a, v}, refused: "line 1 sendonly video",
			change: func(o *transport.Offer) { o.Media[1].Send = true },
		},
		{
			name: "inactive", sent: []transport.Kind{a, v}, received: []transport.Kind{a, v}, refused: "line 2 recvonly audio",
			change: func(o *transport.Offer) { o.Media[2].Send = false },
		},
		{
			name: "sent after slots", sent: []transport.Kind{a, v}, received: []transport.Kind{a, v, v}, refused: "line 4 recvonly video",
			change: func(o *transport.Offer) { o.Media[4].Receive, o.Media[4].Send = true, false },
		},
		{
			name: "no VP8", sent: []transport.Kind{a, v}, refused: "line 1 with codec VP8",
			change: func(o *transport.Offer) { o.Media[1].Codecs = o.Media[1].Codecs[:1] },
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			of := &transport.Offer{}
			for _, k := range tc.sent {
				of.Media = append(of.Media, line(len(of.Media), k, false))
			}
			for _, k := range tc.received {
				of.Media = append(of.Media, line(len(of.Media), k, true))
			}
			if tc.change != nil {
				tc.change(of)
			}
			p := &Peer{sfu: newTestSFU()}
			_, err := p.negotiate(of)
			switch {
			case tc.refused != "" && (!errors.Is(err, ErrBadOffer) || !strings.Contains(err.Error(), tc.refused)):
				t.Fatalf("error %v, want ErrBadOffer with %q", err, tc.refused)
			case tc.refused == "" && err != nil:
				t.Fatal(err)
			case tc.refused == "" && (p.Slots() != tc.pairs || p.ContentSlots() != tc.contents):
				t.Fatalf("%d pairs and %d contents, want %d and %d", p.Slots(), p.ContentSlots(), tc.pairs, tc.contents)
			}
		})
	}
}

func TestNegotiate_TakesOnlyWhatItForwards(t *testing.T) {
	p := &Peer{sfu: newTestSFU()}
	answer, err := p.negotiate(offer(false, 1, 1))
	if err != nil {
		t.Fatal(err)
	}
	camera, slotAudio, slotVideo, contentSlot := answer.Media[1], answer.Media[2], answer.Media[3], answer.Media[4]
	if len(camera.Codecs) != 1 || camera.Codecs[0].Name != "VP8" || camera.Codecs[0].RTXPT != ptRTX {
		t.Errorf("camera's codecs %+v", camera.Codecs)
	}
	if got := camera.Codecs[0].Feedback; !slices.Equal(got, []string{"nack", "nack pli"}) {
		t.Errorf("camera's feedback %v", got)
	}
	if camera.Extensions[extTWCC] != idTWCC || len(camera.Extensions) != 3 {
		t.Errorf("camera's extensions %v", camera.Extensions)
	}
	if slotVideo.Extensions[extTWCC] != 0 || slotVideo.Extensions[extMID] != slotIDMID {
		t.Errorf("slot's extensions %v", slotVideo.Extensions)
	}
	if slotAudio.StreamID != slotVideo.StreamID || slotAudio.CNAME != slotVideo.CNAME || slotAudio.TrackID == slotVideo.TrackID {
		t.Errorf("a pair is not one person's: %+v, %+v", slotAudio, slotVideo)
	}
	if contentSlot.StreamID == slotVideo.StreamID || contentSlot.CNAME == slotVideo.CNAME {
		t.Errorf("content slot belongs to the pair: %+v", contentSlot)
	}
	ssrcs := []uint32{slotAudio.SSRC, slotVideo.SSRC, slotVideo.RTXSSRC, contentSlot.SSRC, contentSlot.RTXSSRC}
	slices.Sort(ssrcs)
	if len(slices.Compact(ssrcs)) != 5 || ssrcs[0] == 0 {
		t.Errorf("SSRCs are not distinct: %v", ssrcs)
	}
	if answer.StartBitrateKbps != 600 {
		t.Errorf("start bitrate %d", answer.StartBitrateKbps)
	}
}
