package cluster

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"net"
	"time"
)

var errStranger = errors.New("cluster: the other end does not have the shared secret")

// newIdentity makes the certificate with which instances know each other. Its key follows from the shared secret, so all have
// the same: whoever proves to hold it, as TLS asks of both ends, is one of them. Nothing else in it is looked at, and no clock.
func newIdentity(secret [32]byte) (tls.Certificate, error) {
	key := ed25519.NewKeyFromSeed(secret[:])
	about := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<32, 0)}
	der, err := x509.CreateCertificate(nil, about, about, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("cluster: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// maxSessions bounds the instances with which a session is remembered.
const maxSessions = 1024

// tls is for both ends. TLS 1.3 leaves nothing to be replayed and keeps what was said secret even from who learns the secret later. Every socket
// that is passed on is a connection, and when an instance has died thousands are made at once: those after the first resume its session (RFC 8446 section
// 2.2), which spares both ends their certificates, and agree on keys of their own all the same.
func (c *Cluster) tls() *tls.Config {
	ours, _ := c.identity.PrivateKey.(ed25519.PrivateKey)
	return &tls.Config{
		Certificates: []tls.Certificate{c.identity}, ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS13,
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection does
		VerifyConnection: func(state tls.ConnectionState) error {
			if len(state.PeerCertificates) == 0 {
				return errStranger
			}
			key, ok := state.PeerCertificates[0].PublicKey.(ed25519.PublicKey)
			if !ok || !key.Equal(ours.Public()) {
				return errStranger
			}
			return nil
		},
		ClientSessionCache: c.sessions,
	}
}

// Dial opens a connection to another instance's hop. One that lives takes a few milliseconds for it.
func (c *Cluster) Dial(ctx context.Context, at string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var d net.Dialer
	raw, err := d.DialContext(ctx, "tcp", at)
	if err != nil {
		return nil, err
	}
	conn := tls.Client(raw, c.tls())
	if err := conn.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, err
	}
	return conn, nil
}
