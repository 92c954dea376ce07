package sfu

import (
	"encoding/binary"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// impairedClient is an interceptor that puts a path behind all that a client sends. Nearest to the network, it notes
// what the stack sent, and when.
type impairedClient struct {
	interceptor.NoOp
	path *path

	mu    sync.Mutex
	asks  map[uint16][]time.Time // by number: when the client asked for it
	came  map[uint16][]time.Time // those requests that were delivered
	have  map[uint16]bool        // video packets that came, also by retransmission
	rtcps uint16
}

func newImpairedClient(to *path) *impairedClient {
	return &impairedClient{
		path: to, asks: make(map[uint16][]time.Time), came: make(map[uint16][]time.Time),
		have: make(map[uint16]bool),
	}
}

// NewInterceptor implements interceptor.Factory.
func (c *impairedClient) NewInterceptor(string) (interceptor.Interceptor, error) { return c, nil }

// BindLocalStream implements interceptor.Interceptor.
func (c *impairedClient) BindLocalStream(info *interceptor.StreamInfo, w interceptor.RTPWriter) interceptor.RTPWriter {
	return interceptor.RTPWriterFunc(func(h *rtp.Header, payload []byte, _ interceptor.Attributes) (int, error) {
		p := (&rtp.Packet{Header: *h, Payload: payload}).Clone()
		what := parcel{partVideo, p.SequenceNumber}
		switch {
		case info.MimeType == "audio/opus":
			what.of = partAudio
		case p.SSRC != info.SSRC:
			what = parcel{partRTX, binary.BigEndian.Uint16(p.Payload)}
		}
		c.path.carry(what, func() { _, _ = w.Write(&p.Header, p.Payload, nil) })
		return len(payload), nil
	})
}

// BindRTCPWriter implements interceptor.Interceptor.
func (c *impairedClient) BindRTCPWriter(w interceptor.RTCPWriter) interceptor.RTCPWriter {
	return interceptor.RTCPWriterFunc(func(pkts []rtcp.Packet, _ interceptor.Attributes) (int, error) {
		pkts = c.withoutRepeated(pkts)
		seqs := asked(pkts)
		if len(pkts) == 0 {
			return 0, nil
		}
		c.mu.Lock()
		c.rtcps++
		what := parcel{partRTCP, c.rtcps}
		for _, seq := range seqs {
			c.asks[seq] = append(c.asks[seq], time.Now())
		}
		c.mu.Unlock()
		c.path.carry(what, func() {
			c.mu.Lock()
			for _, seq := range seqs {
				c.came[seq] = append(c.came[seq], time.Now())
			}
			c.mu.Unlock()
			_, _ = w.Write(pkts, nil)
		})
		return len(pkts), nil
	})
}

// BindRemoteStream implements interceptor.Interceptor.
func (c *impairedClient) BindRemoteStream(info *interceptor.StreamInfo, r interceptor.RTPReader) interceptor.RTPReader {
	if info.MimeType == "audio/opus" {
		return r
	}
	return interceptor.RTPReaderFunc(func(b []byte, a interceptor.Attributes) (int, interceptor.Attributes, error) {
		n, attributes, err := r.Read(b, a)
		var p rtp.Packet
		if err == nil && p.Unmarshal(b[:n]) == nil {
			seq := p.SequenceNumber
			if info.MimeType == "video/rtx" {
				seq = binary.BigEndian.Uint16(p.Payload)
			}
			c.mu.Lock()
			c.have[seq] = true
			c.mu.Unlock()
		}
		return n, attributes, err
	})
}

// withoutRepeated returns pkts without requests for what has come. Pion's generator of NACKs does not know what came by
// retransmission and asks for it again and again.
func (c *impairedClient) withoutRepeated(pkts []rtcp.Packet) (kept []rtcp.Packet) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range pkts {
		if nack, ok := p.(*rtcp.TransportLayerNack); ok {
			seqs := slices.DeleteFunc(asked(pkts), func(seq uint16) bool { return c.have[seq] })
			if len(seqs) == 0 {
				continue
			}
			nack.Nacks = rtcp.NackPairsFromSequenceNumbers(seqs)
		}
		kept = append(kept, p)
	}
	return kept
}

// requests returns when the client asked for each packet, and when requests for it were delivered.
func (c *impairedClient) requests() (sent, delivered map[uint16][]time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.asks), maps.Clone(c.came)
}
