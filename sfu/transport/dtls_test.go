package transport

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"regexp"
	"sync/atomic"
	"testing"

	"github.com/pion/webrtc/v4"
)

func TestHandshake_CertificateOfSomebodyElse_Closes(t *testing.T) {
	tr := listen(t, Config{Loopback: true})
	c := newClient(t)
	digits := regexp.MustCompile(`(a=fingerprint:sha-256 )[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2})`)
	offer := digits.ReplaceAllString(c.offer(t), "${1}00${2}")
	offer = digits.ReplaceAllString(offer, "${1}00${2}")
	r := newRecorder()
	p, answer, err := tr.Accept(offer, takeAll(r))
	if err != nil {
		t.Fatal(err)
	}
	c.accept(t, answer)
	if s := r.reach(t, Closed); s.Reason != ReasonFingerprint {
		t.Errorf("closed for %q", s.Reason)
	}
	p.recv.Lock()
	defer p.recv.Unlock()
	if p.opener != nil {
		t.Error("it has keys all the same")
	}
}

func TestFingerprint_MatchesByEachHash(t *testing.T) {
	der := []byte("any bytes can be hashed")
	s256, s384, s512 := sha256.Sum256(der), sha512.Sum384(der), sha512.Sum512(der)
	for hash, sum := range map[string][]byte{"sha-256": s256[:], "SHA-384": s384[:], "sha-512": s512[:]} {
		f, ok := parseFingerprint(hash + " " + hex.EncodeToString(sum))
		if !ok || !f.matches(der) {
			t.Errorf("%s does not match", hash)
		}
		if f.matches(der[1:]) {
			t.Errorf("%s matches something else", hash)
		}
	}
	for _, bad := range []string{"", "sha-256", "sha-256 00", "sha-256 xx", "sha-1 " + hex.EncodeToString(s256[:20])} {
		if _, ok := parseFingerprint(bad); ok {
			t.Errorf("%q was taken", bad)
		}
	}
	if (fingerprint{}).matches(der) {
		t.Error("no fingerprint matches")
	}
}

// The last flight is the one that nobody answers: if it is lost, the client repeats its own.
func TestHandshake_LastFlightLost_IsRepeated(t *testing.T) {
	var lost atomic.Bool
	tr, _ := throughRelay(t, Config{}, func(b []byte, fromClient bool) [][]byte {
		if !fromClient && b[0] == recordChangeCipherSpec && lost.CompareAndSwap(false, true) {
			return nil
		}
		return [][]byte{b}
	})
	newClient(t).connect(t, tr)
	if !lost.Load() {
		t.Error("no last flight was lost")
	}
}

func TestHandshake_BeyondTheBound_IsTakenWhenThereIsRoom(t *testing.T) {
	var hellos atomic.Int32
	again := make(chan struct{})
	tr, _ := throughRelay(t, Config{Handshakes: 1}, func(b []byte, fromClient bool) [][]byte {
		if fromClient && b[0] == recordHandshake && hellos.Add(1) == 2 {
			close(again)
		}
		return [][]byte{b}
	})
	tr.slots <- struct{}{} // somebody's handshake is under way
	c, r := newClient(t), newRecorder()
	_, answer, err := tr.Accept(c.offer(t), takeAll(r))
	if err != nil {
		t.Fatal(err)
	}
	c.accept(t, answer)
	receive(t, again, "second hello")
	if tr.Counters().RefusedHello == 0 {
		t.Error("the first hello was not refused")
	}
	<-tr.slots
	r.reach(t, Connected)
	c.reach(t, webrtc.PeerConnectionStateConnected)
}

// The end of pion/dtls's connection object is not the end of the session.
func TestHandshake_Done_NoAlertIsSent(t *testing.T) {
	var alerts atomic.Int32
	tr, _ := throughRelay(t, Config{}, func(b []byte, fromClient bool) [][]byte {
		if !fromClient && b[0] == recordAlert {
			alerts.Add(1)
		}
		return [][]byte{b}
	})
	c := newClient(t)
	p, r := c.connect(t, tr)
	checkUpstream(t, c, r)
	checkDownstream(t, c, p)
	if alerts.Load() != 0 {
		t.Error("the client was told that the session has ended")
	}
}
