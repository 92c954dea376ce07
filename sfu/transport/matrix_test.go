package transport

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/webrtc/v4"
)

// The table of handshakes: who, over what, through what network, and how it ends. Chromium's and Firefox's rows are in
// chromium_test.go and in test/e2e.

var families = map[string]netip.Addr{"IPv4": loopback4, "IPv6": loopback6}

// acrossFamilies runs a row over both, each with a transport of its own.
func acrossFamilies(t *testing.T, name string, row func(t *testing.T, ip netip.Addr)) {
	t.Helper()
	for family, ip := range families {
		t.Run(name+"/"+family, func(t *testing.T) {
			t.Parallel()
			row(t, ip)
		})
	}
}

func at(ip netip.Addr) Config { return Config{Listen: netip.AddrPortFrom(ip, 0)} }

func TestHandshake_AnyNetwork_Connects(t *testing.T) {
	for network, made := range networks {
		acrossFamilies(t, "light client/"+network, func(t *testing.T, ip netip.Addr) {
			c := newLight(t, listen(t, at(ip)), ip)
			c.edit = made()
			c.connect(t)
		})
		acrossFamilies(t, "light client in fragments/"+network, func(t *testing.T, ip netip.Addr) {
			c := newLight(t, listen(t, at(ip)), ip)
			c.edit = made()
			c.options = []dtls.ClientOption{dtls.WithMTU(150)}
			c.connect(t)
		})
		acrossFamilies(t, "PeerConnection/"+network, func(t *testing.T, ip netip.Addr) {
			tr, _ := throughRelay(t, at(ip), made())
			c := newClient(t, only(ip))
			p, r := c.connect(t, tr)
			checkUpstream(t, c, r)
			checkDownstream(t, c, p)
		})
	}
}

// only has a PeerConnection use one family.
func only(ip netip.Addr) func(*webrtc.SettingEngine) {
	return func(s *webrtc.SettingEngine) {
		network := webrtc.NetworkTypeUDP4
		if ip.Is6() {
			network = webrtc.NetworkTypeUDP6
		}
		s.SetNetworkTypes([]webrtc.NetworkType{network})
		s.SetDTLSRetransmissionInterval(100 * time.Millisecond)
	}
}

// A certificate is what the offer's fingerprint says it is, and nothing else of it matters (RFC 8827 section 6.5).
func TestHandshake_AnyCertificateOfTheOffer_Connects(t *testing.T) {
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsa2048, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for name, cert := range map[string]tls.Certificate{
		"expired":       certificate(t, p256, now.AddDate(-1, 0, 0)),
		"not valid yet": certificate(t, p256, now.AddDate(1, 0, 0)),
		"P-384":         certificate(t, p384, now.AddDate(0, 0, 1)),
		"RSA":           certificate(t, rsa2048, now.AddDate(0, 0, 1)),
	} {
		acrossFamilies(t, name, func(t *testing.T, ip netip.Addr) {
			newLightWith(t, listen(t, at(ip)), ip, cert).connect(t)
		})
	}
}

// What is refused, and how the server says why: a reason where the peer is lost, a count where the client may try again.
func TestHandshake_NotTheOffers_IsRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		spoil  func(t *testing.T, c *light)
		reason Reason
	}{
		"certificate of somebody else": {spoil: func(t *testing.T, c *light) {
			c.cert = someCertificate(t)
		}, reason: ReasonFingerprint},
		"certificate without its key": {spoil: func(t *testing.T, c *light) {
			c.cert.PrivateKey = someCertificate(t).PrivateKey
		}},
		"no certificate": {spoil: func(_ *testing.T, c *light) {
			c.options = []dtls.ClientOption{dtls.WithGetClientCertificate(func(*dtls.CertificateRequestInfo) (*tls.Certificate, error) {
				return &tls.Certificate{}, nil
			})}
		}},
		"no SRTP": {spoil: func(_ *testing.T, c *light) {
			c.stranger, c.options = true, []dtls.ClientOption{dtls.WithCertificates(c.cert)}
		}},
		"no profile of ours": {spoil: func(_ *testing.T, c *light) {
			c.stranger, c.options = true, []dtls.ClientOption{
				dtls.WithCertificates(c.cert), dtls.WithSRTPProtectionProfiles(dtls.SRTP_NULL_HMAC_SHA1_80),
			}
		}},
		"no extended master secret": {spoil: func(_ *testing.T, c *light) {
			c.options = []dtls.ClientOption{dtls.WithExtendedMasterSecret(dtls.DisableExtendedMasterSecret)}
		}},
		"no cipher of ours": {spoil: func(_ *testing.T, c *light) {
			c.stranger, c.options = true, []dtls.ClientOption{
				dtls.WithCipherSuites(dtls.TLS_PSK_WITH_AES_128_GCM_SHA256),
				dtls.WithPSK(func([]byte) ([]byte, error) { return []byte("guess"), nil }), dtls.WithPSKIdentityHint([]byte("x")),
			}
		}},
	} {
		acrossFamilies(t, name, func(t *testing.T, ip netip.Addr) {
			tr := listen(t, at(ip))
			c := newLight(t, tr, ip)
			tc.spoil(t, c)
			c.nominate(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			err := c.secure(ctx) // pion's client may think that it is done
			if tc.reason != "" {
				if s := c.r.reach(t, Closed); s.Reason != tc.reason {
					t.Errorf("closed for %q, want %q", s.Reason, tc.reason)
				}
				return
			}
			for len(tr.slots) > 0 { // its handshake ends
				receive(t, time.After(time.Millisecond), "end")
			}
			if got := tr.Counters().FailedHello; got == 0 { // a client on a slow machine repeats its hello, and is refused again
				t.Errorf("%d handshakes counted as failed; the client says %v", got, err)
			}
			c.peer.recv.Lock()
			defer c.peer.recv.Unlock()
			if c.peer.opener != nil || c.peer.phase() != Connecting {
				t.Errorf("%v", c.peer.phase())
			}
		})
	}
}

func someCertificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return certificate(t, key, time.Now().Add(time.Hour))
}

// Without ICE's password there is no handshake: what it comes from is nobody's address.
func TestHandshake_WithoutAValidCheck_NeverBegins(t *testing.T) {
	for name, tc := range map[string]struct{ username, pwd string }{
		"wrong password": {"", "wrong"},
		"wrong ufrag":    {"nobody:dYcv", ""},
	} {
		acrossFamilies(t, name, func(t *testing.T, ip netip.Addr) {
			tr := listen(t, at(ip))
			c := newLight(t, tr, ip)
			wrong := Peer{username: c.peer.username, pwd: c.peer.pwd}
			if tc.username != "" {
				wrong.username = tc.username
			}
			if tc.pwd != "" {
				wrong.pwd = tc.pwd
			}
			hello := c.hello(t)
			c.p = &wrong
			c.send(t, c.request(useCandidate).Raw)
			c.send(t, hello)
			c.p = c.peer
			c.nominate(t) // the first answer is to this
			if got := tr.Counters(); got.BadSTUN != 1 || got.Unknown != 1 || got.FailedHello != 0 {
				t.Errorf("%+v", got)
			}
			if err := c.secure(t.Context()); err != nil {
				t.Fatal(err)
			}
			c.r.reach(t, Connected)
			c.echo(t)
		})
	}
}

// A session is its first handshake's. Whoever wants another needs another peer.
func TestHandshake_SecondHelloOfOthers_IsIgnored(t *testing.T) {
	acrossFamilies(t, "connected", func(t *testing.T, ip netip.Addr) {
		tr := listen(t, at(ip))
		c := newLight(t, tr, ip)
		c.connect(t)
		c.peer.recv.Lock()
		opener := c.peer.opener
		c.peer.recv.Unlock()
		other := *c
		other.cert = someCertificate(t)
		hello := other.hello(t)
		for range 10 {
			c.send(t, hello)
			c.echo(t)
		}
		c.peer.recv.Lock()
		defer c.peer.recv.Unlock()
		if c.peer.opener != opener || c.peer.handshake != nil || tr.Counters().FailedHello != 0 {
			t.Error("a second handshake began")
		}
	})
}

func TestHandshake_FailedOnce_MaySucceedLater(t *testing.T) {
	acrossFamilies(t, "tries again", func(t *testing.T, ip netip.Addr) {
		tr := listen(t, at(ip))
		c := newLight(t, tr, ip)
		c.options = []dtls.ClientOption{dtls.WithExtendedMasterSecret(dtls.DisableExtendedMasterSecret)}
		c.nominate(t)
		if err := c.secure(t.Context()); err == nil {
			t.Fatal("connected without an extended master secret")
		}
		c.options = nil
		if err := c.secure(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.r.reach(t, Connected)
		c.echo(t)
	})
}

// A page that begins anew may come from the same address: signaling closes the peer before.
func TestHandshake_NewPeerOfTheSameAddress_Connects(t *testing.T) {
	acrossFamilies(t, "restart", func(t *testing.T, ip netip.Addr) {
		tr := listen(t, at(ip))
		before := newLight(t, tr, ip)
		before.connect(t)
		again := newLight(t, tr, ip)
		again.UDPConn = before.UDPConn
		before.peer.Close()
		again.connect(t)
		if got := tr.routes.get(path{addr: before.addr()}); got != again.peer {
			t.Error("the address is not the new peer's")
		}
	})
}

func TestHandshake_BeyondAnAddressesRate_IsTakenLater(t *testing.T) {
	acrossFamilies(t, "three of one", func(t *testing.T, ip netip.Addr) {
		cfg := at(ip)
		cfg.HandshakeRate, cfg.HandshakeBurst = 10, 1
		tr := listen(t, cfg)
		for range 3 {
			newLight(t, tr, ip).connect(t)
		}
		if got := tr.Counters(); got.ThrottledHello == 0 || got.RefusedHello != 0 {
			t.Errorf("%+v", got)
		}
	})
}

// A handshake that ends does not keep its turn until the turn's bound.
func TestHandshake_Failed_GivesItsTurnBack(t *testing.T) {
	tr := listen(t, Config{HandshakeRate: 1000, HandshakeBurst: 1000})
	c := newLight(t, tr, loopback4)
	hello, alert := c.hello(t), record(recordAlert, 2, 40)
	c.nominate(t)
	alert[10]++ // its number
	back := 0
	for i := range uint64(50) {
		c.send(t, hello)
		c.send(t, alert)
		for tr.Counters().FailedHello <= i || len(tr.slots) > 0 {
			receive(t, time.After(100*time.Microsecond), "end")
		}
		if len(tr.turns) == cap(tr.turns) { // else it rests, as some do
			back++
		}
	}
	if back == 0 {
		t.Error("none came back at the handshake's end")
	}
}

func TestAccept_UfragThatIsTaken_IsNeverGiven(t *testing.T) {
	tr := listen(t, Config{})
	n := 0
	given := []string{"aaaaaaaa", "aaaaaaaa", "aaaaaaaa", "bbbbbbbb", "bbbbbbbb", "aaaaaaaa", "cccccccc"}
	tr.newUfrag = func() string {
		n++
		return given[n-1]
	}
	seen := map[string]bool{}
	for range 3 {
		p, _ := accepted(t, tr)
		if seen[p.ufrag] || tr.peerByUfrag([]byte(p.ufrag)) != p {
			t.Errorf("%s was given twice", p.ufrag)
		}
		seen[p.ufrag] = true
		probe(t, tr, p).check(t)
	}
	if n != len(given) {
		t.Errorf("%d tries, want %d", n, len(given))
	}
}
