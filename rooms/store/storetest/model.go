package storetest

import (
	"errors"
	"fmt"
	"maps"
	"testing"

	"pgregory.net/rapid"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
)

// RunModel has owners claim, renew, release, write and repair one waiting room in random order, and compares each answer with what a
// model says. No lease ends by itself: what time does is tested in Run. open makes an empty store, and closes it.
func RunModel(t *testing.T, open func() (store.Store, func())) {
	rapid.Check(t, func(r *rapid.T) {
		s, done := open()
		defer done()
		if err := s.PutRoom(t.Context(), room); err != nil {
			r.Fatal(err)
		}
		m := &model{t: t, r: r, s: s, known: []store.Fence{{}}, versions: map[rooms.VisitID]uint64{}}
		r.Repeat(map[string]func(*rapid.T){
			"claim":   m.claim,
			"renew":   m.renew,
			"release": m.release,
			"commit":  m.commit,
			"":        m.check,
		})
	})
}

type model struct {
	t *testing.T
	r *rapid.T
	s store.Store

	held     store.Fence   // in force; the nonce is empty after a release
	known    []store.Fence // all there ever were, and the zero one
	seq      uint64
	versions map[rooms.VisitID]uint64
}

func (m *model) anyFence(r *rapid.T, what string) store.Fence {
	return rapid.SampledFrom(m.known).Draw(r, what)
}

// is compares an error with what it should be, nil included.
func is(r *rapid.T, what string, err, want error) {
	if want == nil && err != nil || !errors.Is(err, want) {
		r.Fatalf("%s: %v, want %v", what, err, want)
	}
}

func (m *model) claim(r *rapid.T) {
	nonce := fmt.Sprint("nonce ", len(m.known))
	if m.held.Nonce != "" && rapid.Bool().Draw(r, "repeated") {
		nonce = m.held.Nonce
	}
	over := m.anyFence(r, "over")
	got, err := m.s.Claim(m.t.Context(), store.Claim{Room: room.ID, Owner: "o", Nonce: nonce, TTL: store.MaxTTL, Over: over})
	free := m.held.Nonce == "" || m.held == over || m.held.Epoch < over.Epoch
	switch {
	case nonce == m.held.Nonce:
		is(r, "claim repeated", err, nil)
		if got.Fence != m.held || got.Seq != m.seq {
			r.Fatalf("claim repeated: %+v, was %+v", got, m.held)
		}
	case free:
		is(r, "claim", err, nil)
		for _, f := range m.known {
			if got.Epoch <= f.Epoch {
				r.Fatalf("epoch %d after %d", got.Epoch, f.Epoch)
			}
		}
		m.held, m.seq, m.known = got.Fence, 0, append(m.known, got.Fence)
	default:
		is(r, "claim of what another has", err, store.ErrFenced)
	}
}

func (m *model) renew(r *rapid.T) {
	f := m.anyFence(r, "fence")
	got := m.s.Renew(m.t.Context(), []store.Held{{Room: room.ID, Fence: f}}, store.MaxTTL)[0]
	if f.Nonce == "" || f != m.held {
		is(r, "renew", got.Err, store.ErrFenced)
		return
	}
	is(r, "renew", got.Err, nil)
	if got.Lease.Fence != m.held || got.Lease.Seq != m.seq {
		r.Fatalf("renewed: %+v, want %+v and %d", got.Lease, m.held, m.seq)
	}
}

func (m *model) release(r *rapid.T) {
	f := m.anyFence(r, "fence")
	err := m.s.Release(m.t.Context(), store.Held{Room: room.ID, Fence: f})
	switch {
	case m.held.Nonce == "":
		is(r, "release of what nobody has", err, nil)
	case f == m.held:
		is(r, "release", err, nil)
		m.held.Nonce, m.seq = "", 0
	default:
		is(r, "release", err, store.ErrFenced)
	}
}

func (m *model) commit(r *rapid.T) {
	b := store.Batch{
		Room: room.ID, Fence: m.anyFence(r, "fence"), Repair: rapid.Bool().Draw(r, "repair"),
		Seq: rapid.Uint64Range(0, 5).Draw(r, "seq"), After: rapid.Uint64Range(0, 3).Draw(r, "after"),
	}
	next, conflict := maps.Clone(m.versions), false
	for n := range rapid.IntRange(1, 3).Draw(r, "visits") {
		v := visit(n, rapid.Uint64Range(1, 6).Draw(r, "version"))
		b.Visits = append(b.Visits, v)
		switch stored := m.versions[v.ID]; {
		case stored < v.Version:
			next[v.ID] = v.Version
		case stored > v.Version || !b.Repair:
			conflict = true
		}
	}
	err := m.s.Commit(m.t.Context(), b)
	mine := b.Fence == m.held && b.Fence.Nonce != "" || b.Fence.IsZero() && m.held.Nonce == ""
	switch {
	case !mine:
		is(r, "commit", err, store.ErrFenced)
	case !b.Repair && m.held.Nonce != "" && m.seq < b.After:
		is(r, "commit", err, store.ErrBehind)
	case conflict:
		is(r, "commit", err, store.ErrConflict)
	default:
		is(r, "commit", err, nil)
		m.versions = next
		if b.Seq > 0 && m.held.Nonce != "" {
			m.seq = b.Seq
		}
	}
}

func (m *model) check(r *rapid.T) {
	stored, err := m.s.Versions(m.t.Context(), room.ID)
	is(r, "versions", err, nil)
	if !maps.Equal(stored, m.versions) {
		r.Fatalf("versions %v, want %v", stored, m.versions)
	}
}
