package transport

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

// sender is a client's SRTP without a client: what it seals the peer can open.
type sender struct {
	t    testing.TB
	p    *Peer
	keys *srtp.Context
	in   inbound
}

// keyed returns a peer of a transport on loopback as if a handshake had been, and the client's end.
func keyed(t testing.TB, tr *Transport, h Handler) *sender {
	t.Helper()
	p, _, err := tr.Accept(chromiumOffer(t), takeAll(h))
	if err != nil {
		t.Fatal(err)
	}
	key, salt := []byte("a key of 16 byte"), []byte("salt of 12 b")
	c := &sender{t: t, p: p, in: inbound{t: tr, now: time.Now()}}
	if c.keys, err = srtp.CreateContext(key, salt, srtp.ProtectionProfileAeadAes128Gcm); err != nil {
		t.Fatal(err)
	}
	opener, err := srtp.CreateContext(key, salt, srtp.ProtectionProfileAeadAes128Gcm,
		srtp.SRTPReplayProtection(replayWindow), srtp.SRTCPReplayProtection(replayWindow))
	if err != nil {
		t.Fatal(err)
	}
	p.recv.Lock()
	p.opener = opener
	p.recv.Unlock()
	return c
}

func (c *sender) rtp(ssrc uint32, seq uint16, payload []byte) []byte {
	c.t.Helper()
	raw, err := (&rtp.Packet{
		Header: rtp.Header{Version: 2, PayloadType: 96, SSRC: ssrc, SequenceNumber: seq}, Payload: payload,
	}).Marshal()
	if err != nil {
		c.t.Fatal(err)
	}
	return c.seal(raw)
}

// seal seals a plain RTP packet.
func (c *sender) seal(raw []byte) []byte {
	c.t.Helper()
	sealed, err := c.keys.EncryptRTP(nil, raw, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	return sealed
}

// deliver has the peer receive a copy, as the read loop would.
func (c *sender) deliver(sealed []byte) { c.p.receiveMedia(&c.in, bytes.Clone(sealed)) }

func TestOpen_ReplayedOrChanged_IsDropped(t *testing.T) {
	tr, r := listen(t, Config{}), newRecorder()
	c := keyed(t, tr, r)
	first := c.rtp(1, 100, []byte("a"))
	changed := c.rtp(1, 101, []byte("b"))
	changed[len(changed)-1] ^= 1
	report, err := rtcp.Marshal([]rtcp.Packet{&rtcp.PictureLossIndication{SenderSSRC: 1, MediaSSRC: 2}})
	if err != nil {
		t.Fatal(err)
	}
	if report, err = c.keys.EncryptRTCP(nil, report, nil); err != nil {
		t.Fatal(err)
	}
	late := c.rtp(1, 102, []byte("c"))
	for _, b := range [][]byte{first, first, changed, report, report, c.rtp(1, 100+replayWindow-1, []byte("d")), late, late} {
		c.deliver(b)
	}
	if got := len(r.rtp); got != 3 {
		t.Errorf("%d media packets were handed on, want 3", got)
	}
	if got := len(r.rtcp); got != 1 {
		t.Errorf("%d reports were handed on, want 1", got)
	}
	if got := tr.Counters().BadMedia; got != 4 {
		t.Errorf("%d packets counted as bad, want 4", got)
	}
}

func TestOpen_StreamsOfOneClient_AreBounded(t *testing.T) {
	tr, r := listen(t, Config{}), newRecorder()
	c := keyed(t, tr, r)
	forged := c.rtp(1, 1, []byte("a"))
	for ssrc := range uint32(10 * maxStreams) { // unproved ones take no place
		b := bytes.Clone(forged)
		b[8], b[9] = byte(ssrc>>8), byte(ssrc)
		c.deliver(b)
	}
	for ssrc := range uint32(2 * maxStreams) {
		c.deliver(c.rtp(ssrc, 1, []byte("a")))
	}
	c.deliver(c.rtp(0, 2, []byte("a")))
	if got := len(r.rtp); got != maxStreams+1 {
		t.Errorf("%d packets were handed on, want one a stream of %d and one more", got, maxStreams)
	}
	if got := len(c.p.streams); got != maxStreams {
		t.Errorf("%d streams", got)
	}
}

func TestOpen_Padding_IsNoPayload(t *testing.T) {
	header := []byte{0xa0, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1} // version 2, padded
	for name, tc := range map[string]struct {
		rest []byte
		want string // payload; "-": dropped
	}{
		"some":               {[]byte("media\x00\x00\x03"), "media"},
		"nothing else":       {[]byte("\x00\x00\x03"), ""},
		"one byte":           {[]byte("media\x01"), "media"},
		"none though said":   {[]byte("media\x00"), "-"},
		"more than there is": {[]byte("media\x09"), "-"},
	} {
		t.Run(name, func(t *testing.T) {
			tr, r := listen(t, Config{}), newRecorder()
			c := keyed(t, tr, r)
			c.deliver(c.seal(append(bytes.Clone(header), tc.rest...)))
			got := "-"
			if len(r.rtp) > 0 {
				got = string((<-r.rtp).Payload)
			}
			if got != tc.want {
				t.Errorf("payload %q, want %q", got, tc.want)
			}
			if bad := tr.Counters().BadMedia; (bad == 1) != (tc.want == "-") {
				t.Errorf("%d packets counted as bad", bad)
			}
		})
	}
}

func TestWrite_BeforeTheKeysOrTooLarge_Fails(t *testing.T) {
	tr := listen(t, Config{})
	p, _ := accepted(t, tr)
	h := &rtp.Header{Version: 2, SSRC: 1}
	if err := p.WriteRTP(nil, h, nil); !errors.Is(err, ErrNotConnected) {
		t.Errorf("before the keys: %v", err)
	}
	if err := p.WriteRTP(nil, h, make([]byte, maxDatagram)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
}

// FuzzMedia seals whatever comes, so that it reaches what only clients with keys can reach.
func FuzzMedia(f *testing.F) {
	f.Add([]byte{0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 'x'})
	f.Add([]byte{0xa0, 96, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 'x', 0, 2})
	f.Add([]byte{0xb1, 96, 0, 3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 9, 0xbe, 0xde, 0, 1, 0x10, 0xff, 0, 0, 'x', 1})
	f.Add([]byte{0x90, 96, 0, 4, 0, 0, 0, 0, 0, 0, 0, 1, 0x10, 0, 0, 0, 'x'})
	tr, err := Listen(Config{Loopback: true})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = tr.Close() })
	check := &payloadCheck{}
	c := keyed(f, tr, check)
	seq := uint16(0)
	f.Fuzz(func(t *testing.T, plain []byte) {
		if len(plain) < 12 || len(plain) > maxDatagram-sealRoom {
			return
		}
		check.t = t
		seq++ // of one stream, so that none is a replay and all are within the bound
		binary.BigEndian.PutUint16(plain[2:], seq)
		binary.BigEndian.PutUint32(plain[8:], 1)
		sealed, err := c.keys.EncryptRTP(nil, plain, nil)
		if err != nil {
			return
		}
		c.deliver(sealed)
	})
}

// payloadCheck holds that a payload lies within its packet, behind a header.
type payloadCheck struct{ t *testing.T }

func (c *payloadCheck) RTP(p *Packet) {
	end := len(p.Raw) - int(p.Header.PaddingSize)
	if at := end - len(p.Payload); at < 12 || !bytes.Equal(p.Raw[at:end], p.Payload) {
		c.t.Errorf("payload %x of %x", p.Payload, p.Raw)
	}
}
func (c *payloadCheck) RTCP(*Batch, []byte) {}
func (c *payloadCheck) State(State)         {}

// FuzzDatagram throws anything at the read path, from an address that is a peer's.
func FuzzDatagram(f *testing.F) {
	tr, err := Listen(Config{Loopback: true})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = tr.Close() })
	c := keyed(f, tr, newRecorder())
	probe := prober{p: c.p}
	from := path{addr: clientAddr}
	c.p.recv.Lock()
	c.p.learn(from, 0)
	c.p.recv.Unlock()
	f.Add(probe.request(useCandidate).Raw)
	f.Add(c.rtp(1, 1, []byte("media")))
	f.Add([]byte{recordHandshake, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, helloClient})
	f.Add([]byte(strings.Repeat("\x80", 12)))
	f.Fuzz(func(_ *testing.T, b []byte) {
		if len(b) <= maxDatagram {
			c.in.datagram(b, from)
		}
	})
}
