package redis

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/rooms/store/redistest"
	"github.com/anteroom/anteroom/rooms/store/storetest"
)

// acl is what docs/operations.md says a user needs.
func acl(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../../../docs/operations.md")
	must(t, err)
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); len(words) > 5 && words[0] == "user" && words[1] == "anteroom" {
			return words[1:]
		}
	}
	t.Fatal("docs/operations.md has no line 'user anteroom ...'")
	return nil
}

// certificate makes a certificate of 127.0.0.1 that signs itself.
func certificate(t *testing.T) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	must(t, err)
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	must(t, err)
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	must(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	must(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}), 0o600))
	parsed, err := x509.ParseCertificate(der)
	must(t, err)
	pool = x509.NewCertPool()
	pool.AddCert(parsed)
	return cert, key, pool
}

func TestConformance_OverTLS_AsTheUserOfTheDocument(t *testing.T) {
	cert, key, pool := certificate(t)
	user := acl(t)
	for i, word := range user {
		switch {
		case strings.HasPrefix(word, ">"):
			user[i] = ">secret"
		case strings.HasPrefix(word, "~"):
			user[i] = "~test*"
		}
	}
	s := redistest.StartTLS(t, cert, key, append([]string{"--user"}, user...)...)
	o := Options{
		Addresses: []string{s.Addr()}, Username: "anteroom", Password: "secret",
		TLS: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
	}
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, o) })
	db := open(t, o)
	if _, err := db.Advice(t.Context()); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*Options){
		"wrong password":    func(o *Options) { o.Password = "x" },
		"no user":           func(o *Options) { o.Username, o.Password = "", "" },
		"no TLS":            func(o *Options) { o.TLS = nil },
		"unknown authority": func(o *Options) { o.TLS = &tls.Config{MinVersion: tls.VersionTLS12} },
	} {
		bad := o
		spoil(&bad)
		if db, err := Open(t.Context(), bad); err == nil {
			t.Errorf("%s: opened", name)
			db.Close()
		}
	}
}
