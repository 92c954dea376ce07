package client

import (
	"bytes"
	"encoding/binary"
	"net"
	"sync/atomic"

	"github.com/pion/transport/v5"
	"github.com/pion/transport/v5/stdnet"
)

// Mark names who sent a packet, and when in a test: it travels in the payload. At most 32 bytes.
type Mark string

// Kind is what a packet carries.
type Kind string

// Kinds.
const (
	Audio Kind = "audio"
	Video Kind = "video"
)

const (
	magic       = "marked by test/client:"
	audioLength = 80   // bytes of an Opus payload, about 32 kbit/s at 20 ms
	videoLength = 1000 // bytes of a VP8 payload
)

// vp8Keyframe is the start of a VP8 payload that is a whole key frame of 320x240: the descriptor of RFC
// 7741 section 4.2 (extended, start of partition 0, a 15-bit PictureID that the sender fills in), then
// the frame header of RFC 6386 section 9.1 (shown, not inter-coded, start code, dimensions).
var vp8Keyframe = [...]byte{0x90, 0x80, 0x80, 0, 0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00}

// payload makes the payload of the n-th packet with a mark.
func payload(kind Kind, mark Mark, n uint64) []byte {
	b := make([]byte, 0, videoLength)
	length := audioLength
	if kind == Video {
		length = videoLength
		b = append(b, vp8Keyframe[:]...)
		binary.BigEndian.PutUint16(b[2:], 0x8000|uint16(n)) //nolint:gosec // the low 15 bits are what PictureID holds
	}
	b = append(b, magic...)
	b = append(b, byte(len(mark)))
	b = append(b, mark...)
	b = binary.BigEndian.AppendUint64(b, n)
	return append(b, make([]byte, max(0, length-len(b)))...)
}

// readMark finds the mark and the number in a payload, whatever a server did to its descriptor.
func readMark(payload []byte) (mark Mark, n uint64, ok bool) {
	_, rest, ok := bytes.Cut(payload, []byte(magic))
	if !ok || len(rest) < 1 || len(rest) < 1+int(rest[0])+8 {
		return "", 0, false
	}
	length := int(rest[0])
	return Mark(rest[1 : 1+length]), binary.BigEndian.Uint64(rest[1+length:]), true
}

// Flow is what has come of one mark in one kind.
type Flow struct {
	Packets     int
	First, Last uint64 // numbers of the packets
}

// Missing is how many packets between the first and the last have not come.
func (f Flow) Missing() int {
	if f.Packets == 0 {
		return 0
	}
	return int(f.Last-f.First) + 1 - f.Packets //nolint:gosec // a test's packets fit
}

// Key is what packets are counted by.
type Key struct {
	Slot int // index of the slot pair
	Kind Kind
	Mark Mark // empty: a packet that no client marked
}

// Tally counts the packets a peer has received.
type Tally map[Key]Flow

func (t Tally) add(key Key, n uint64) {
	f := t[key]
	if f.Packets == 0 {
		f.First, f.Last = n, n
	}
	f.Packets++
	f.First, f.Last = min(f.First, n), max(f.Last, n)
	t[key] = f
}

// Of is how many packets of a mark came, in all slots.
func (t Tally) Of(kind Kind, mark Mark) (packets int) {
	for key, flow := range t {
		if key.Kind == kind && key.Mark == mark {
			packets += flow.Packets
		}
	}
	return packets
}

// In is how many packets of a mark came in one slot.
func (t Tally) In(slot int, kind Kind, mark Mark) int { return t[Key{slot, kind, mark}].Packets }

// Datagrams counts what passes the peer's sockets, by the first byte (RFC 7983) and, between RTP and
// RTCP, the second (RFC 5761 section 4). Nothing a server sends escapes it, wanted or not.
type Datagrams struct {
	RTPIn, RTCPIn, RTPOut, RTCPOut uint64
}

// tap is the network as Pion sees it, with counters, and a switch that loses everything.
type tap struct {
	*stdnet.Net
	rtpIn, rtcpIn, rtpOut, rtcpOut atomic.Uint64
	severed                        atomic.Bool
}

func (t *tap) datagrams() Datagrams {
	return Datagrams{RTPIn: t.rtpIn.Load(), RTCPIn: t.rtcpIn.Load(), RTPOut: t.rtpOut.Load(), RTCPOut: t.rtcpOut.Load()}
}

// ListenUDP opens a socket that is counted.
func (t *tap) ListenUDP(network string, local *net.UDPAddr) (transport.UDPConn, error) {
	conn, err := t.Net.ListenUDP(network, local)
	if err != nil {
		return nil, err
	}
	return &tappedConn{UDPConn: conn, tap: t}, nil
}

type tappedConn struct {
	transport.UDPConn
	tap *tap
}

func (c *tappedConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, addr, err := c.UDPConn.ReadFrom(b)
	for err == nil && c.tap.severed.Load() {
		n, addr, err = c.UDPConn.ReadFrom(b)
	}
	count(b[:max(n, 0)], &c.tap.rtpIn, &c.tap.rtcpIn)
	return n, addr, err
}

func (c *tappedConn) WriteTo(b []byte, addr net.Addr) (int, error) {
	if c.tap.severed.Load() {
		return len(b), nil
	}
	count(b, &c.tap.rtpOut, &c.tap.rtcpOut)
	return c.UDPConn.WriteTo(b, addr)
}

func count(b []byte, rtp, rtcp *atomic.Uint64) {
	switch {
	case len(b) < 2 || b[0] < 128 || b[0] > 191: // STUN, DTLS
	case b[1] >= 192 && b[1] <= 223:
		rtcp.Add(1)
	default:
		rtp.Add(1)
	}
}
