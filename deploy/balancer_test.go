package deploy_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anteroom/anteroom/internal/config"
)

const balancerFile = "deploy/compose/haproxy.cfg"

// certificate writes a chain and its key in one file, as the balancer wants it, and answers the chain.
func certificate(t *testing.T, path, name string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	chain := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	text := slices.Concat(chain, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(chain)
	return pool
}

// balancer is HAProxy with the file of docker-compose.yml.
type balancer struct {
	at   string // HOST:PORT of HTTPS
	name string
	tls  *tls.Config
	log  *log
}

// startBalancer gives HAProxy two sockets of ours instead of its ports, and servers at these addresses instead of those of a, b and c.
func startBalancer(t *testing.T, name string, servers map[string]string) *balancer {
	t.Helper()
	folder := t.TempDir()
	pool := certificate(t, filepath.Join(folder, "certificate.pem"), name)
	public, alive := listen(t), listen(t)
	text := read(t, balancerFile)
	replace := map[string]string{
		"maxconn 20000": "maxconn 400", // who runs tests may open few files
		"bind :8443 ":   "bind fd@3 ", "bind 127.0.0.1:8081": "bind fd@4", "/run/secrets/certificate ": filepath.Join(folder, "certificate.pem") + " ",
	}
	for name, address := range servers {
		replace[fmt.Sprintf("server %s %s:8080", name, name)] = fmt.Sprintf("server %s %s", name, address)
	}
	for from, to := range replace {
		if strings.Count(text, from) != 1 {
			t.Fatalf("%q is not there once", from)
		}
		text = strings.Replace(text, from, to, 1)
	}
	path := filepath.Join(folder, "haproxy.cfg")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	b := &balancer{at: public.Addr().String(), name: name, log: &log{}, tls: &tls.Config{RootCAs: pool, ServerName: name, MinVersion: tls.VersionTLS12}}
	cmd := exec.CommandContext(t.Context(), "haproxy", "-db", "-f", path)
	cmd.Stdout, cmd.Stderr = b.log, b.log
	for _, l := range []*net.TCPListener{public, alive} {
		f, err := l.File()
		if err != nil {
			t.Fatal(err)
		}
		cmd.ExtraFiles = append(cmd.ExtraFiles, f)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v (make deps installs it)", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(b.log)
		}
	})
	for _, ours := range cmd.ExtraFiles {
		ours.Close()
	}
	public.Close()
	alive.Close()
	// It is up when its own health check is answered, which waits in the socket's queue until then. The sockets are its alone
	// now, so that they end with it.
	once := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := once.Get("http://" + alive.Addr().String() + "/")
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("not alive: %v %v\n%s", res, err, b.log)
	}
	res.Body.Close()
	return b
}

func listen(t *testing.T) *net.TCPListener {
	t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// client makes a connection for each request, as people do.
func (b *balancer) client() *http.Client {
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: b.tls,
		DialContext: dialing(b.at),
	}}
}

// behind is a server that says who it is. It stands for an instance, of which the balancer sees only this.
type behind struct {
	name  string
	ready atomic.Bool
	*httptest.Server

	mu    sync.Mutex
	saw   http.Header
	wires []net.Conn
}

func newBehind(name string) *behind {
	s := &behind{name: name}
	s.ready.Store(true)
	s.Server = httptest.NewServer(s)
	return s
}

func (s *behind) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/readyz":
		if !s.ready.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	case r.Header.Get("Upgrade") == "websocket":
		s.upgrade(w)
	default:
		s.mu.Lock()
		s.saw = r.Header.Clone()
		s.saw.Set("Host", r.Host)
		s.mu.Unlock()
		_, _ = io.WriteString(w, s.name)
	}
}

// upgrade answers what comes with itself.
func (s *behind) upgrade(w http.ResponseWriter) {
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	s.mu.Lock()
	s.wires = append(s.wires, conn)
	s.mu.Unlock()
	_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nServed-By: "+s.name+"\r\n\r\n") // RFC 6455 section 1.3's example
	_, _ = io.Copy(conn, rw)
	conn.Close()
}

func (s *behind) end() {
	s.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.wires {
		c.Close()
	}
}

// threeBehind are a balancer and what is behind it.
func threeBehind(t *testing.T) (*balancer, map[string]*behind) {
	t.Helper()
	servers, addresses := map[string]*behind{}, map[string]string{}
	for _, name := range instances {
		s := newBehind(name)
		t.Cleanup(s.end)
		servers[name], addresses[name] = s, s.Listener.Addr().String()
	}
	b := startBalancer(t, "visits.example.org", addresses)
	b.until(t, "all serve", func(by map[string]int) bool { return len(by) == 3 })
	return b, servers
}

// served asks n times and counts who answers.
func (b *balancer) served(t *testing.T, n int) map[string]int {
	t.Helper()
	by := map[string]int{}
	for range n {
		res, err := b.client().Get("https://visits.example.org/join")
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%s %v", res.Status, err)
		}
		by[string(text)]++
	}
	return by
}

// until asks until something is so. Every answer on the way is a good one.
func (b *balancer) until(t *testing.T, what string, so func(map[string]int) bool) {
	t.Helper()
	last := map[string]int{}
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		if last = b.served(t, 6); so(last) {
			return
		}
	}
	t.Fatalf("not in time: %s; %v", what, last)
}

func TestBalancer_KnowsTheInstancesAndTheirPort(t *testing.T) {
	p := compose(t)
	var got []string
	for _, m := range regexp.MustCompile(`(?m)^\s*server (\S+) (\S+)$`).FindAllStringSubmatch(read(t, balancerFile), -1) {
		got = append(got, m[1]+" "+m[2])
	}
	var want []string
	for _, name := range instances {
		cfg := config.Serve{Listen: config.Address(environment(t, p.Services[name])["ANTEROOM_LISTEN"])}
		want = append(want, name+" "+name+cfg.ListenAddress())
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, not %q", got, want)
	}
	most, err := strconv.Atoi(regexp.MustCompile(`(?m)^\s*maxconn (\d+)`).FindStringSubmatch(read(t, balancerFile))[1])
	if files := p.Services["balancer"].Ulimits["nofile"]; err != nil || files == nil || files.Single < 2*most+100 {
		t.Errorf("%d connections with a limit of %+v files, %v", most, files, err)
	}
}

func TestBalancer_SpreadsPeople_AndSaysWhoTheyAre(t *testing.T) {
	b, servers := threeBehind(t)
	if by := b.served(t, 30); len(by) != 3 || slices.Min(slices.Collect(maps.Values(by))) < 5 {
		t.Errorf("30 connections went to %v", by)
	}
	q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://visits.example.org/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("X-Forwarded-For", "198.51.100.1")
	res, err := b.client().Do(q)
	if err != nil {
		t.Fatal(err)
	}
	name, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	s := servers[string(name)]
	s.mu.Lock()
	defer s.mu.Unlock()
	if got := s.saw.Values("X-Forwarded-For"); !slices.Equal(got, []string{"127.0.0.1"}) {
		t.Errorf("the instance believes that %q asks", got)
	}
	if got := s.saw.Get("Host"); got != "visits.example.org" {
		t.Errorf("asked for %q", got)
	}
}

func TestBalancer_AnInstanceThatIsNotReadyGetsNobody_AndKeepsItsSockets(t *testing.T) {
	b, servers := threeBehind(t)
	sockets := map[string]*socket{} // one each, so that none of them is passed over for having more than the others
	for range instances {
		s := b.socket(t)
		sockets[s.by] = s
	}
	if len(sockets) != 3 {
		t.Fatalf("three sockets went to %v", slices.Collect(maps.Keys(sockets)))
	}
	b.until(t, "all get people", func(now map[string]int) bool { return len(now) == 3 })
	servers["b"].ready.Store(false)
	b.until(t, "the one that stops gets nobody", func(now map[string]int) bool { return now["b"] == 0 })
	if by := b.served(t, 20); by["b"] > 0 {
		t.Errorf("somebody was sent to one that is not ready: %v", by)
	}
	for name, s := range sockets {
		_, _ = io.WriteString(s.conn, "still here?\n")
		if line, err := s.r.ReadString('\n'); err != nil || line != "still here?\n" {
			t.Errorf("the socket at %s ended: %q %v", name, line, err)
		}
	}
	servers["b"].ready.Store(true)
	b.until(t, "it comes back", func(now map[string]int) bool { return now["b"] > 0 })
}

// socket is one that an instance answers with what it sends.
type socket struct {
	by   string
	conn net.Conn
	r    *bufio.Reader
}

func (b *balancer) socket(t *testing.T) *socket {
	t.Helper()
	conn, err := tls.Dial("tcp", b.at, b.tls)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(90 * time.Second)); err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(conn, "GET /v1/signal HTTP/1.1\r\nHost: visits.example.org\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	r := bufio.NewReader(conn)
	res, err := http.ReadResponse(r, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("%v %v", res, err)
	}
	return &socket{by: res.Header.Get("Served-By"), conn: conn, r: r}
}

func TestBalancer_AnInstanceThatDiesCostsNobodyARequest(t *testing.T) {
	b, servers := threeBehind(t)
	servers["b"].end() // until fails at the first request that is not answered
	b.until(t, "the others serve", func(now map[string]int) bool { return now["b"] == 0 && len(now) == 2 })
}
