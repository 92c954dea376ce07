package transport

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/pion/dtls/v3"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

const (
	// replayWindow is how late a packet may come, in packets: a second of 2.5 Mbit/s, after which no retransmission is of use. It costs
	// time with every packet.
	replayWindow = 256
	// maxStreams bounds the SSRCs that a client may send, since each costs memory.
	maxStreams = 64
	// sealRoom is what sealing may add: the longest tag and the SRTCP index.
	sealRoom = 16 + 4
)

var errNoProfile = errors.New("transport: client supports no SRTP protection profile of ours")

// keys are what a handshake yields: one context a direction, neither safe for concurrent use.
type keys struct{ opener, sealer *srtp.Context }

func newKeys(conn *dtls.Conn) (*keys, error) {
	profile, ok := conn.SelectedSRTPProtectionProfile()
	if !ok {
		return nil, errNoProfile
	}
	state, ok := conn.ConnectionState()
	if !ok {
		return nil, errors.New("transport: handshake without a state")
	}
	c := srtp.Config{Profile: srtp.ProtectionProfile(profile)}
	if err := c.ExtractSessionKeysFromDTLS(&state, false); err != nil {
		return nil, fmt.Errorf("transport: exporting keys: %w", err)
	}
	opener, err := srtp.CreateContext(c.Keys.RemoteMasterKey, c.Keys.RemoteMasterSalt, c.Profile,
		srtp.SRTPReplayProtection(replayWindow), srtp.SRTCPReplayProtection(replayWindow))
	if err != nil {
		return nil, fmt.Errorf("transport: receiving keys: %w", err)
	}
	sealer, err := srtp.CreateContext(c.Keys.LocalMasterKey, c.Keys.LocalMasterSalt, c.Profile)
	if err != nil {
		return nil, fmt.Errorf("transport: sending keys: %w", err)
	}
	return &keys{opener: opener, sealer: sealer}, nil
}

// receiveMedia opens an SRTP or SRTCP packet in place and hands it on.
func (p *Peer) receiveMedia(in *inbound, b []byte) {
	p.recv.Lock()
	defer p.recv.Unlock()
	if p.gone() {
		return
	}
	if p.opener == nil || !p.open(in, b) {
		p.t.count.badMedia.Add(1)
	}
}

func (p *Peer) open(in *inbound, b []byte) bool {
	rtcp := b[1] >= 192 && b[1] <= 223 // RFC 5761 section 4
	ssrcAt := 8
	if rtcp {
		ssrcAt = 4
	}
	if len(b) < ssrcAt+4 {
		return false
	}
	ssrc := binary.BigEndian.Uint32(b[ssrcAt:])
	known := slices.Contains(p.streams, ssrc)
	if !known && len(p.streams) == maxStreams {
		return false
	}
	size := len(b)
	var plain []byte
	var err error
	if rtcp {
		plain, err = p.opener.DecryptRTCP(b[:0], b, &in.report)
	} else {
		plain, err = p.opener.DecryptRTP(b[:0], b, &in.packet.Header)
	}
	if err != nil {
		return false
	}
	if !known {
		p.streams = append(p.streams, ssrc)
	}
	p.received.note(size)
	p.lastHeard.Store(int64(p.t.since(in.now)))
	if rtcp {
		p.handler.RTCP(in.out, plain)
		return true
	}
	return in.deliver(p, plain)
}

// deliver hands on the plain packet whose header is in in.packet.
func (in *inbound) deliver(p *Peer, plain []byte) bool {
	k := &in.packet
	end, headerLen := len(plain), rtpHeaderLen(plain)
	k.Header.PaddingSize = 0
	if k.Header.Padding && end > 0 {
		k.Header.PaddingSize = plain[end-1]
		end -= int(k.Header.PaddingSize)
		if k.Header.PaddingSize == 0 {
			return false
		}
	}
	if end < headerLen {
		return false
	}
	k.Via, k.Raw, k.Payload, k.Arrival = in.out, plain, plain[headerLen:end], in.now
	p.handler.RTP(k)
	return true
}

// rtpHeaderLen returns the bytes before the payload (RFC 3550 section 5.1) of a packet whose header
// has been parsed.
func rtpHeaderLen(b []byte) int {
	n := 12 + 4*int(b[0]&0x0f)
	if b[0]&0x10 != 0 {
		n += 4 + 4*int(binary.BigEndian.Uint16(b[n+2:]))
	}
	return n
}

// WriteRTP seals and sends one packet, whose payload may come in parts: with the batch, or at once if that is nil. The header's padding
// flag is ignored. h and payload are not kept. It fails with ErrNotConnected, ErrTooLarge or ErrClosed.
func (p *Peer) WriteRTP(via *Batch, h *rtp.Header, payload ...[]byte) error {
	size := h.MarshalSize()
	for _, part := range payload {
		size += len(part)
	}
	return p.write(via, size, func(via *Batch, buf []byte) ([]byte, error) {
		n, err := h.MarshalTo(buf)
		if err != nil {
			return nil, fmt.Errorf("transport: header: %w", err)
		}
		buf[0] &^= 1 << 5 // payload holds no padding
		for _, part := range payload {
			n += copy(buf[n:], part)
		}
		return p.sealer.EncryptRTP(buf[:0], buf[:size], &via.header)
	})
}

// WriteRTCP seals and sends one compound packet. It fails as WriteRTP does.
func (p *Peer) WriteRTCP(via *Batch, compound []byte) error {
	return p.write(via, len(compound), func(via *Batch, buf []byte) ([]byte, error) {
		return p.sealer.EncryptRTCP(buf[:0], buf[:copy(buf, compound)], &via.report)
	})
}

// write has fill seal a packet of size plain bytes into a buffer of the batch.
func (p *Peer) write(via *Batch, size int, fill func(via *Batch, buf []byte) ([]byte, error)) error {
	if size+sealRoom > maxDatagram {
		return ErrTooLarge
	}
	if p.gone() {
		return ErrClosed
	}
	if p.mute.Load() {
		return ErrNotConnected
	}
	if via == nil {
		via = p.t.shared.lock()
		defer p.t.shared.unlock()
	}
	p.seal.Lock()
	defer p.seal.Unlock()
	r := p.selected.Load()
	if p.sealer == nil || r == nil {
		return ErrNotConnected
	}
	buf := via.buffer()
	if buf == nil {
		return ErrBatchFull
	}
	sealed, err := fill(via, buf)
	if err != nil {
		return fmt.Errorf("transport: sealing: %w", err)
	}
	p.sent.note(len(sealed))
	via.add(r, sealed)
	return nil
}
