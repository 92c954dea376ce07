package transport

import (
	"context"
	_ "embed"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os/exec"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtp"
)

//go:embed testdata/echo.html
var echoPage []byte

//go:embed testdata/chromium-offer.sdp
var capturedOffer string

// chromiumOffer is an offer of Chromium 156: three lines sent, the second with two layers, then
// two slot pairs and a content slot.
func chromiumOffer(t testing.TB) string {
	t.Helper()
	return capturedOffer
}

// echo sends what comes from a client's first two lines back on its first slot pair.
type echo struct {
	*recorder
	peer atomic.Pointer[Peer]
}

func (e *echo) RTP(p *Packet) {
	peer := e.peer.Load()
	if peer == nil || p.Header.PayloadType != 111 && p.Header.PayloadType != 96 {
		return
	}
	h := rtp.Header{
		Version: 2, Marker: p.Header.Marker, PayloadType: p.Header.PayloadType,
		SequenceNumber: p.Header.SequenceNumber, Timestamp: p.Header.Timestamp, SSRC: 1003,
	}
	if p.Header.PayloadType == 96 {
		h.SSRC = 1004
	}
	if len(p.Payload) > 0 {
		_ = peer.WriteRTP(nil, &h, p.Payload)
	}
}

func TestMedia_Chromium_DecodesItsOwnEcho(t *testing.T) {
	for family, ip := range families {
		t.Run(family, func(t *testing.T) { echoInChromium(t, ip) })
	}
}

func echoInChromium(t *testing.T, ip netip.Addr) {
	browser, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("no chromium in PATH: apt-get install chromium")
	}
	tr := listen(t, at(ip))
	e := &echo{recorder: newRecorder()}
	done := make(chan string, 1)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(echoPage) })
	mux.HandleFunc("POST /offer", func(w http.ResponseWriter, r *http.Request) {
		offer, _ := io.ReadAll(r.Body)
		p, answer, err := tr.Accept(string(offer), takeAll(e))
		if err != nil {
			t.Errorf("%v\n%s", err, offer)
			return
		}
		e.peer.Store(p)
		_, _ = io.WriteString(w, answer)
	})
	mux.HandleFunc("POST /done", func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		done <- string(b)
	})
	web := httptest.NewServer(mux)
	defer web.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, browser, "--headless", "--no-sandbox", "--disable-gpu",
		"--autoplay-policy=no-user-gesture-required", "--allow-loopback-in-peer-connection",
		"--disable-features=WebRtcHideLocalIpsWithMdns", "--user-data-dir="+t.TempDir(),
		"--remote-debugging-port=0", web.URL)
	// A pipe that all its processes have: Wait ends when the last of them has, and none writes into a profile that is being removed.
	cmd.Stderr = io.Discard
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cancel()
		_ = cmd.Wait()
	}()
	select {
	case got := <-done:
		if got != "ok" {
			t.Error(got)
		}
		if remote := e.peer.Load().Stats().Remote.Addr(); remote.Is4() != ip.Is4() {
			t.Errorf("it came from %v", remote)
		}
	case <-ctx.Done():
		s := State{}
		if p := e.peer.Load(); p != nil {
			s = p.Stats().State
		}
		t.Errorf("no picture and sound within a minute; peer is %v", s)
	}
}
