package sfu

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// mtu is the largest payload that a client sends.
const mtu = 1200

func TestRing_KeepsTheLastPackets(t *testing.T) {
	var r ring
	for n := int64(1000); n < 1000+2*ringPackets; n++ {
		if !r.put(&packet{number: n, payload: []byte{byte(n), byte(n >> 8)}}) {
			t.Fatalf("packet %d is not new", n)
		}
	}
	for n, want := range map[int64]bool{
		999: false, 1000: false, 1000 + ringPackets - 1: false, 1000 + ringPackets: true,
		1000 + 2*ringPackets - 1: true, 1000 + 2*ringPackets: false,
	} {
		got := r.with(n, func(p *packet) {
			if p.number != n || p.payload[0] != byte(n) || p.payload[1] != byte(n>>8) {
				t.Errorf("packet %d is %+v", n, p)
			}
		})
		if got != want {
			t.Errorf("packet %d there: %v, want %v", n, got, want)
		}
	}
}

func TestRing_RefusesDuplicatesAndTheTooOld(t *testing.T) {
	var r ring
	r.put(&packet{number: 700})
	if r.put(&packet{number: 700}) || r.put(&packet{number: 700 - ringPackets}) {
		t.Error("a duplicate or what its place has outgrown was taken for new")
	}
	if !r.put(&packet{number: 699}) {
		t.Error("a late packet was refused")
	}
}

func TestRing_CopiesWhatItKeeps(t *testing.T) {
	var r ring
	payload := []byte("as it was")
	r.put(&packet{number: 5, payload: payload})
	copy(payload, "overwrite")
	r.with(5, func(p *packet) {
		if string(p.payload) != "as it was" {
			t.Errorf("kept %q", p.payload)
		}
	})
	r.clear()
	if r.bytes() != 0 || r.with(5, func(*packet) {}) {
		t.Error("clear left something")
	}
}

// modelled is a packet that the model of a ring knows to have been put.
type modelled struct {
	packet
	bytesThen int // put in all, this one included
}

// ringModel says what a ring must have, from all that was put since it was cleared.
type ringModel struct {
	places map[int64]modelled // the packet of each place
	bytes  int
	now    time.Time
}

func (m *ringModel) put(p packet) (isNew bool) {
	at := p.number % ringPackets
	if old, ok := m.places[at]; ok && old.number >= p.number {
		return false
	}
	m.bytes += len(p.payload)
	m.places[at] = modelled{packet: p, bytesThen: m.bytes}
	return true
}

// due reports whether the ring must still have a packet: it is younger than ringTime, and what came since fits beside it into
// one chunk less than there are, each of which may have room left for all but a byte of a packet.
func (m *ringModel) due(p modelled) bool {
	return m.now.Sub(p.arrival) <= ringTime && m.bytes-p.bytesThen+len(p.payload) <= (ringChunks-1)*(chunkSize-mtu)
}

func TestRing_HasWhatItsBoundsAllow_AndNothingElse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r ring
		m := ringModel{places: map[int64]modelled{}, now: time.Unix(1e9, 0)}
		highest := rapid.Int64Range(1, 1<<20).Draw(t, "first")
		largest := rapid.SampledFrom([]int{0, 60, mtu}).Draw(t, "largest")
		sizes := rapid.IntRange(largest*rapid.IntRange(0, 10).Draw(t, "evenness")/10, largest)
		pauses := rapid.SampledFrom([]int{1, 5, 40}).Draw(t, "pauses")
		for range rapid.IntRange(1, 600).Draw(t, "puts") {
			m.now = m.now.Add(time.Duration(rapid.IntRange(0, pauses).Draw(t, "ms")) * time.Millisecond)
			switch rapid.IntRange(0, 200).Draw(t, "what") {
			case 0:
				highest = (highest>>16 + 2) << 16 // as receiver.begin does
			case 1:
				r.clear()
				m.places, m.bytes = map[int64]modelled{}, 0
			case 2:
				m.now = m.now.Add(3 * ringTime)
			}
			number := max(1, highest+rapid.Int64Range(-4, 3).Draw(t, "step"))
			if rapid.IntRange(0, 20).Draw(t, "late") == 0 {
				number = max(1, highest-rapid.Int64Range(0, 2*ringPackets).Draw(t, "behind"))
			}
			highest = max(highest, number)
			p := modelPacket(number, sizes.Draw(t, "size"), m.now)
			if got, want := r.put(&p), m.put(p); got != want {
				t.Fatalf("packet %d is new: %v, want %v", number, got, want)
			}
		}
		for _, p := range m.places {
			got := r.with(p.number, func(kept *packet) {
				if kept.number != p.number || kept.ts != p.ts || kept.marker != p.marker || kept.vp8 != p.vp8 || !bytes.Equal(kept.payload, p.payload) {
					t.Fatalf("packet %d is %+v, was %+v", p.number, kept, p)
				}
			})
			if !got && m.due(p) {
				t.Fatalf("packet %d is not there, %v old, %d bytes later", p.number, m.now.Sub(p.arrival), m.bytes-p.bytesThen)
			}
			for _, other := range []int64{p.number + ringPackets, p.number - ringPackets, p.number + 1<<16} {
				if m.places[other%ringPackets].number != other && r.with(other, func(*packet) {}) {
					t.Fatalf("packet %d is there and never was", other)
				}
			}
		}
		if got := r.bytes(); got > ringChunks*chunkSize {
			t.Fatalf("%d bytes kept", got)
		}
	})
}

// modelPacket makes a packet all of whose parts depend on its number.
func modelPacket(number int64, size int, arrival time.Time) packet {
	payload := bytes.Repeat(binary.BigEndian.AppendUint64(nil, uint64(number)*0x9e3779b97f4a7c15), size/8+1)[:size]
	return packet{
		number: number, ts: uint32(number * 3000), marker: number%3 == 0, arrival: arrival, payload: payload,
		vp8: vp8Descriptor{first: uint8(number), hasPID: number%2 == 0, pid: uint16(number) & 0x7fff, key: number%7 == 0},
	}
}

// bytes returns how much memory the ring has for payloads.
func (r *ring) bytes() (n int) {
	for i := range r.chunks {
		if r.chunks[i].memory != nil {
			n += chunkSize
		}
	}
	return n
}

// player fills a ring as a publisher does.
type player struct {
	ring
	number int64
}

// play puts a stream of so many bits a second, in packets of that size.
func (r *player) play(from time.Time, lasting time.Duration, bitrate, size int) (until time.Time) {
	every := time.Duration(float64(8*size) / float64(bitrate) * float64(time.Second))
	for at := from; at.Before(from.Add(lasting)); at = at.Add(every) {
		r.number++
		r.put(&packet{number: r.number, payload: make([]byte, size), arrival: at})
	}
	return from.Add(lasting)
}

func TestRing_SizeFollowsTheBitrate(t *testing.T) {
	var r player
	at := time.Unix(1e9, 0)
	for _, step := range []struct{ kbits, least, most int }{
		{80, 1, 4}, {300, 4, 7}, {4000, ringChunks, ringChunks}, {300, 4, 7}, {80, 1, 4},
	} {
		at = r.play(at, 5*time.Second, step.kbits*1000, 1000)
		if got := r.bytes() / chunkSize; got < step.least || got > step.most {
			t.Errorf("at %d kbit/s the ring has %d chunks, not %d to %d", step.kbits, got, step.least, step.most)
		}
	}
}

func TestRing_HasAllOfTheLastSecond_WhateverTheBitrateWas(t *testing.T) {
	const perSecond = 50 // packets of 1,000 bytes
	var r player
	at := time.Unix(1e9, 0)
	for range 20 {
		at = r.play(at, time.Second, 4_000_000, 1000) // which makes the ring as large as it gets
		at = r.play(at, time.Second, 8*1000*perSecond, 1000)
		for range 10 * perSecond {
			at = r.play(at, time.Second/perSecond, 8*1000*perSecond, 1000)
			if n := r.number - perSecond; !r.with(n, func(*packet) {}) {
				t.Fatalf("packet %d is gone within a second, the newest is %d", n, r.number)
			}
		}
	}
}

func TestRing_AboveItsBytes_TheOldestGo(t *testing.T) {
	var r player
	r.play(time.Unix(1e9, 0), time.Second, 1_500_000, mtu)
	kept := 0
	for n := r.number; n > r.number-ringPackets; n-- {
		if r.with(n, func(*packet) {}) {
			kept++
		} else if kept < (ringChunks-1)*(chunkSize/mtu) {
			t.Fatalf("packet %d is gone, the newest is %d", n, r.number)
		}
	}
	if most := ringChunks * (chunkSize / mtu); kept > most {
		t.Fatalf("%d packets kept of at most %d", kept, most)
	}
}

func TestRing_AllocatesNothingOnceItIsFull(t *testing.T) {
	for _, bitrate := range []int{50_000, 300_000, 1_500_000} {
		var r player
		at := r.play(time.Unix(1e9, 0), 10*time.Second, bitrate, mtu)
		payload := make([]byte, mtu)
		every := time.Duration(float64(8*mtu) / float64(bitrate) * float64(time.Second))
		if n := testing.AllocsPerRun(1000, func() {
			at = at.Add(every)
			r.number++
			r.put(&packet{number: r.number, payload: payload, arrival: at})
			r.with(r.number, func(*packet) {})
		}); n != 0 {
			t.Errorf("at %d bit/s %v allocations a packet", bitrate, n)
		}
	}
}
