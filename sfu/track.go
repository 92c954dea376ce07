package sfu

import (
	"encoding/binary"
	"math/rand/v2"
	"time"

	"github.com/pion/rtp"

	"github.com/anteroom/anteroom/sfu/transport"
)

// resendBudget is how many retransmissions a track may send in tickEvery, so that a flood of NACKs is not answered with a larger one.
const resendBudget = 64

// track is one outgoing stream of a slot. What it carries may change; to its viewer it is one stream
// whose sequence numbers, timestamps and VP8 picture numbers go on. Its owner's outbound.mu guards it.
type track struct {
	owner          *Peer
	kind           kind
	ssrc, rtxSSRC  uint32
	pt, rtxPT      uint8 // rtxPT 0: retransmissions are repeats
	flushPT        int
	cname          string
	midID, levelID uint8
	sentID         uint8
	mid            []byte

	src     *source // nil: empty
	started bool    // a packet of src has been written; video starts with a keyframe
	epoch   uint32  // of src's numbering at the start
	first   int64   // src's number of the packet that started
	newest  int64   // src's newest number written
	shift   shift   // from src's numbers to the track's

	// The newest packet written, over all sources.
	last   position
	lastAt time.Time // its arrival here

	losses   losses
	renewed  time.Time // a keyframe was asked for in place of retransmissions
	rtxSeq   uint16
	budget   int       // of retransmissions
	filled   time.Time // when budget was
	packets  uint32
	octets   uint32
	resent   uint64
	reported time.Time // the last sender report; zero when one is due
}

// position is where a stream stands in all its numberings.
type position struct {
	seq    uint16
	ts     uint32
	pid    uint16 // 15 bits
	tl0    uint8
	keyIdx uint8 // 5 bits
}

// shift is what to add to a source's position.
type shift = position

// newTrack begins at random places (RFC 3550 section 5.1); the sequence number leaves room before it
// wraps, so that SRTP receivers count the first wrap right (RFC 3711 section 3.3.1).
func newTrack(t track) *track {
	t.last = position{
		seq: uint16(rand.Uint32N(1 << 15)), ts: rand.Uint32(), pid: uint16(rand.Uint32N(1 << 15)),
		tl0: uint8(rand.Uint32N(1 << 8)), keyIdx: uint8(rand.Uint32N(1 << 5)),
	}
	t.rtxSeq = uint16(rand.Uint32N(1 << 15))
	return &t
}

// point makes the track carry src from its next packet on. The caller then edits the routes.
func (t *track) point(src *source, now time.Time) {
	t.src, t.started = src, false
	if src != nil {
		t.flush(now)
	}
}

// forward writes a packet of src as the track's own. It reports false if the track goes on waiting for a
// keyframe.
func (t *track) forward(via *transport.Batch, src *source, p *packet) bool {
	if t.src != src || !t.owner.out.connected {
		return true // the route was closed meanwhile, or there is nobody to wait for
	}
	if t.kind != audio && t.owner.out.link.paused {
		return true
	}
	if !t.started || t.epoch != p.epoch {
		if t.kind != audio && !p.vp8.key {
			return false
		}
		t.start(p)
	}
	if p.number < t.first {
		return true
	}
	if p.number >= t.newest {
		t.newest, t.last, t.lastAt = p.number, t.position(p), p.arrival
	}
	t.owner.out.forwarded++
	t.packets++
	t.octets += uint32(len(p.payload))
	if t.kind != audio {
		t.owner.out.link.sent += uint64(len(p.payload))
	}
	t.write(via, p, false, p.arrival)
	return true
}

// start sets the shift so that p follows the last packet written, as much later as it came later.
func (t *track) start(p *packet) {
	t.started, t.epoch, t.first, t.newest = true, p.epoch, p.number, p.number
	t.reported, t.losses = time.Time{}, losses{}
	t.owner.hurry()
	elapsed := t.elapsed(p.arrival)
	t.shift = shift{
		seq:    t.last.seq + 1 - uint16(p.number),
		ts:     t.last.ts + elapsed - p.ts,
		pid:    t.last.pid + 1 - p.vp8.pid,
		tl0:    t.last.tl0 + 1 - p.vp8.tl0,
		keyIdx: t.last.keyIdx + 1 - p.vp8.tidKey&0x1f,
	}
}

// begins returns the track's sequence number of the packet that started.
func (t *track) begins() uint16 { return uint16(t.first) + t.shift.seq }

// elapsed returns how much later than the last packet written one of that time is, in clock ticks: the nearest number, so that a
// thousand switches do not add up to a delay.
func (t *track) elapsed(now time.Time) uint32 {
	if t.lastAt.IsZero() {
		return 1
	}
	rate := t.kind.clockRate()
	return uint32(max(1, ticks(now.Sub(t.lastAt)+time.Second/time.Duration(2*rate), rate)))
}

// position returns where the track stands with p. What p lacks stays as it was.
func (t *track) position(p *packet) position {
	at := position{seq: uint16(p.number) + t.shift.seq, ts: p.ts + t.shift.ts}
	at.pid, at.tl0, at.keyIdx = t.last.pid, t.last.tl0, t.last.keyIdx
	if p.vp8.hasPID {
		at.pid = (p.vp8.pid + t.shift.pid) & 0x7fff
	}
	if p.vp8.hasTL0 {
		at.tl0 = p.vp8.tl0 + t.shift.tl0
	}
	if p.vp8.hasKey {
		at.keyIdx = (p.vp8.tidKey + t.shift.keyIdx) & 0x1f
	}
	return at
}

// putSendTime writes a time in seconds, 6 bits before the point and 18 behind it (the abs-send-time extension).
func putSendTime(b *[3]byte, since time.Duration) {
	const unit = 64 * time.Second
	v := uint32(uint64(since%unit) << 18 / uint64(time.Second))
	b[0], b[1], b[2] = byte(v>>16), byte(v>>8), byte(v)
}

// write sends p at now in the track's numbering; with rtx as a retransmission in the format of RFC 4588.
// Errors are the transport's to count: a packet that cannot be sent is one that was lost.
func (t *track) write(via *transport.Batch, p *packet, rtx bool, now time.Time) {
	at := t.position(p)
	o := &t.owner.out
	lead, h := o.lead[:0], &o.header
	*h = rtp.Header{
		Version: 2, Marker: p.marker, PayloadType: t.pt, SequenceNumber: at.seq, Timestamp: at.ts, SSRC: t.ssrc,
		Extensions: h.Extensions[:0],
	}
	if rtx {
		h.PayloadType, h.SSRC, h.SequenceNumber = t.rtxPT, t.rtxSSRC, t.rtxSeq
		t.rtxSeq++
		lead = binary.BigEndian.AppendUint16(lead, at.seq)
	}
	t.mark(h, now)
	if t.levelID != 0 && p.leveled {
		o.level[0] = p.level
		_ = h.SetExtension(t.levelID, o.level[:])
	}
	if t.kind != audio {
		lead = t.describe(lead, p, at)
	}
	o.payload = [...][]byte{lead, p.payload}
	_ = o.wire.WriteRTP(via, h, o.payload[:]...)
	o.payload[1] = nil
}

// mark says which m-line a packet is of, and when it was sent.
func (t *track) mark(h *rtp.Header, now time.Time) {
	if t.midID != 0 {
		_ = h.SetExtension(t.midID, t.mid) // id and length were checked with the offer
	}
	if t.sentID != 0 {
		putSendTime(&t.owner.out.time, now.Sub(t.owner.sfu.clock.began))
		_ = h.SetExtension(t.sentID, t.owner.out.time[:])
	}
}

// describe appends p's VP8 descriptor in the track's numbering.
func (t *track) describe(buf []byte, p *packet, at position) []byte {
	if len(p.payload) == 0 {
		return buf
	}
	d := p.vp8
	d.pid, d.tl0 = at.pid, at.tl0
	if d.hasKey {
		d.tidKey = d.tidKey&^0x1f | at.keyIdx
	}
	return d.appendTo(buf)
}

// resend answers a viewer's NACK for one of the track's sequence numbers. It reports false if the link does not carry that.
func (t *track) resend(via *transport.Batch, seq uint16, now time.Time) (carried bool) {
	if now.Sub(t.filled) >= tickEvery {
		t.budget, t.filled = resendBudget, now
	}
	if !t.started || t.budget == 0 {
		return true
	}
	number := unwrap(seq-t.shift.seq, t.newest)
	if number < t.first || number > t.newest {
		return true
	}
	carried = true
	t.src.ring.with(number, func(p *packet) {
		if carried = t.owner.out.link.mayResend(len(p.payload), now); carried {
			t.write(via, p, t.rtxPT != 0, now)
			t.budget--
			t.resent++
			t.owner.out.resent++
		}
	})
	return carried
}
