package transport

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/logging"
	"go.uber.org/zap"
)

const (
	// handshakeTimeout bounds one handshake; browsers repeat a lost flight within a second.
	handshakeTimeout = 15 * time.Second
	// flightInterval is after how long a lost flight of ours is repeated at first.
	flightInterval = 250 * time.Millisecond
	// handshakeQueue bounds the datagrams that wait for a handshake: two flights and repeats.
	handshakeQueue = 32
	// maxHandshakeMessage bounds a client's message: the longest is a certificate.
	maxHandshakeMessage = 16 << 10
	// dtlsMTU keeps handshake datagrams below any path's limit.
	dtlsMTU = 1200
	// repeatInterval bounds how often our last flight is sent again.
	repeatInterval = 100 * time.Millisecond
)

var errFingerprint = errors.New("transport: client certificate does not match the offer's fingerprint")

// fingerprint is a certificate's hash as the offer gave it (RFC 8122).
type fingerprint struct {
	hash string // lower case, as in SDP
	sum  []byte
}

// matches compares with the certificate in DER form.
func (f fingerprint) matches(der []byte) bool {
	var sum []byte
	switch f.hash {
	case "sha-256":
		s := sha256.Sum256(der)
		sum = s[:]
	case "sha-384":
		s := sha512.Sum384(der)
		sum = s[:]
	case "sha-512":
		s := sha512.Sum512(der)
		sum = s[:]
	}
	return sum != nil && subtle.ConstantTimeCompare(sum, f.sum) == 1
}

// identity is this process's certificate and what SDP says of it.
type identity struct {
	cert        tls.Certificate
	fingerprint string
}

func newIdentity() (*identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("transport: making a key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, fmt.Errorf("transport: making a serial number: %w", err)
	}
	// Clients check the fingerprint, never the dates or the name (RFC 8827 section 6.5).
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "media"},
		NotBefore:    time.Now().AddDate(0, 0, -1),
		NotAfter:     time.Now().AddDate(10, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("transport: making a certificate: %w", err)
	}
	sum := sha256.Sum256(der)
	return &identity{
		cert:        tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		fingerprint: "sha-256 " + strings.ReplaceAll(fmt.Sprintf("% X", sum), " ", ":"),
	}, nil
}

// handshake is one DTLS handshake under way: an in-memory net.PacketConn between the read path and
// pion/dtls.
type handshake struct {
	*mailbox // datagrams from the client
	p        *Peer
	began    *route // selected when the handshake began
	cancel   context.CancelFunc

	turn atomic.Pointer[turn] // under way

	mu    sync.Mutex
	moved bool // something was sent elsewhere than to began
	muted bool
	last  []byte // the last datagram sent: when all is done, our whole last flight
}

// WriteTo implements net.PacketConn. It sends on the peer's selected path whatever addr says.
func (h *handshake) WriteTo(b []byte, _ net.Addr) (int, error) {
	r := h.p.selected.Load()
	h.mu.Lock()
	muted := h.muted
	if !muted {
		h.last = append(h.last[:0], b...)
		h.moved = h.moved || r != h.began
	}
	h.mu.Unlock()
	if !muted {
		h.p.sendPlain(nil, r, b)
	}
	return len(b), nil
}

// mute swallows what pion/dtls sends from here on: the alert that the end of the connection
// object is not the end of the session.
func (h *handshake) mute() (lastFlight []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.muted = true
	return h.last
}

// LocalAddr implements net.PacketConn.
func (h *handshake) LocalAddr() net.Addr { return h.p.t.local }

// receiveDTLS feeds the handshake, or starts one at a ClientHello, or, when it is done, repeats our
// last flight for a client that has missed it. Other records are of no use: there is no data
// channel, and the session's end is seen by consent or told by signaling.
func (p *Peer) receiveDTLS(in *inbound, b []byte) {
	p.recv.Lock()
	defer p.recv.Unlock()
	if p.gone() {
		return
	}
	p.received.note(len(b))
	if p.opener != nil {
		p.repeatFlight(in, b)
		return
	}
	if !wellFormed(b) || p.handshake == nil && !p.startHandshake(b, in.now) {
		return
	}
	p.handshake.put(newDatagram(b, nil))
}

func (p *Peer) startHandshake(b []byte, now time.Time) bool {
	if len(b) <= recordHeaderBytes || b[0] != recordHandshake || b[recordHeaderBytes] != helloClient {
		return false
	}
	r := p.selected.Load() // where our flights will go, whoever the hello came from
	if r == nil {
		return false
	}
	select {
	case p.t.slots <- struct{}{}:
	default:
		p.t.count.refusedHello.Add(1)
		return false
	}
	host := r.seen().Addr()
	if !p.t.hellos.begin(host, p.t.since(now)) {
		<-p.t.slots
		p.t.count.throttledHello.Add(1)
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), handshakeTimeout)
	h := &handshake{mailbox: newMailbox(handshakeQueue), p: p, began: r, cancel: cancel}
	p.handshake = h
	p.t.running.Go(func() {
		defer func() {
			p.t.hellos.end(host)
			<-p.t.slots
		}()
		defer cancel()
		defer p.t.recovered(p)
		h.run(ctx)
	})
	return true
}

func (p *Peer) repeatFlight(in *inbound, b []byte) {
	now := p.t.since(in.now)
	if b[0] != recordHandshake || now-p.lastRepeat < repeatInterval {
		return
	}
	p.lastRepeat = now
	if r := p.selected.Load(); r != nil {
		p.sendPlain(in.out, r, p.lastFlight)
	}
}

// run carries the handshake to its end and gives the peer its keys.
func (h *handshake) run(ctx context.Context) {
	p := h.p
	k, err := h.negotiate(ctx)
	h.endTurn()
	p.recv.Lock()
	defer p.recv.Unlock()
	p.handshake = nil
	switch {
	case p.gone():
	case errors.Is(err, errFingerprint):
		p.close(ReasonFingerprint)
	case err != nil:
		// The client may try again until the peer's time to connect is over.
		p.t.count.failedHello.Add(1)
		p.t.log.Debug("handshake_failed", zap.Error(err))
	default:
		p.opener, p.lastFlight = k.opener, h.mute()
		p.seal.Lock()
		p.sealer = k.sealer
		p.seal.Unlock()
		if !h.moved {
			p.home.Store(&h.began.path)
		}
		p.enter(Connected)
	}
}

func (h *handshake) negotiate(ctx context.Context) (*keys, error) {
	var mismatch atomic.Bool
	options := append([]dtls.ServerOption{
		dtls.WithVerifyPeerCertificate(func(chain [][]byte, _ [][]*x509.Certificate) error {
			if len(chain) == 0 || !h.p.offered.matches(chain[0]) {
				mismatch.Store(true)
				return errFingerprint
			}
			return nil
		}),
	}, h.p.t.dtlsOptions...)
	conn, err := dtls.ServerWithOptions(h, h.LocalAddr(), options...)
	if err != nil {
		return nil, fmt.Errorf("transport: starting a handshake: %w", err)
	}
	err = conn.HandshakeContext(ctx)
	h.mute()
	defer conn.Close() //nolint:errcheck // nothing is lost with a muted connection
	switch {
	case mismatch.Load():
		return nil, errFingerprint
	case err != nil:
		return nil, fmt.Errorf("transport: handshake: %w", err)
	}
	return newKeys(conn)
}

// dtlsOptions are what all handshakes share.
func dtlsOptions(id *identity) []dtls.ServerOption {
	silent := logging.NewDefaultLoggerFactory()
	silent.DefaultLogLevel = logging.LogLevelDisabled
	silent.ScopeLevels = nil
	return []dtls.ServerOption{
		dtls.WithCertificates(id.cert),
		dtls.WithClientAuth(dtls.RequireAnyClientCert),
		dtls.WithExtendedMasterSecret(dtls.RequireExtendedMasterSecret),
		dtls.WithSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80),
		// ICE has proved the address, so the cookie's round trip proves nothing more.
		dtls.WithInsecureSkipVerifyHello(true),
		dtls.WithMTU(dtlsMTU),
		dtls.WithFlightInterval(flightInterval),
		dtls.WithLoggerFactory(silent),
	}
}
