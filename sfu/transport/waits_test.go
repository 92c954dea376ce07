package transport

import (
	"context"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
)

// attended plays with a transport without a socket, on a fake clock, that looks after its peers.
func attended(t *testing.T, play func(t *testing.T, tr *Transport)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		id, err := newIdentity()
		if err != nil {
			t.Fatal(err)
		}
		cfg := Config{Handshakes: 1, HandshakeRate: 20, HandshakeBurst: 30}
		tr := &Transport{
			cfg: cfg, log: zap.NewNop(), id: id, dtlsOptions: dtlsOptions(id), started: time.Now(), slots: make(chan struct{}, 1),
			hellos: newHellos(cfg), turns: newTurns(2), leaving: make(chan *Peer, 8), peers: map[string]*Peer{},
		}
		tr.stop, tr.cancel = context.WithCancel(t.Context())
		tr.running.Go(tr.attend)
		defer tr.running.Wait()
		defer tr.cancel()
		play(t, tr)
	})
}

// peer is one in a phase, of which nothing has been heard since now.
func (t *Transport) peer(phase Phase) *Peer {
	p := &Peer{t: t, ufrag: phase.String(), handler: newRecorder(), accepted: t.since(time.Now())}
	p.state.Store(&State{Phase: phase})
	p.lastCheck.Store(int64(p.accepted))
	t.mu.Lock()
	defer t.mu.Unlock()
	t.peers[p.ufrag] = p
	return p
}

// passes lets time pass, and whoever is due do their work.
func passes(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // in a bubble
	synctest.Wait()
}

func TestAttend_AClientThatFallsSilent_IsDisconnectedAndThenGone(t *testing.T) {
	attended(t, func(t *testing.T, tr *Transport) {
		p := tr.peer(Connected)
		for _, step := range []struct {
			after time.Duration
			want  State
		}{
			{consentTimeout - sweepInterval, State{Phase: Connected}},
			{2 * sweepInterval, State{Phase: Disconnected}},
			{goneTimeout - consentTimeout - 2*sweepInterval, State{Phase: Disconnected}},
			{2 * sweepInterval, State{Phase: Closed, Reason: ReasonSilent}},
		} {
			passes(step.after)
			if got := *p.state.Load(); got != step.want {
				t.Fatalf("after %v more: %+v, want %+v", step.after, got, step.want)
			}
		}
	})
}

func TestAttend_AClientThatNeverConnects_IsGivenUp(t *testing.T) {
	attended(t, func(t *testing.T, tr *Transport) {
		passes(time.Hour) // what was before counts for nothing
		p := tr.peer(New)
		if passes(goneTimeout - sweepInterval); p.gone() {
			t.Error("given up early")
		}
		passes(2 * sweepInterval)
		if got, want := *p.state.Load(), (State{Phase: Closed, Reason: ReasonSilent}); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	})
}

func TestHandshake_ThatStandsStill_EndsAndGivesItsPlaceBack(t *testing.T) {
	attended(t, func(t *testing.T, tr *Transport) {
		p := tr.peer(Connecting)
		p.selected.Store(newRoute(path{addr: netip.MustParseAddrPort("192.0.2.1:5000")}))
		hello := make([]byte, recordHeaderBytes+1)
		hello[0], hello[recordHeaderBytes] = recordHandshake, helloClient
		if !p.startHandshake(hello, time.Now()) {
			t.Fatal("not begun")
		}
		passes(handshakeTimeout - 1)
		if other := tr.peer(New); len(tr.slots) != 1 || other.startHandshake(hello, time.Now()) {
			t.Error("ended early")
		}
		passes(1)
		p.recv.Lock()
		defer p.recv.Unlock()
		if p.handshake != nil || len(tr.slots) != 0 || tr.count.failedHello.Load() != 1 || p.gone() {
			t.Errorf("under way %t, %d places taken, %d failed, gone %t", p.handshake != nil, len(tr.slots), tr.count.failedHello.Load(), p.gone())
		}
	})
}
