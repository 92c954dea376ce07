package sfu

import (
	"slices"
	"sync"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/anteroom/anteroom/sfu/transport"
)

// The payload types and header extension ids of test offers. Those of slots differ from those of
// sources, so that what is not mapped shows.
const (
	ptOpus, ptVP8, ptRTX                 = 111, 96, 97
	slotOpus, slotVP8, slotRTX           = 109, 120, 124
	idMID, idTWCC, idLevel               = 4, 3, 1
	slotIDMID, slotIDLevel               = 5, 2
	audioSSRC, videoSSRC, rtxSSRC uint32 = 1000, 2000, 2001
)

// fakeWire keeps what a peer would send.
type fakeWire struct {
	mu     sync.Mutex
	rtp    []rtp.Packet
	rtcp   []rtcp.Packet
	padded []rtp.Header // of padding, with its size
	closed bool
	onRTP  func(rtp.Packet) // takes the packets that would be kept otherwise
}

func (w *fakeWire) WriteRTP(_ *transport.Batch, h *rtp.Header, payload ...[]byte) error {
	p := *(&rtp.Packet{Header: *h, Payload: slices.Concat(payload...)}).Clone()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.onRTP != nil {
		w.onRTP(p)
		return nil
	}
	w.rtp = append(w.rtp, p)
	return nil
}

func (w *fakeWire) WritePadding(_ *transport.Batch, h *rtp.Header, size uint8) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.padded = append(w.padded, rtp.Header{SSRC: h.SSRC, SequenceNumber: h.SequenceNumber, PayloadType: h.PayloadType, PaddingSize: size})
	return nil
}

func (w *fakeWire) WriteRTCP(_ *transport.Batch, compound []byte) error {
	pkts, err := rtcp.Unmarshal(compound)
	if err != nil {
		panic(err) // we never write what we cannot read
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rtcp = append(w.rtcp, pkts...)
	return nil
}

func (w *fakeWire) Stats() transport.Stats { return transport.Stats{} }

func (w *fakeWire) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
}

// take returns the RTP packets written since the last take.
func (w *fakeWire) take() []rtp.Packet {
	w.mu.Lock()
	defer w.mu.Unlock()
	pkts := w.rtp
	w.rtp = nil
	return pkts
}

// said returns the RTCP packets of a type written since the last said of any type.
func said[T rtcp.Packet](w *fakeWire) (of []T) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.rtcp {
		if p, ok := p.(T); ok {
			of = append(of, p)
		}
	}
	w.rtcp = nil
	return of
}

// offer returns what a client offers: audio, camera, perhaps content, and slots.
func offer(content bool, pairs, contents int) *transport.Offer {
	of := &transport.Offer{}
	add := func(k transport.Kind, send bool) {
		of.Media = append(of.Media, line(len(of.Media), k, send))
	}
	add(transport.Audio, false)
	add(transport.Video, false)
	of.Media[0].SSRC, of.Media[1].SSRC, of.Media[1].RTXSSRC = audioSSRC, videoSSRC, rtxSSRC
	if content {
		add(transport.Video, false)
	}
	for range pairs {
		add(transport.Audio, true)
		add(transport.Video, true)
	}
	for range contents {
		add(transport.Video, true)
	}
	return of
}

// line returns one m-line of a test offer; send means that the client receives on it.
func line(i int, k transport.Kind, send bool) transport.OfferedMedia {
	m := transport.OfferedMedia{
		Index: i, MID: string(rune('0' + i)), Kind: k, Receive: !send, Send: send,
		Extensions: map[string]uint8{extMID: idMID, extTWCC: idTWCC, extLevel: idLevel, "urn:3gpp:video-orientation": 9},
	}
	opus := transport.Codec{PT: ptOpus, Name: "opus", ClockRate: 48000, Channels: 2, Feedback: []string{"transport-cc"}}
	vp8 := transport.Codec{
		PT: ptVP8, RTXPT: ptRTX, Name: "VP8", ClockRate: 90000, Feedback: []string{"goog-remb", "nack", "nack pli"},
	}
	if send {
		m.Extensions = map[string]uint8{extMID: slotIDMID, extTWCC: idTWCC, extLevel: slotIDLevel}
		opus.PT, vp8.PT, vp8.RTXPT = slotOpus, slotVP8, slotRTX
	}
	m.Codecs = []transport.Codec{{PT: 98, Name: "VP9", ClockRate: 90000}, vp8}
	if k == transport.Audio {
		m.Codecs = []transport.Codec{opus, {PT: 0, Name: "PCMU", ClockRate: 8000}}
	}
	return m
}

// newTestSFU returns an SFU without a transport and without its goroutine.
func newTestSFU() *SFU { return newSFU(Config{}) }

// testPeer is a peer over a fakeWire, with open gate and connected.
type testPeer struct {
	*Peer
	wire *fakeWire
}

func (s *SFU) testPeer(t fataler, id string, of *transport.Offer) testPeer {
	t.Helper()
	p := &Peer{id: id, sfu: s}
	if _, err := p.negotiate(of); err != nil {
		t.Fatal(err)
	}
	w := &fakeWire{}
	p.attach(w)
	if !s.add(p) {
		t.Fatal("closed")
	}
	handler{p}.State(transport.State{Phase: transport.Connected})
	p.SetGate(true)
	return testPeer{p, w}
}

// fataler is what testing and rapid have in common.
type fataler interface {
	Helper()
	Fatal(args ...any)
}

// pair returns a publisher and a viewer with one slot pair that carries it.
func pair(t fataler) (s *SFU, publisher, viewer testPeer) {
	t.Helper()
	s = newTestSFU()
	publisher = s.testPeer(t, "publisher", offer(true, 0, 0))
	viewer = s.testPeer(t, "viewer", offer(false, 1, 1))
	viewer.Point([]*Peer{publisher.Peer}, nil)
	return s, publisher, viewer
}

// send delivers packets from the client to the peer, all at once.
func (p testPeer) send(at time.Time, pkts ...rtp.Packet) {
	for _, pkt := range pkts {
		handler{p.Peer}.RTP(&transport.Packet{Header: pkt.Header, Payload: pkt.Payload, Arrival: at})
	}
}

// tell delivers RTCP from the client to the peer.
func (p testPeer) tell(at time.Time, pkts ...rtcp.Packet) {
	b, err := rtcp.Marshal(pkts)
	if err != nil {
		panic(err)
	}
	p.readRTCP(nil, b, at)
}

// voice returns an audio packet of the announced SSRC.
func voice(seq uint16, ts uint32) rtp.Packet {
	return rtp.Packet{
		Header:  rtp.Header{Version: 2, PayloadType: ptOpus, SSRC: audioSSRC, SequenceNumber: seq, Timestamp: ts},
		Payload: []byte("voice"),
	}
}

// shoot returns the next n frames of a camera as packets of the announced SSRC, the first a keyframe if key.
func (c *camera) shoot(n int, key bool) (pkts []rtp.Packet) {
	for i := range n {
		pkts = append(pkts, c.frame('p', key && i == 0)...)
	}
	for i := range pkts {
		pkts[i].SSRC, pkts[i].PayloadType = videoSSRC, ptVP8
	}
	return pkts
}

// padding returns a packet of nothing in the camera's stream.
func (c *camera) padding() rtp.Packet {
	c.seq++
	return rtp.Packet{Header: rtp.Header{
		Version: 2, PayloadType: ptVP8, SSRC: videoSSRC, SequenceNumber: c.seq, Timestamp: c.ts,
	}}
}

// wrapRTX returns p as its client would retransmit it.
func wrapRTX(p rtp.Packet, seq uint16) rtp.Packet {
	osn := p.SequenceNumber
	p.Payload = slices.Concat([]byte{byte(osn >> 8), byte(osn)}, p.Payload)
	p.SSRC, p.PayloadType, p.SequenceNumber = rtxSSRC, ptRTX, seq
	return p
}

func (p testPeer) track(k kind) *track {
	for _, t := range p.out.bySSRC {
		if t != nil && t.kind == k {
			return t
		}
	}
	return nil
}

func (p testPeer) trackOf(ssrc uint32) *track { return p.out.bySSRC[ssrc] }

// videos returns the VP8 packets among pkts, retransmissions unwrapped to what they repeat.
func videos(pkts []rtp.Packet) (of []rtp.Packet) {
	for _, p := range pkts {
		switch p.PayloadType {
		case slotRTX:
			p.SequenceNumber = uint16(p.Payload[0])<<8 | uint16(p.Payload[1])
			p.Payload = p.Payload[2:]
			of = append(of, p)
		case slotVP8:
			of = append(of, p)
		}
	}
	return of
}

// pass lets a bubble's time pass.
func pass(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // in a testing/synctest bubble, where it takes no time
}

// run20ms passes one tick of a bubble's time.
func (s *SFU) run20ms() {
	pass(tickEvery)
	for _, p := range s.peers {
		p.tick(nil, time.Now(), true)
	}
}
