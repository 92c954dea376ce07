package cluster

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/anteroom/anteroom/rooms/store"
)

// versions share a store, each of which knows schemas up to its own.
type versions struct {
	*world
	written atomic.Int64
}

func newVersions(t *testing.T) *versions {
	v := &versions{world: newWorld(t)}
	v.written.Store(1)
	return v
}

func (v *versions) start(knows int) *instance { return v.startOn(version{v.store, v, knows}, 1) }

// version is the store as one of them has it.
type version struct {
	*faulty
	all   *versions
	knows int
}

func (v version) Schema(context.Context) (store.Schema, error) {
	n := int(v.all.written.Load())
	if n > v.knows {
		return store.Schema{}, store.ErrSchema
	}
	return store.Schema{Written: n, Newest: v.knows}, nil
}

func (v version) Raise(_ context.Context, n int) error {
	v.all.written.Store(int64(n))
	return nil
}

// wait lets as much time pass for all as they have to agree.
func wait(all ...*instance) {
	for _, i := range all {
		i.meet()
	}
	for _, i := range all {
		i.skew.Add(int64(agreed))
		i.meet()
	}
}

func TestSchema_OnlyOnceAllKnowIt_IsItWritten(t *testing.T) {
	w := newVersions(t)
	a, b, c := w.start(3), w.start(2), w.start(1)
	for _, step := range []struct {
		what   string
		leaves *instance
		want   int64
	}{
		{"all are there", nil, 1},
		{"the first version has gone", c, 2},
		{"the second has gone", b, 3},
	} {
		if step.leaves != nil {
			step.leaves.Leave(t.Context())
			a.meet()
			if n := w.written.Load(); n != step.want-1 {
				t.Errorf("%s: %d at once", step.what, n)
			}
		}
		wait(a, b)
		if n := w.written.Load(); n != step.want {
			t.Errorf("%s: %d instead of %d", step.what, n, step.want)
		}
	}
}

func TestSchema_OfWhomItIsNotKnown_TheFirst(t *testing.T) {
	w := newVersions(t)
	a := w.start(2)
	must(t, w.store.Announce(t.Context(), store.Instance{ID: "earlier", About: []byte(`{"at":"127.0.0.1:1"}`)}, store.MaxTTL))
	wait(a)
	if n := w.written.Load(); n != 1 {
		t.Errorf("%d beside an instance that may know the first only", n)
	}
}

func TestSchema_RaisedWhileAnInstanceWasAway_ItHasToStop(t *testing.T) {
	w := newVersions(t)
	a := w.start(1)
	w.written.Store(2)
	a.meet()
	if err := <-a.outdated; !errors.Is(err, store.ErrSchema) {
		t.Error(err)
	}
	if n := a.Stats().Schema; n.Written != 1 {
		t.Errorf("it takes %+v for what is written", n)
	}
}

// blind cannot say what is written.
type blind struct{ *faulty }

func (blind) Schema(context.Context) (store.Schema, error) {
	return store.Schema{}, store.ErrUnavailable
}

func TestSchema_CannotBeAsked_InstancesAreListedAllTheSame(t *testing.T) {
	w := newWorld(t)
	a := w.startOn(blind{w.store}, 1)
	w.startOn(blind{w.store}, 1)
	a.meet()
	if n := a.Stats().Members; n != 2 {
		t.Errorf("%d instances", n)
	}
	wait(a)
	if len(a.outdated) > 0 {
		t.Errorf("it has to stop: %v", <-a.outdated)
	}
}
