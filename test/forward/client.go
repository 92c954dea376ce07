package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/selfsign"
	"github.com/pion/srtp/v3"
	"github.com/pion/stun/v4"
	"github.com/pion/transport/v5/deadline"

	"github.com/anteroom/anteroom/internal/udp"
)

// client is one participant: it publishes a voice and a camera and watches all others of its room.
type client struct {
	index          int
	room           int
	local          netip.Addr
	username, key  string // for connectivity checks
	opener, sealer *srtp.Context
	voice, camera  stream

	transportWide uint16 // sequence numbers of all its packets
	received      uint64
	sample        int // counts down to the next packet that is opened
}

// localAddr gives each client an address of its own on loopback.
func localAddr(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{127, 1, byte(i / 250), byte(i%250 + 1)})
}

// wire is the load's socket, which all clients share; each has its own address.
type wire struct {
	socket *udp.Socket
	target netip.AddrPort

	mu     sync.Mutex
	writer udp.Writer
}

func (w *wire) send(from netip.Addr, b []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writer.Write([]udp.Datagram{{Data: b, Addr: w.target, Local: from}})
}

// handshakes hand what comes to the clients that are connecting.
type handshakes struct {
	mu   sync.Mutex
	open map[netip.Addr]*handshake
}

// handshake is the net.PacketConn of a client that connects.
type handshake struct {
	wire  *wire
	from  netip.Addr
	in    chan []byte
	until *deadline.Deadline
	over  chan struct{} // closed at the end
}

func (h *handshake) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case d := <-h.in:
		return copy(b, d), net.UDPAddrFromAddrPort(h.wire.target), nil
	case <-h.until.Done():
		return 0, nil, context.DeadlineExceeded
	case <-h.over:
		return 0, nil, net.ErrClosed
	}
}

func (h *handshake) WriteTo(b []byte, _ net.Addr) (int, error) {
	h.wire.send(h.from, b)
	return len(b), nil
}

func (h *handshake) LocalAddr() net.Addr { return h.wire.socketAddr() }
func (h *handshake) Close() error        { return nil }
func (h *handshake) SetDeadline(t time.Time) error {
	h.until.Set(t)
	return nil
}
func (h *handshake) SetReadDeadline(t time.Time) error { return h.SetDeadline(t) }
func (h *handshake) SetWriteDeadline(time.Time) error  { return nil }
func (w *wire) socketAddr() net.Addr                   { return net.UDPAddrFromAddrPort(w.socket.LocalAddr()) }

func (h *handshakes) dispatch(d udp.Datagram) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := h.open[d.Local]; s != nil {
		select {
		case s.in <- append([]byte(nil), d.Data...):
		default:
		}
	}
}

// connect does what a browser does: offer and answer, a connectivity check that nominates, and DTLS.
func (c *client) connect(w *wire, h *handshakes, control string, roomsOf int, cert tls.Certificate) error {
	if err := c.negotiate(control, roomsOf, cert); err != nil {
		return err
	}
	s := &handshake{wire: w, from: c.local, in: make(chan []byte, 64), until: deadline.New(), over: make(chan struct{})}
	defer close(s.over) // or else a connection goes on reading, at the deadline without a pause
	h.mu.Lock()
	h.open[c.local] = s
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		delete(h.open, c.local)
		h.mu.Unlock()
	}()
	if err := c.reach(s); err != nil {
		return err
	}
	return c.secure(s, w.target, cert)
}

// reach checks, again and again, until there is an answer.
func (c *client) reach(s *handshake) error {
	for range 20 {
		s.wire.send(c.local, c.check())
		select {
		case <-s.in:
			return nil
		case <-time.After(500 * time.Millisecond):
		}
	}
	return errors.New("no answer to connectivity checks")
}

// negotiate exchanges offer and answer.
func (c *client) negotiate(control string, roomsOf int, cert tls.Certificate) error {
	sum := sha256.Sum256(cert.Certificate[0])
	ufrag := strings.ToLower(rand.Text())[:8]
	var answer answered
	if err := post(control, "/offer", offered{c.offer(roomsOf, ufrag, sum[:])}, &answer); err != nil {
		return err
	}
	attribute := func(name string) string {
		_, rest, _ := strings.Cut(answer.Answer, "a="+name+":")
		value, _, _ := strings.Cut(rest, "\r\n")
		return value
	}
	c.username, c.key = attribute("ice-ufrag")+":"+ufrag, attribute("ice-pwd")
	return nil
}

// check is a binding request that nominates its address.
func (c *client) check() []byte {
	m, err := stun.Build(stun.TransactionID, stun.BindingRequest, stun.NewUsername(c.username),
		stun.RawAttribute{Type: stun.AttrICEControlling, Value: make([]byte, 8)},
		stun.RawAttribute{Type: stun.AttrPriority, Value: []byte{0x6e, 0, 0x1e, 0xff}},
		stun.RawAttribute{Type: stun.AttrUseCandidate},
		stun.NewShortTermIntegrity(c.key), stun.Fingerprint)
	if err != nil {
		panic(err) // nothing in it depends on input
	}
	return m.Raw
}

func (c *client) secure(path net.PacketConn, target netip.AddrPort, cert tls.Certificate) error {
	conn, err := dtlsClient(path, target, cert)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	state, ok := conn.ConnectionState()
	if !ok {
		return errors.New("handshake without a state")
	}
	config := srtp.Config{Profile: srtp.ProtectionProfileAeadAes128Gcm}
	if err := config.ExtractSessionKeysFromDTLS(&state, true); err != nil {
		return err
	}
	if c.sealer, err = srtp.CreateContext(config.Keys.LocalMasterKey, config.Keys.LocalMasterSalt, config.Profile); err != nil {
		return err
	}
	c.opener, err = srtp.CreateContext(config.Keys.RemoteMasterKey, config.Keys.RemoteMasterSalt, config.Profile)
	return err
}

func dtlsClient(path net.PacketConn, target netip.AddrPort, cert tls.Certificate) (*dtls.Conn, error) {
	return dtls.ClientWithOptions(path, net.UDPAddrFromAddrPort(target),
		dtls.WithCertificates(cert), dtls.WithInsecureSkipVerify(true),
		dtls.WithExtendedMasterSecret(dtls.RequireExtendedMasterSecret),
		dtls.WithSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM))
}

func newCertificate() (tls.Certificate, error) { return selfsign.GenerateSelfSigned() }

// offer is a browser's, cut down to what the server reads.
func (c *client) offer(roomsOf int, ufrag string, fingerprint []byte) string {
	var b strings.Builder
	lines := 2 + 2*(roomsOf-1)
	b.WriteString("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE")
	for i := range lines {
		fmt.Fprintf(&b, " %d", i)
	}
	b.WriteString("\r\n")
	for i := range lines {
		kind, codec := "audio", "111\r\na=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\n"
		if i%2 == 1 {
			kind, codec = "video", "96 97\r\na=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 transport-cc\r\na=rtcp-fb:96 nack\r\n"+
				"a=rtcp-fb:96 nack pli\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"
		}
		direction := "recvonly"
		if i < 2 {
			direction = "sendonly"
			codec += fmt.Sprintf("a=ssrc:%d cname:c\r\n", []uint32{c.voice.ssrc, c.camera.ssrc}[i])
		}
		fmt.Fprintf(&b, "m=%s 9 UDP/TLS/RTP/SAVPF %sc=IN IP4 0.0.0.0\r\na=mid:%d\r\na=%s\r\na=rtcp-mux\r\n", kind, codec, i, direction)
		fmt.Fprintf(&b, "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=setup:actpass\r\na=fingerprint:sha-256 %s\r\n",
			ufrag, strings.Repeat("p", 24), strings.ReplaceAll(fmt.Sprintf("% X", fingerprint), " ", ":"))
		fmt.Fprintf(&b, "a=extmap:%d %s\r\na=extmap:%d %s\r\na=extmap:%d %s\r\n", idMID, extMID, idWide, extWide, idLevel, extLevel)
	}
	return b.String()
}

const (
	extMID   = "urn:ietf:params:rtp-hdrext:sdes:mid"
	extWide  = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
	extLevel = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
	idMID    = 4
	idWide   = 3
	idLevel  = 1
)
