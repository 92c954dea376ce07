package sfu

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anteroom/anteroom/sfu/transport"
)

// enoughSwitches is how often each kind of track goes on with something else in one run.
const enoughSwitches = 1000

// Slots are pointed elsewhere, emptied and filled again, publishers are put on hold and begin anew, the viewer loses its
// connection: whatever happens, a track is one stream. Its numbers go on by one, its picture numbers too, and its timestamps as
// time does.
func TestTracks_OverAThousandSwitches_AreContinuous(t *testing.T) {
	for _, way := range []conditions{
		{seed: 1},
		{seed: 2, loss: 0.03, jitter: 30 * time.Millisecond},
		{seed: 3, loss: 0.1, jitter: 60 * time.Millisecond},
	} {
		t.Run(fmt.Sprintf("%v lost, jitter %v, seed %d", way.loss, way.jitter, way.seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newSwitchboard(t, way)
				for ops := 0; min(w.switches(audio), w.switches(video)) < enoughSwitches; ops++ {
					if ops > 10*enoughSwitches {
						t.Fatalf("%d switches of sound and %d of pictures", w.switches(audio), w.switches(video))
					}
					w.change()
					for range w.dice.IntN(60) {
						w.step()
					}
				}
				if w.flushes != w.flushesDue || w.flushes < enoughSwitches/2 {
					t.Errorf("%d packets of the other codec, want %d", w.flushes, w.flushesDue)
				}
			})
		})
	}
}

// switchboard is a viewer with two slots, and publishers for them.
type switchboard struct {
	t      *testing.T
	dice   *rand.Rand
	way    conditions
	viewer testPeer
	pubs   []*speaker
	all    []captured // by the id that ends each payload
	checks map[uint32]*continuity
	watch  [2]*Peer
	online bool

	flushes, flushesDue int
}

func newSwitchboard(t *testing.T, way conditions) *switchboard {
	w := &switchboard{
		t: t, dice: rand.New(rand.NewPCG(way.seed, 0)), way: way, checks: make(map[uint32]*continuity), online: true,
	}
	s := newTestSFU()
	w.viewer = s.testPeer(t, "viewer", offer(false, 2, 0))
	w.viewer.out.tracks(func(tr *track) {
		w.checks[tr.ssrc] = &continuity{t: t, kind: tr.kind, steady: way.jitter == 0}
	})
	for i := range 3 {
		p := &speaker{testPeer: s.testPeer(t, "p", offer(false, 0, 0)), board: w, index: i, open: true}
		p.restart()
		w.pubs = append(w.pubs, p)
	}
	return w
}

func (w *switchboard) switches(k kind) (n int) {
	for _, c := range w.checks {
		if c.kind == k {
			n += c.switches
		}
	}
	return n
}

// change does one of the things that begin something new on a track.
func (w *switchboard) change() {
	p := w.pubs[w.dice.IntN(len(w.pubs))]
	switch w.dice.IntN(8) {
	case 0: // the publisher is put on hold, or comes back
		p.open = !p.open
		p.SetGate(p.open)
	case 1: // the publisher's encoders begin anew
		p.restart()
	case 2: // the viewer's network goes away, or comes back
		w.online = !w.online
		phase := transport.Disconnected
		if w.online {
			phase = transport.Connected
		}
		handler{w.viewer.Peer}.State(transport.State{Phase: phase})
	default:
		w.point()
	}
}

// point sets both slots; one person may be in both, or nobody.
func (w *switchboard) point() {
	var next [2]*Peer
	for i := range next {
		if k := w.dice.IntN(len(w.pubs) + 1); k < len(w.pubs) {
			next[i] = w.pubs[k].Peer
		}
		used := !w.viewer.out.slots[i].tracks[0].lastAt.IsZero()
		if next[i] != nil && next[i] != w.watch[i] && used && w.online {
			w.flushesDue++
		}
	}
	w.viewer.Point(next[:], nil)
	w.watch = next
	w.judge()
}

// step lets about two milliseconds pass.
func (w *switchboard) step() {
	pass(time.Millisecond + time.Duration(w.dice.IntN(2_000_000)))
	for _, p := range w.pubs {
		p.step()
	}
	w.judge()
}

// judge takes what was written to the viewer.
func (w *switchboard) judge() {
	for _, p := range w.viewer.wire.take() {
		c := w.checks[p.SSRC]
		switch {
		case c == nil:
			w.t.Fatalf("a packet of SSRC %d", p.SSRC)
		case p.PayloadType == 0:
			w.flushes++
			c.flush(p)
		default:
			c.packet(p, w.all)
		}
	}
}
