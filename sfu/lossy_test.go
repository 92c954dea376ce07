package sfu

import (
	"sync"

	"github.com/pion/interceptor"
	"github.com/pion/rtp"
)

// lossy is an interceptor that loses every tenth video packet of a client the first time that it comes by.
type lossy struct {
	interceptor.NoOp
	sent, received bool // which way

	mu   sync.Mutex
	gone map[uint16]bool
	lost int
}

// NewInterceptor implements interceptor.Factory.
func (l *lossy) NewInterceptor(string) (interceptor.Interceptor, error) { return l, nil }

// loses says whether this packet, of a stream that may be asked for again, is lost.
func (l *lossy) loses(info *interceptor.StreamInfo, seq uint16) bool {
	if info.MimeType != "video/VP8" || seq%10 != 5 {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone == nil {
		l.gone = make(map[uint16]bool)
	}
	if l.gone[seq] {
		return false
	}
	l.gone[seq] = true
	l.lost++
	return true
}

func (l *lossy) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lost
}

// BindLocalStream implements interceptor.Interceptor.
func (l *lossy) BindLocalStream(info *interceptor.StreamInfo, w interceptor.RTPWriter) interceptor.RTPWriter {
	if !l.sent {
		return w
	}
	return interceptor.RTPWriterFunc(func(h *rtp.Header, payload []byte, a interceptor.Attributes) (int, error) {
		if l.loses(info, h.SequenceNumber) {
			return len(payload), nil
		}
		return w.Write(h, payload, a)
	})
}

// BindRemoteStream implements interceptor.Interceptor.
func (l *lossy) BindRemoteStream(info *interceptor.StreamInfo, r interceptor.RTPReader) interceptor.RTPReader {
	if !l.received {
		return r
	}
	return interceptor.RTPReaderFunc(func(b []byte, a interceptor.Attributes) (int, interceptor.Attributes, error) {
		for {
			n, attributes, err := r.Read(b, a)
			if err != nil {
				return n, attributes, err
			}
			var h rtp.Header
			if _, err := h.Unmarshal(b[:n]); err != nil || !l.loses(info, h.SequenceNumber) {
				return n, attributes, err
			}
		}
	})
}
