package sfu

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/pion/rtp"

	"github.com/anteroom/anteroom/sfu/transport"
)

// A browser's audio jitter buffer holds back what comes after a pause until it has about half its target delay of it,
// 25 to 70 ms, but plays at once what comes in another codec than before, since it then begins anew (libwebrtc,
// NetEq: DecisionLogic::PostponeDecode; PacketBuffer flushes at a change of the payload type). So a slot that has
// carried sound before and is pointed at somebody else first gets one packet of silence in the other codec that all browsers
// have, and the new person's first words are heard that much earlier.
const flushCodec = "PCMU"

// silence is 20 ms of silence in PCMU (ITU-T G.711, RFC 3551 section 4.5.14).
var silence = bytes.Repeat([]byte{0xff}, 160)

// noFlush is the payload type of tracks that cannot be flushed.
const noFlush = -1

// takeFlushCodec takes the codec that flushes an audio line of a viewer, if it was offered.
func takeFlushCodec(m transport.OfferedMedia) []transport.Codec {
	i := slices.IndexFunc(m.Codecs, func(c transport.Codec) bool { return strings.EqualFold(c.Name, flushCodec) })
	if i < 0 || m.Kind != transport.Audio || !m.Send {
		return nil
	}
	c := m.Codecs[i]
	c.Feedback = nil
	return []transport.Codec{c}
}

// flush makes the viewer's jitter buffer begin anew before the next source's first packet.
func (t *track) flush(now time.Time) {
	if t.flushPT == noFlush || t.lastAt.IsZero() || !t.owner.out.connected {
		return
	}
	t.last.seq, t.last.ts, t.lastAt = t.last.seq+1, t.last.ts+t.elapsed(now), now
	h := &t.owner.out.header
	*h = rtp.Header{
		Version: 2, PayloadType: uint8(t.flushPT), SequenceNumber: t.last.seq, Timestamp: t.last.ts, SSRC: t.ssrc,
		Extensions: h.Extensions[:0],
	}
	if t.midID != 0 {
		_ = h.SetExtension(t.midID, t.mid) // id and length were checked with the offer
	}
	t.packets++
	t.octets += uint32(len(silence))
	_ = t.owner.out.wire.WriteRTP(nil, h, silence)
}
