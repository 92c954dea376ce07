package transport

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

// light is a client made of ICE, DTLS and SRTP and nothing else, so that a test can do each of them wrongly.
type light struct {
	*prober
	peer    *Peer // the server's end; prober.p is what checks are made of
	r       *recorder
	cert    tls.Certificate
	options []dtls.ClientOption
	// stranger leaves out what makes it a WebRTC client: certificate and SRTP.
	stranger bool
	edit     edit // what the network does to DTLS; nil: nothing

	edited         [][]byte // has come, and not been read
	muted          bool
	opener, sealer *srtp.Context
	seq            uint16
}

// edit is what becomes of a datagram on its way.
type edit func(b []byte, fromClient bool) [][]byte

// newLight returns a client whose offer has been accepted.
func newLight(t testing.TB, tr *Transport, ip netip.Addr) *light {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return newLightWith(t, tr, ip, certificate(t, key, time.Now().Add(time.Hour)))
}

func newLightWith(t testing.TB, tr *Transport, ip netip.Addr, cert tls.Certificate) *light {
	t.Helper()
	c := &light{prober: &prober{UDPConn: socketAt(t, ip), to: tr.Addr()}, r: newRecorder(), cert: cert}
	t.Cleanup(func() { _ = c.Close() })
	var err error
	if c.peer, _, err = tr.Accept(offerOf(t, cert), takeAll(c.r)); err != nil {
		t.Fatal(err)
	}
	c.p = c.peer
	return c
}

// certificate signs itself.
func certificate(t testing.TB, key crypto.Signer, expires time.Time) tls.Certificate {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: expires.AddDate(0, -1, 0), NotAfter: expires}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

var fingerprintLine = regexp.MustCompile(`a=fingerprint:[^\r]*`)

// offerOf is a browser's, with another certificate.
func offerOf(t testing.TB, cert tls.Certificate) string {
	t.Helper()
	line := fmt.Sprintf("a=fingerprint:sha-256 %X", sha256.Sum256(cert.Certificate[0]))
	return fingerprintLine.ReplaceAllString(chromiumOffer(t), line)
}

// connect does all that a client does, and then sends a packet each way.
func (c *light) connect(t *testing.T) {
	t.Helper()
	c.nominate(t)
	if err := c.secure(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.r.reach(t, Connected)
	c.echo(t)
}

// nominate has the server believe the client's address.
func (c *light) nominate(t *testing.T) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(wait)); err != nil {
		t.Fatal(err)
	}
	c.check(t, useCandidate)
}

// secure does the handshake.
func (c *light) secure(ctx context.Context) error {
	options := append([]dtls.ClientOption{
		dtls.WithInsecureSkipVerify(true), dtls.WithFlightInterval(50 * time.Millisecond),
		dtls.WithExtendedMasterSecret(dtls.RequireExtendedMasterSecret),
	}, c.options...)
	if !c.stranger {
		options = append(options,
			dtls.WithCertificates(c.cert), dtls.WithSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM))
	}
	c.muted = false
	conn, err := dtls.ClientWithOptions(handshakeOf{c}, net.UDPAddrFromAddrPort(c.to), options...)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	err = conn.HandshakeContext(ctx)
	c.muted = true
	defer conn.Close() // the session goes on without it
	if err != nil {
		return err
	}
	state, _ := conn.ConnectionState()
	profile, ok := conn.SelectedSRTPProtectionProfile()
	if !ok {
		return errNoProfile
	}
	config := srtp.Config{Profile: srtp.ProtectionProfile(profile)}
	if err := config.ExtractSessionKeysFromDTLS(&state, true); err != nil {
		return err
	}
	k := config.Keys
	if c.sealer, err = srtp.CreateContext(k.LocalMasterKey, k.LocalMasterSalt, config.Profile); err != nil {
		return err
	}
	c.opener, err = srtp.CreateContext(k.RemoteMasterKey, k.RemoteMasterSalt, config.Profile)
	return err
}

// handshakeOf is a client's net.PacketConn while it does its handshake.
type handshakeOf struct{ *light }

func (h handshakeOf) ReadFrom(b []byte) (int, net.Addr, error) {
	for len(h.edited) == 0 {
		n, from, err := h.UDPConn.ReadFrom(b)
		switch {
		case err != nil:
			return n, from, err
		case n == 0 || b[0] < 20 || b[0] > 63:
		case h.edit == nil:
			return n, from, nil
		default:
			for _, d := range h.edit(slices.Clone(b[:n]), false) {
				h.edited = append(h.edited, slices.Clone(d))
			}
		}
	}
	n := copy(b, h.edited[0])
	h.edited = h.edited[1:]
	return n, net.UDPAddrFromAddrPort(h.to), nil
}

func (h handshakeOf) WriteTo(b []byte, _ net.Addr) (int, error) {
	out := [][]byte{b}
	if h.muted {
		out = nil
	} else if h.edit != nil {
		out = h.edit(slices.Clone(b), true)
	}
	for _, d := range out {
		if _, err := h.WriteToUDPAddrPort(d, h.to); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

// Close leaves the client its socket.
func (h handshakeOf) Close() error { return nil }

// echo sends a packet each way.
func (c *light) echo(t *testing.T) {
	t.Helper()
	c.seq++
	c.send(t, c.sealed(t, c.seq))
	if got := receive(t, c.r.rtp, "packet of the client"); got.SequenceNumber != c.seq {
		t.Fatalf("packet %d came, want %d", got.SequenceNumber, c.seq)
	}
	if err := c.peer.WriteRTP(nil, &rtp.Header{Version: 2, SSRC: 1004, SequenceNumber: c.seq}, []byte("down")); err != nil {
		t.Fatal(err)
	}
	if err := c.SetReadDeadline(time.Now().Add(wait)); err != nil {
		t.Fatal(err)
	}
	b, h := make([]byte, maxDatagram), rtp.Header{}
	for {
		n, err := c.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		if b[0] < 128 { // an answer to a check, or a repeated flight
			continue
		}
		plain, err := c.opener.DecryptRTP(nil, b[:n], &h)
		if err != nil || h.SequenceNumber != c.seq || string(plain[h.MarshalSize():]) != "down" {
			t.Fatalf("%v, packet %d, want %d", err, h.SequenceNumber, c.seq)
		}
		return
	}
}

func (c *light) sealed(t testing.TB, seq uint16) []byte {
	t.Helper()
	raw, err := (&rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 96, SSRC: 7, SequenceNumber: seq}, Payload: []byte("up")}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := c.sealer.EncryptRTP(nil, raw, nil)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

// hello returns a ClientHello of a handshake that goes no further.
func (c *light) hello(t testing.TB) (hello []byte) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	c.edit = func(b []byte, _ bool) [][]byte {
		hello = b
		cancel()
		return nil
	}
	defer func() { c.edit = nil }()
	if err := c.secure(ctx); err == nil {
		t.Fatal("a handshake without a network")
	}
	return hello
}
