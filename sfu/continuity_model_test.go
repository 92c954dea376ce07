package sfu

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"github.com/pion/rtp"
)

// speaker is a publisher with a voice each 20 ms and a picture of two packets each 40 ms.
type speaker struct {
	testPeer
	board *switchboard
	index int
	open  bool // its gate

	cam       camera
	word      rtp.Packet
	nextWord  time.Time
	nextFrame time.Time
	places    [2]int
	run       int // of its numbering
	wantKey   bool
	onTheWay  []onTheWay
	rtxSeq    uint16
}

// onTheWay is a packet and when it arrives.
type onTheWay struct {
	rtp.Packet
	at time.Time
}

// captured is what the test knows of a packet.
type captured struct {
	from, run int
	place     int // among the packets with media of its kind
	ts        uint32
	vp8       vp8Descriptor
}

// restart goes on with a keyframe and other numbers, so far off, also after another restart or two that
// nobody noticed, that they cannot be taken for late ones (RFC 3550 section A.1).
func (p *speaker) restart() {
	dice := p.board.dice
	p.run++
	jump := func() uint16 { return uint16(2*maxDropout + dice.IntN(1<<14-2*maxDropout)) }
	p.word = voice(p.word.SequenceNumber+jump(), dice.Uint32())
	p.cam = camera{
		seq: p.cam.seq + jump(), ts: dice.Uint32(), pid: uint16(dice.UintN(1 << 15)), tl0: uint8(dice.Uint32()), keyIdx: uint8(dice.UintN(32)),
	}
	now := time.Now()
	p.nextWord = now.Add(time.Duration(dice.IntN(20_000)) * time.Microsecond)
	p.nextFrame = now.Add(time.Duration(dice.IntN(40_000)) * time.Microsecond)
	p.onTheWay = nil
}

// step captures what is due, and delivers what arrives.
func (p *speaker) step() {
	now := time.Now()
	p.wantKey = p.plis() > 0 || p.wantKey
	for ; !p.nextWord.After(now); p.nextWord = p.nextWord.Add(20 * time.Millisecond) {
		p.word.SequenceNumber++
		p.word.Timestamp += 960
		p.post(p.word, p.nextWord, 0, vp8Descriptor{})
	}
	for ; !p.nextFrame.After(now); p.nextFrame = p.nextFrame.Add(40 * time.Millisecond) {
		for _, f := range p.cam.shoot(1, p.wantKey) {
			d, _, _ := parseVP8(f.Payload)
			p.post(f, p.nextFrame, 1, d)
		}
		p.wantKey = false
		// A jump must be confirmed by the next packet; padding that is lost over that would leave a gap until it is asked for.
		if p.cam.n > 25 && p.board.dice.IntN(3) == 0 {
			p.onTheWay = append(p.onTheWay, onTheWay{p.cam.padding(), p.nextFrame})
		}
	}
	p.deliver(now)
}

// post gives a packet its id, and the network.
func (p *speaker) post(pkt rtp.Packet, now time.Time, kind int, d vp8Descriptor) {
	w := p.board
	pkt.Payload = binary.BigEndian.AppendUint32(bytes.Clone(pkt.Payload), uint32(len(w.all)))
	w.all = append(w.all, captured{from: p.index, run: p.run, place: p.places[kind], ts: pkt.Timestamp, vp8: d})
	p.places[kind]++
	at := now
	if w.way.jitter > 0 {
		at = at.Add(time.Duration(w.dice.Int64N(int64(w.way.jitter))))
	}
	if w.dice.Float64() < w.way.loss {
		if kind == 0 {
			return
		}
		p.rtxSeq++
		pkt, at = wrapRTX(pkt, p.rtxSeq), at.Add(120*time.Millisecond)
	}
	p.onTheWay = append(p.onTheWay, onTheWay{pkt, at})
}

func (p *speaker) deliver(now time.Time) {
	kept := p.onTheWay[:0]
	for _, o := range p.onTheWay {
		if o.at.After(now) {
			kept = append(kept, o)
			continue
		}
		p.send(o.at, o.Packet)
	}
	p.onTheWay = kept
}

// continuity judges one track packet by packet, in the order in which they are written.
type continuity struct {
	t      *testing.T
	kind   kind
	steady bool // the network has no jitter, so that timestamps never leave the time

	started   bool
	begin     rtp.Packet // the first ever
	beganAt   time.Time
	first     rtp.Packet // of what is carried now
	firstSent captured
	newest    rtp.Packet
	newestAt  time.Time
	picture   vp8Descriptor // of the newest with one
	taken     map[int64]bool
	extended  int64
	switches  int
}

// packet judges a packet of a source.
func (c *continuity) packet(p rtp.Packet, all []captured) {
	of := all[binary.BigEndian.Uint32(p.Payload[len(p.Payload)-4:])]
	var d vp8Descriptor
	if c.kind != audio {
		d, _, _ = parseVP8(p.Payload)
	}
	if c.started && c.fits(p, of, d) {
		c.note(p, d)
		return
	}
	if c.kind != audio && !of.vp8.key {
		c.t.Fatalf("%v: %+v neither continues %+v nor begins with a keyframe", c.kind, of, c.firstSent)
	}
	if c.started {
		c.follows(p)
		if pid, tl0, keyIdx := (d.pid-c.picture.pid)&0x7fff, d.tl0-c.picture.tl0, (d.tidKey-c.picture.tidKey)&0x1f; c.kind != audio &&
			(pid != 1 || tl0 != 1 || keyIdx != 1) {
			c.t.Fatalf("switch: picture +%d, TL0PICIDX +%d, KEYIDX +%d", pid, tl0, keyIdx)
		}
		c.switches++
	}
	c.first, c.firstSent = p, of
	c.note(p, d)
}

// flush judges a packet of the other codec.
func (c *continuity) flush(p rtp.Packet) {
	if c.kind != audio || !c.started || !bytes.Equal(p.Payload, silence) {
		c.t.Fatalf("%v: unexpected %v", c.kind, p)
	}
	c.follows(p)
	c.note(p, vp8Descriptor{})
	c.firstSent.from = -1 // nothing continues what was before
}

// follows checks that p comes next, and as much later as it comes later.
func (c *continuity) follows(p rtp.Packet) {
	step, later := p.SequenceNumber-c.newest.SequenceNumber, int64(int32(p.Timestamp-c.newest.Timestamp))
	elapsed := ticks(time.Since(c.newestAt), c.kind.clockRate())
	frame := c.kind.clockRate() / 50
	if step != 1 || later < 1 || later > elapsed+frame || later < elapsed-frame {
		c.t.Fatalf("%v: switch: number +%d, time +%d in %d ticks", c.kind, step, later, elapsed)
	}
}

// fits reports whether p's distances to the first packet of what is carried are those of its source.
func (c *continuity) fits(p rtp.Packet, of captured, d vp8Descriptor) bool {
	first, _, _ := parseVP8(c.first.Payload)
	was := c.firstSent
	same := was.from == of.from && was.run == of.run && p.Timestamp-c.first.Timestamp == of.ts-was.ts &&
		int(int16(p.SequenceNumber-c.first.SequenceNumber)) == of.place-was.place
	return same && (c.kind == audio || (d.pid-first.pid)&0x7fff == (of.vp8.pid-was.vp8.pid)&0x7fff &&
		d.tl0-first.tl0 == of.vp8.tl0-was.vp8.tl0 && (d.tidKey-first.tidKey)&0x1f == (of.vp8.tidKey-was.vp8.tidKey)&0x1f)
}

// note takes p as written. No number comes twice.
func (c *continuity) note(p rtp.Packet, d vp8Descriptor) {
	if !c.started {
		c.started, c.begin, c.beganAt, c.taken = true, p, time.Now(), make(map[int64]bool)
		c.newest, c.extended = p, int64(p.SequenceNumber)
	}
	number := unwrap(p.SequenceNumber, c.extended)
	if c.taken[number] {
		c.t.Fatalf("%v: number %d comes twice", c.kind, p.SequenceNumber)
	}
	c.taken[number] = true
	if number < c.extended {
		return
	}
	c.extended, c.newest, c.newestAt, c.picture = number, p, time.Now(), d
	rate := c.kind.clockRate()
	off := int64(int32(p.Timestamp-c.begin.Timestamp)) - ticks(time.Since(c.beganAt), rate)
	if c.steady && (off > rate/50 || off < -rate/50) {
		c.t.Fatalf("%v: after %d switches and %v the timestamps are %d ticks off", c.kind, c.switches, time.Since(c.beganAt), off)
	}
}
