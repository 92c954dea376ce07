package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/anteroom/anteroom/internal/config"
)

// certificate writes one for 127.0.0.1 and answers the names of its files.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{
		cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: keyDER},
	} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func TestServe_WithCertificate_IsOverTLSAlone(t *testing.T) {
	cert, key := certificate(t)
	// The port is known only once it listens, so that the configured URL is taken for what links begin with alone.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host := l.Addr().String()
	l.Close()
	at, _, _ := startServer(t, "--listen", host, "--public-url", "https://"+host, "--tls-cert", cert, "--tls-key", key)
	if at.URL != "https://"+host {
		t.Errorf("url %s", at.URL)
	}
	status, header, _ := fetch(t, "GET", "https://"+host+"/docs", "")
	if status != 200 || !strings.HasPrefix(header.Get("Strict-Transport-Security"), "max-age=") {
		t.Errorf("over TLS: %d %v", status, header)
	}
	if status, _, _ := fetch(t, "POST", "http://"+host+"/v1/join", `{"token":"x"}`); status != 403 {
		t.Errorf("a token in clear: %d", status)
	}
	q, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+host+"/join?name=x", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := client.Transport.RoundTrip(q)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 308 || res.Header.Get("Location") != "https://"+host+"/join" {
		t.Errorf("in clear: %d %s", res.StatusCode, res.Header.Get("Location"))
	}
	if status, _, _ := fetch(t, "GET", "http://"+host+"/healthz", ""); status != 200 {
		t.Errorf("health in clear: %d", status)
	}
	if status, _, _ := fetch(t, "GET", "https://"+host+"/v1/demo", ""); status != 404 {
		t.Errorf("the demo clinic outside development: %d", status)
	}
}

func TestClientAddr_LooksThroughOurProxiesOnly(t *testing.T) {
	proxies := []config.Prefix{{Prefix: netip.MustParsePrefix("10.0.0.0/8")}, {Prefix: netip.MustParsePrefix("2001:db8::/32")}}
	for name, c := range map[string]struct {
		proxies   []config.Prefix
		from      string
		forwarded []string
		want      string
	}{
		"direct":                  {nil, "192.0.2.1:5", nil, "192.0.2.1"},
		"direct, claiming":        {proxies, "192.0.2.1:5", []string{"198.51.100.7"}, "192.0.2.1"},
		"no proxies configured":   {nil, "10.1.1.1:5", []string{"198.51.100.7"}, "10.1.1.1"},
		"one proxy":               {proxies, "10.1.1.1:5", []string{"198.51.100.7"}, "198.51.100.7"},
		"one proxy, forged":       {proxies, "10.1.1.1:5", []string{"203.0.113.9, 198.51.100.7"}, "198.51.100.7"},
		"two proxies":             {proxies, "10.1.1.1:5", []string{"198.51.100.7, 10.2.2.2"}, "198.51.100.7"},
		"two headers":             {proxies, "10.1.1.1:5", []string{"198.51.100.7", "10.2.2.2"}, "198.51.100.7"},
		"proxy without header":    {proxies, "10.1.1.1:5", nil, "10.1.1.1"},
		"proxy sends nonsense":    {proxies, "10.1.1.1:5", []string{"unknown"}, "10.1.1.1"},
		"IPv4 mapped":             {proxies, "[::ffff:10.1.1.1]:5", []string{"::ffff:198.51.100.7"}, "198.51.100.7"},
		"IPv6":                    {proxies, "[2001:db8::1]:5", []string{"2001:db9::7"}, "2001:db9::7"},
		"an address that is none": {proxies, "@", nil, "::"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &server{cfg: &config.Serve{Proxies: c.proxies}}
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr = c.from
			r.Header["X-Forwarded-For"] = c.forwarded
			if got := s.clientAddr(r); got != netip.MustParseAddr(c.want) {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}
