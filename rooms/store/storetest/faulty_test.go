package storetest_test

import (
	"context"
	"errors"
	"testing"

	"go.uber.org/goleak"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/rooms/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// accepting commits everything.
type accepting struct{ store.Store }

func (accepting) Commit(context.Context, store.Batch) error { return nil }
func (accepting) Ping(context.Context) error                { return nil }

func TestFaulty(t *testing.T) {
	f := storetest.Faulty(accepting{})
	batch := store.Batch{Room: "r", Visits: []*rooms.Visit{}}
	commit := func(ctx context.Context) chan error {
		done := make(chan error, 1)
		go func() { done <- f.Commit(ctx, batch) }()
		return done
	}
	want := func(what string, got, want error) {
		t.Helper()
		if !errors.Is(got, want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	want("at first", <-commit(t.Context()), nil)
	f.Stop()
	want("stopped", <-commit(t.Context()), store.ErrUnavailable)
	want("stopped, ping", f.Ping(t.Context()), store.ErrUnavailable)
	f.Resume()
	want("resumed", <-commit(t.Context()), nil)
	want("resumed, ping", f.Ping(t.Context()), nil)

	f.Block()
	ctx, cancel := context.WithCancel(t.Context())
	held, given := commit(t.Context()), commit(ctx)
	f.AwaitBlocked(2)
	cancel()
	want("blocked, cancelled", <-given, context.Canceled)
	f.Resume()
	want("blocked, resumed", <-held, nil)

	f.Block()
	held = commit(t.Context())
	f.AwaitBlocked(1)
	f.Stop()
	want("blocked, stopped", <-held, store.ErrUnavailable)
}
