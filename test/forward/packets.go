package main

import (
	"encoding/binary"
	"time"

	"github.com/pion/rtcp"
)

// What a phone sends: 50 voice packets of 80 bytes a second, and 30 frames of five packets of 1,180 bytes.
const (
	voiceEvery   = 20 * time.Millisecond
	frames       = 3 // in each period
	framePackets = 5
	voiceBytes   = 80
	cameraBytes  = 1180
	period       = 100 * time.Millisecond
	perSecond    = 50 + 30*framePackets
	keyEvery     = 15 // frames: a viewer that has just come waits half a second at most
)

// stream is one RTP stream of a client.
type stream struct {
	ssrc uint32
	pt   uint8
	seq  uint16
	ts   uint32

	packets, octets uint32
	picture         uint16
}

// stampAt is where in the payload the time of sending stands: behind the longest descriptor of our packets.
const stampAt = 16

// packet writes the next plain packet of a stream into buf and returns its length. The marker ends a frame.
func (c *client) packet(s *stream, buf []byte, payload int, marker bool, stamp int64) int {
	s.seq++
	c.transportWide++
	buf[0], buf[1] = 0x90, s.pt
	if marker {
		buf[1] |= 0x80
	}
	binary.BigEndian.PutUint16(buf[2:], s.seq)
	binary.BigEndian.PutUint32(buf[4:], s.ts)
	binary.BigEndian.PutUint32(buf[8:], s.ssrc)
	// One-byte extensions (RFC 8285): transport-wide number, audio level.
	binary.BigEndian.PutUint32(buf[12:], 0xbede0002)
	buf[16] = idWide<<4 | 1
	binary.BigEndian.PutUint16(buf[17:], c.transportWide)
	buf[19] = idLevel << 4
	buf[20], buf[21], buf[22], buf[23] = 0x80, 0, 0, 0
	const header = 24
	body := buf[header : header+payload]
	clear(body[:stampAt])
	binary.BigEndian.PutUint64(body[stampAt:], uint64(stamp))
	s.packets++
	s.octets += uint32(payload)
	return header + payload
}

// describe writes the VP8 descriptor (RFC 7741 section 4.2) and the frame's first byte.
func (s *stream) describe(body []byte, first bool) {
	body[0] = 0x80 // X
	if first {
		body[0] |= 0x10 // S
	}
	body[1] = 0x80 // I
	binary.BigEndian.PutUint16(body[2:], 0x8000|s.picture&0x7fff)
	body[4] = 1 // not a keyframe
	if first && s.picture%keyEvery == 0 {
		body[4] = 0
	}
}

// report is what a client says each second: of its own streams, and that nothing is lost of those it watches.
func (c *client) report(now time.Time) []byte {
	ntp := uint64(now.Unix()+2208988800)<<32 | uint64(now.Nanosecond())<<32/1e9
	pkts := []rtcp.Packet{}
	for _, s := range []*stream{&c.voice, &c.camera} {
		pkts = append(pkts, &rtcp.SenderReport{SSRC: s.ssrc, NTPTime: ntp, RTPTime: s.ts, PacketCount: s.packets, OctetCount: s.octets})
	}
	pkts = append(pkts, &rtcp.ReceiverReport{SSRC: c.voice.ssrc})
	b, err := rtcp.Marshal(pkts)
	if err != nil {
		panic(err) // nothing in it depends on input
	}
	return b
}
