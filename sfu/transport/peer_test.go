package transport

import (
	"errors"
	"testing"
	"time"

	"github.com/pion/rtp"
)

// emptyReport is a receiver report about nothing.
var emptyReport = []byte{0x80, 201, 0, 1, 0, 0, 0, 1}

// silentFor returns the time at which p's client has not checked for d.
func silentFor(p *Peer, d time.Duration) time.Duration { return time.Duration(p.lastCheck.Load()) + d }

func TestConsent_RunsOut_NothingIsSentUntilTheNextCheck(t *testing.T) {
	tr := listen(t, Config{})
	c := newClient(t)
	p, r := c.connect(t, tr)
	_ = c.pc.GracefulClose() // so that no check of its own comes between
	write := func() error {
		return errors.Join(p.WriteRTP(nil, &rtp.Header{Version: 2, SSRC: 1002}, []byte{1}), p.WriteRTCP(nil, emptyReport))
	}
	p.expire(silentFor(p, consentTimeout-1))
	if s := p.Stats().State; s.Phase != Connected {
		t.Fatalf("%v just before the consent ran out", s)
	}
	if err := write(); err != nil {
		t.Fatal(err)
	}
	p.expire(silentFor(p, consentTimeout))
	r.reach(t, Disconnected)
	if err := write(); !errors.Is(err, ErrNotConnected) {
		t.Fatalf("written without consent: %v", err)
	}
	probe(t, tr, p).check(t)
	r.reach(t, Connected)
	if err := write(); err != nil {
		t.Fatal(err)
	}
}

func TestConsent_GoneForGood_Closes(t *testing.T) {
	tr := listen(t, Config{})
	c := newClient(t)
	p, r := c.connect(t, tr)
	_ = c.pc.GracefulClose()
	p.expire(silentFor(p, consentTimeout))
	p.expire(silentFor(p, goneTimeout-1))
	if s := p.Stats().State; s.Phase != Disconnected {
		t.Fatalf("%v just before the peer was gone", s)
	}
	p.expire(silentFor(p, goneTimeout))
	if s := r.reach(t, Closed); s.Reason != ReasonSilent {
		t.Errorf("closed for %q", s.Reason)
	}
	if err := p.WriteRTCP(nil, emptyReport); !errors.Is(err, ErrClosed) {
		t.Errorf("written to a closed peer: %v", err)
	}
}

func TestConnecting_TakesTooLong_Closes(t *testing.T) {
	for name, tc := range map[string]struct {
		checkAfter time.Duration // the client's last check, after Accept
		want       Reason
	}{
		"never heard":            {0, ReasonSilent},
		"checks, but no hello":   {goneTimeout - time.Second, ReasonHandshake},
		"checks that have ended": {time.Second, ReasonSilent},
	} {
		t.Run(name, func(t *testing.T) {
			tr := listen(t, Config{})
			p, r := accepted(t, tr)
			p.lastCheck.Add(int64(tc.checkAfter))
			p.expire(p.accepted + goneTimeout - 1)
			if p.gone() {
				t.Fatal("closed early")
			}
			p.expire(p.accepted + goneTimeout)
			if s := r.reach(t, Closed); s.Reason != tc.want {
				t.Errorf("closed for %q, want %q", s.Reason, tc.want)
			}
		})
	}
}

func TestClose_IsToldOnceAndGivesThePlaceBack(t *testing.T) {
	tr := listen(t, Config{MaxPeers: 1})
	p, r := accepted(t, tr)
	c := probe(t, tr, p)
	c.check(t)
	if _, _, err := tr.Accept(chromiumOffer(t), takeAll(newRecorder())); !errors.Is(err, ErrFull) {
		t.Fatalf("a second peer of one: %v", err)
	}
	p.Close()
	p.Close()
	if s := r.reach(t, Closed); s.Reason != ReasonLocal {
		t.Errorf("closed for %q", s.Reason)
	}
	if tr.routes.get(path{addr: c.addr()}) != nil {
		t.Error("its address is still known")
	}
	accepted(t, tr)
	if len(r.states) != 0 {
		t.Errorf("told %v after the end", <-r.states)
	}
}

func TestTransportClose_EndsEverything(t *testing.T) {
	tr, err := Listen(Config{Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	_, r := accepted(t, tr)
	for range 2 {
		if err := tr.Close(); err != nil {
			t.Error(err)
		}
	}
	if s := r.reach(t, Closed); s.Reason != ReasonShutdown {
		t.Errorf("closed for %q", s.Reason)
	}
	if _, _, err := tr.Accept(chromiumOffer(t), takeAll(newRecorder())); !errors.Is(err, ErrClosed) {
		t.Errorf("accepted by a closed transport: %v", err)
	}
	if _, err := tr.Pipe(); !errors.Is(err, ErrClosed) {
		t.Errorf("a pipe into a closed transport: %v", err)
	}
}

func TestListen_NonsenseLimits_AreRefused(t *testing.T) {
	for _, cfg := range []Config{{MaxPeers: -1}, {Handshakes: -1}} {
		if tr, err := Listen(cfg); err == nil {
			_ = tr.Close()
			t.Errorf("%+v was taken", cfg)
		}
	}
}
