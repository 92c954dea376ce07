package storetest

import (
	"context"
	"fmt"
	"sync"

	"github.com/anteroom/anteroom/rooms/store"
)

// FaultyStore is a store whose commits fail or hang on demand; all else goes through.
type FaultyStore struct {
	store.Store
	mu      sync.Mutex
	stopped bool
	blocked chan struct{} // closed by Resume; nil: not blocked
	waiting int
	arrived *sync.Cond // waiting has grown
}

// Faulty wraps a store.
func Faulty(s store.Store) *FaultyStore {
	f := &FaultyStore{Store: s}
	f.arrived = sync.NewCond(&f.mu)
	return f
}

// Stop makes Commit and Ping fail with ErrUnavailable, those that Block holds too.
func (f *FaultyStore) Stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stopped = true
	f.release()
}

// Block makes Commit wait for Stop, Resume or its context.
func (f *FaultyStore) Block() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.blocked == nil {
		f.blocked = make(chan struct{})
	}
}

// Resume makes commits go through again, those that Block holds too.
func (f *FaultyStore) Resume() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stopped = false
	f.release()
}

func (f *FaultyStore) release() {
	if f.blocked != nil {
		close(f.blocked)
		f.blocked = nil
	}
}

// AwaitBlocked returns when at least n commits are held by Block.
func (f *FaultyStore) AwaitBlocked(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.waiting < n {
		f.arrived.Wait()
	}
}

// Commit commits, if it may.
func (f *FaultyStore) Commit(ctx context.Context, b store.Batch) error {
	if err := f.pass(ctx); err != nil {
		return err
	}
	return f.Store.Commit(ctx, b)
}

// Ping pings, unless stopped.
func (f *FaultyStore) Ping(ctx context.Context) error {
	f.mu.Lock()
	stopped := f.stopped
	f.mu.Unlock()
	if stopped {
		return errStopped
	}
	return f.Store.Ping(ctx)
}

var errStopped = fmt.Errorf("storetest: stopped: %w", store.ErrUnavailable)

func (f *FaultyStore) pass(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.blocked != nil && !f.stopped {
		gate := f.blocked
		f.waiting++
		f.arrived.Broadcast()
		f.mu.Unlock()
		var err error
		select {
		case <-gate:
		case <-ctx.Done():
			err = ctx.Err()
		}
		f.mu.Lock()
		f.waiting--
		if err != nil {
			return err
		}
	}
	if f.stopped {
		return errStopped
	}
	return nil
}
