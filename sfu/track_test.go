package sfu

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"pgregory.net/rapid"
)

func TestForward_MapsTheHeaderToTheViewersOffer(t *testing.T) {
	_, a, b := pair(t)
	in := voice(7, 1000)
	in.Marker = true
	for id, value := range map[uint8]string{idMID: "0", idTWCC: "\x00\x01", idLevel: "\x55", 9: "\x01"} {
		if err := in.SetExtension(id, []byte(value)); err != nil {
			t.Fatal(err)
		}
	}
	a.send(time.Now(), in)
	got := b.wire.take()
	if len(got) != 1 {
		t.Fatalf("%d packets", len(got))
	}
	out := got[0]
	if out.PayloadType != slotOpus || out.SSRC != b.track(audio).ssrc || !out.Marker || string(out.Payload) != "voice" {
		t.Errorf("forwarded as %v", out)
	}
	if string(out.GetExtension(slotIDMID)) != "2" || string(out.GetExtension(slotIDLevel)) != "\x55" {
		t.Errorf("extensions %v", out.Extensions)
	}
	if n := len(out.GetExtensionIDs()); n != 2 {
		t.Errorf("%d extensions, want MID and level", n)
	}
}

func TestSwitch_VideoWaitsForTheKeyframe_AudioDoesNot(t *testing.T) {
	_, a, b := pair(t)
	var cam camera
	cam.shoot(1, false) // the first frame, which is a keyframe, was before the route
	now := time.Now()
	a.send(now, cam.shoot(3, false)...)
	a.send(now, voice(1, 1))
	if got := b.wire.take(); len(got) != 1 || got[0].PayloadType != slotOpus {
		t.Fatalf("forwarded %v", got)
	}
	key := cam.shoot(1, true)
	a.send(now, key[1], key[0]) // the keyframe's second packet comes first
	if got := b.wire.take(); len(got) != 1 || !slices.Equal(got[0].Payload[len(got[0].Payload)-2:], []byte{0, 'p'}) {
		t.Fatalf("did not begin with the keyframe's first packet: %v", got)
	}
	b.tick(nil, now, false)
	b.tell(now, nackFor(b.track(video), b.track(video).last.seq+1)) // not sent yet: not ours to answer
	a.send(now, cam.shoot(1, false)...)
	missing := b.wire.take()[0].SequenceNumber - 1
	b.tell(now, nackFor(b.track(video), missing))
	if got := videos(b.wire.take()); len(got) != 1 || got[0].SequenceNumber != missing {
		t.Fatalf("the keyframe's second packet is not to be had: %v", got)
	}
}

func TestForward_PaddingLeavesNoGap(t *testing.T) {
	_, a, b := pair(t)
	var cam camera
	now := time.Now()
	a.send(now, cam.shoot(2, true)...)
	a.send(now, cam.padding(), cam.padding())
	a.send(now, cam.shoot(2, false)...)
	got := b.wire.take()
	if len(got) != 8 {
		t.Fatalf("%d packets", len(got))
	}
	for i, p := range got {
		if p.SequenceNumber != got[0].SequenceNumber+uint16(i) {
			t.Fatalf("packet %d has number %d", i, p.SequenceNumber-got[0].SequenceNumber)
		}
	}
}

// A padding packet that comes late has a number already: the gap is filled with an empty packet.
func TestForward_LatePadding_FillsItsPlace(t *testing.T) {
	_, a, b := pair(t)
	var cam camera
	now := time.Now()
	a.send(now, cam.shoot(1, true)...)
	late := cam.padding()
	a.send(now, cam.shoot(1, false)...)
	a.send(now, late)
	got := b.wire.take()
	if last := got[len(got)-1]; len(got) != 5 || len(last.Payload) != 0 || last.SequenceNumber != got[0].SequenceNumber+2 {
		t.Fatalf("late padding came out as %v", last)
	}
}

func nackFor(t *track, seqs ...uint16) *rtcp.TransportLayerNack {
	return &rtcp.TransportLayerNack{MediaSSRC: t.ssrc, Nacks: rtcp.NackPairsFromSequenceNumbers(seqs)}
}

func TestResend_IsTheSamePacketInRTXFormat(t *testing.T) {
	_, a, b := pair(t)
	var cam camera
	now := time.Now()
	a.send(now, cam.shoot(3, true)...)
	sent := b.wire.take()
	b.tick(nil, now, false)
	b.tell(now, nackFor(b.track(video), sent[1].SequenceNumber, sent[4].SequenceNumber))
	again := b.wire.take()
	if len(again) != 2 {
		t.Fatalf("%d packets resent", len(again))
	}
	for i, of := range []rtp.Packet{sent[1], sent[4]} {
		got := again[i]
		if got.SSRC != b.track(video).rtxSSRC || got.PayloadType != slotRTX || got.Timestamp != of.Timestamp || got.Marker != of.Marker {
			t.Errorf("resent with header %+v", got.Header)
		}
		if binary.BigEndian.Uint16(got.Payload) != of.SequenceNumber || !slices.Equal(got.Payload[2:], of.Payload) {
			t.Errorf("resent %x, was %x", got.Payload, of.Payload)
		}
	}
	if again[1].SequenceNumber != again[0].SequenceNumber+1 {
		t.Error("RTX has gaps of its own")
	}
}

func TestResend_WithoutRTX_RepeatsThePacket(t *testing.T) {
	s := newTestSFU()
	a := s.testPeer(t, "a", offer(false, 0, 0))
	of := offer(false, 1, 0)
	of.Media[3].Codecs[1].RTXPT = 0
	b := s.testPeer(t, "b", of)
	b.Point([]*Peer{a.Peer}, nil)
	var cam camera
	now := time.Now()
	a.send(now, cam.shoot(1, true)...)
	sent := b.wire.take()
	b.tick(nil, now, false)
	b.tell(now, nackFor(b.track(video), sent[1].SequenceNumber))
	again := b.wire.take()
	if len(again) != 1 || again[0].String() != sent[1].String() || !slices.Equal(again[0].Payload, sent[1].Payload) {
		t.Fatalf("resent %v, was %v", again, sent[1])
	}
}

func TestResend_NothingOfARemovedSource(t *testing.T) {
	s, a, b := pair(t)
	other := s.testPeer(t, "other", offer(false, 0, 0))
	var cam, otherCam camera
	now := time.Now()
	a.send(now, cam.shoot(3, true)...)
	old := b.wire.take()[2].SequenceNumber
	b.tick(nil, now, false)
	b.Point([]*Peer{other.Peer}, nil)
	b.tell(now, nackFor(b.track(video), old))
	other.send(now, otherCam.shoot(3, true)...)
	b.tell(now, nackFor(b.track(video), old))
	for _, p := range b.wire.take() {
		if p.SSRC == b.track(video).rtxSSRC {
			t.Fatalf("resent %v", p)
		}
	}
}

func TestResend_AFloodOfNACKsHasABudget(t *testing.T) {
	_, a, b := pair(t)
	var cam camera
	now := time.Now()
	a.send(now, cam.shoot(3, true)...)
	seq := b.wire.take()[1].SequenceNumber
	b.tick(nil, now, false)
	for range 3 * resendBudget {
		b.tell(now, nackFor(b.track(video), seq))
	}
	if n := len(b.wire.take()); n != resendBudget {
		t.Fatalf("%d packets resent, the budget is %d", n, resendBudget)
	}
}

// publisherModel is a publisher whose every packet names itself.
type publisherModel struct {
	testPeer
	cam     camera
	pending []rtp.Packet // delayed or lost
	rtxSeq  uint16
}

// sent is what the test knows of a packet by its id.
type sent struct {
	from  int // publisher
	place int // among that publisher's packets with media
	ts    uint32
	vp8   vp8Descriptor
}

// Through random losses, repairs, reordering, padding, holds and switches the viewer sees one stream:
// each packet has one sequence number; within a stint on a source all distances are the source's but for
// padding; a stint begins with a keyframe, one number and one picture after the last packet, and later.
func TestTrack_AnySwitchesLossAndReordering_OneContinuousStream(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newTestSFU()
		viewer := s.testPeer(t, "viewer", offer(false, 1, 0))
		var all []sent
		var pubs []*publisherModel
		for i := range 2 {
			pub := &publisherModel{testPeer: s.testPeer(t, "p", offer(false, 0, 0))}
			pub.cam.seq = rapid.Uint16().Draw(t, "seq")
			pub.cam.ts, pub.cam.pid = rapid.Uint32().Draw(t, "ts"), rapid.Uint16Range(0, 0x7fff).Draw(t, "pid")
			pub.cam.n = i // the second one's first frame is not a keyframe
			pubs = append(pubs, pub)
		}
		now := s.clock.began
		watched, places := -1, [2]int{}
		var check streamCheck
		for range rapid.IntRange(1, 120).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 50).Draw(t, "ms")) * time.Millisecond)
			i := rapid.IntRange(0, 1).Draw(t, "publisher")
			pub := pubs[i]
			switch rapid.SampledFrom([]string{"frame", "frame", "frame", "key", "padding", "late", "point"}).Draw(t, "op") {
			case "padding":
				pub.send(now, pub.cam.padding())
			case "late":
				pub.late(t, now)
			case "point":
				watched = rapid.IntRange(-1, 1).Draw(t, "watch")
				if watched < 0 {
					viewer.Point(nil, nil)
				} else {
					viewer.Point([]*Peer{pubs[watched].Peer}, nil)
				}
			case "key":
				pub.cam.n = 0
				fallthrough
			default:
				for _, p := range pub.cam.shoot(1, false) {
					d, _, _ := parseVP8(p.Payload)
					p.Payload = binary.BigEndian.AppendUint32(p.Payload, uint32(len(all)))
					all = append(all, sent{from: i, place: places[i], ts: p.Timestamp, vp8: d})
					places[i]++
					if rapid.IntRange(0, 9).Draw(t, "fate") == 0 {
						pub.pending = append(pub.pending, p)
					} else {
						pub.send(now, p)
					}
				}
			}
			for _, p := range viewer.wire.take() {
				check.packet(t, p, all, watched)
			}
		}
	})
}

// late delivers a pending packet, as it was or by RTX.
func (m *publisherModel) late(t *rapid.T, now time.Time) {
	if len(m.pending) == 0 {
		return
	}
	i := rapid.IntRange(0, len(m.pending)-1).Draw(t, "which")
	p := m.pending[i]
	m.pending = slices.Delete(m.pending, i, i+1)
	if rapid.Bool().Draw(t, "rtx") {
		m.rtxSeq++
		p = wrapRTX(p, m.rtxSeq)
	}
	m.send(now, p)
}

// streamCheck judges a viewer's stream packet by packet.
type streamCheck struct {
	started   bool
	first     rtp.Packet // of the stint
	firstSent sent
	newest    rtp.Packet // over all stints
	ids       map[uint16]uint32
}

func (c *streamCheck) packet(t *rapid.T, p rtp.Packet, all []sent, watched int) {
	id := binary.BigEndian.Uint32(p.Payload[len(p.Payload)-4:])
	of := all[id]
	if of.from != watched {
		t.Fatalf("a packet of %d while %d is watched", of.from, watched)
	}
	if c.ids == nil {
		c.ids = make(map[uint16]uint32)
	}
	if other, taken := c.ids[p.SequenceNumber]; taken {
		t.Fatalf("packets %d and %d share a sequence number", other, id)
	}
	c.ids[p.SequenceNumber] = id
	newer := int16(p.SequenceNumber-c.newest.SequenceNumber) > 0
	switch {
	case c.started && c.firstSent.from == of.from && c.fits(p, of):
	case !of.vp8.key:
		t.Fatalf("%+v neither continues %+v nor begins with a keyframe", of, c.firstSent)
	default:
		if c.started {
			c.follows(t, p)
		}
		c.started, c.first, c.firstSent, newer = true, p, of, true
	}
	if newer {
		c.newest = p
	}
}

// follows checks the first packet of a stint against the last of the stint before.
func (c *streamCheck) follows(t *rapid.T, p rtp.Packet) {
	was, _, _ := parseVP8(c.newest.Payload)
	is, _, _ := parseVP8(p.Payload)
	seq, later := p.SequenceNumber-c.newest.SequenceNumber, int32(p.Timestamp-c.newest.Timestamp)
	pid, tl0, keyIdx := (is.pid-was.pid)&0x7fff, is.tl0-was.tl0, (is.tidKey-was.tidKey)&0x1f
	if seq != 1 || later < 1 || pid != 1 || tl0 != 1 || keyIdx != 1 {
		t.Fatalf("switch: number +%d, time +%d, picture +%d, TL0PICIDX +%d, KEYIDX +%d", seq, later, pid, tl0, keyIdx)
	}
}

// fits reports whether p's distances to the stint's first packet are those of its source.
func (c *streamCheck) fits(p rtp.Packet, of sent) bool {
	first, _, _ := parseVP8(c.first.Payload)
	d, _, _ := parseVP8(p.Payload)
	was, is := c.firstSent.vp8, of.vp8
	return int(int16(p.SequenceNumber-c.first.SequenceNumber)) == of.place-c.firstSent.place &&
		p.Timestamp-c.first.Timestamp == of.ts-c.firstSent.ts &&
		(d.pid-first.pid)&0x7fff == (is.pid-was.pid)&0x7fff &&
		d.tl0-first.tl0 == is.tl0-was.tl0 &&
		(d.tidKey-first.tidKey)&0x1f == (is.tidKey-was.tidKey)&0x1f
}
