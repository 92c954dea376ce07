package sfu

import (
	"encoding/binary"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/anteroom/anteroom/sfu/transport"
)

// impairedWire is a peer's wire with a path behind it. It is the last thing that a packet passes before it is
// sealed, so its notes are what the server wrote, and when.
type impairedWire struct {
	wire
	path  *path
	parts map[uint8]part // by payload type

	mu     sync.Mutex
	began  bool
	first  uint16 // the first video packet's number
	videos []writing
	audios []writing
	again  map[uint16]int         // retransmissions by number
	asks   map[uint16][]time.Time // by number: when the client was asked for it
	rtcps  uint16
}

// writing is a packet that was written for the first time.
type writing struct {
	rtp.Packet
	at time.Time
}

// impair puts a path between a peer and its client, from now on.
func impair(p *Peer, to *path) *impairedWire {
	w := &impairedWire{
		path: to, parts: make(map[uint8]part), again: make(map[uint16]int), asks: make(map[uint16][]time.Time),
	}
	p.out.tracks(func(t *track) {
		if t.kind == audio {
			w.parts[t.pt] = partAudio
			return
		}
		w.parts[t.pt], w.parts[t.rtxPT] = partVideo, partRTX
	})
	p.in.mu.Lock()
	defer p.in.mu.Unlock()
	p.out.mu.Lock()
	defer p.out.mu.Unlock()
	w.wire = p.in.wire
	p.in.wire, p.out.wire = w, w
	return w
}

func (w *impairedWire) WriteRTP(_ *transport.Batch, h *rtp.Header, payload ...[]byte) error {
	c := (&rtp.Packet{Header: *h, Payload: slices.Concat(payload...)}).Clone()
	w.path.carry(w.note(c), func() { _ = w.wire.WriteRTP(nil, &c.Header, c.Payload) })
	return nil
}

// note keeps what was written and names it. Tracks begin at random numbers, and names must be the same in every run.
func (w *impairedWire) note(p *rtp.Packet) parcel {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch of := w.parts[p.PayloadType]; of {
	case partRTX:
		seq := binary.BigEndian.Uint16(p.Payload)
		w.again[seq]++
		return w.name(of, seq)
	case partVideo:
		if !w.began {
			w.began, w.first = true, p.SequenceNumber
		}
		w.videos = append(w.videos, writing{*p, time.Now()})
		return w.name(of, p.SequenceNumber)
	default:
		w.audios = append(w.audios, writing{*p, time.Now()})
		return w.name(of, p.SequenceNumber)
	}
}

// name returns what the path calls a packet of that number.
func (w *impairedWire) name(of part, seq uint16) parcel {
	if of == partAudio && len(w.audios) > 0 {
		return parcel{of, seq - w.audios[0].SequenceNumber}
	}
	return parcel{of, seq - w.first}
}

func (w *impairedWire) WriteRTCP(_ *transport.Batch, compound []byte) error {
	c := slices.Clone(compound)
	pkts, err := rtcp.Unmarshal(c)
	if err != nil {
		return err
	}
	w.mu.Lock()
	w.rtcps++
	what := parcel{partRTCP, w.rtcps}
	for _, seq := range asked(pkts) {
		w.asks[seq] = append(w.asks[seq], time.Now())
	}
	w.mu.Unlock()
	w.path.carry(what, func() { _ = w.wire.WriteRTCP(nil, c) })
	return nil
}

// asked returns the sequence numbers that NACKs among pkts ask for.
func asked(pkts []rtcp.Packet) (seqs []uint16) {
	for _, p := range pkts {
		if nack, ok := p.(*rtcp.TransportLayerNack); ok {
			for _, pair := range nack.Nacks {
				seqs = append(seqs, pair.PacketList()...)
			}
		}
	}
	return seqs
}

// written returns the video and audio packets written so far, without retransmissions.
func (w *impairedWire) written() (videos, audios []writing) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.videos), slices.Clone(w.audios)
}

// resent returns how often each video packet was written again.
func (w *impairedWire) resent() map[uint16]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.again)
}

// asked returns when the client was asked for each packet.
func (w *impairedWire) asked() map[uint16][]time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.asks)
}
