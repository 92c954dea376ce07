package main

import (
	"context"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/anteroom/anteroom/rooms/store"
)

const (
	keepEvery   = 30               // seconds: how old a kept directory may be of whose change nobody told
	keepTimeout = 30 * time.Second // to read or write it
)

// keeper keeps what a store has of clinics, rooms, staff and keys. With a store that comes back empty nobody else has it: owners have
// the visits alone.
type keeper struct {
	store store.Store
	log   *zap.Logger
	lost  chan struct{} // holds a value when the store seems to have lost something
	stale atomic.Bool   // kept is not the newest
	kept  *store.Directory
}

func newKeeper(s store.Store, log *zap.Logger) *keeper {
	return &keeper{store: s, log: log, lost: make(chan struct{}, 1), kept: &store.Directory{}}
}

// hear says that the store seems to have lost something. It never waits.
func (k *keeper) hear() {
	select {
	case k.lost <- struct{}{}:
	default:
	}
}

// changed says that kept is not the newest.
func (k *keeper) changed() { k.stale.Store(true) }

// run keeps the directory until the context ends; tick comes every second.
func (k *keeper) run(ctx context.Context, tick <-chan time.Time) {
	k.look(ctx)
	age := 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.lost:
			k.refill(ctx)
		case <-tick:
			if age++; k.stale.Swap(false) || age >= keepEvery {
				age = 0
				k.look(ctx)
			}
		}
	}
}

// look reads the directory, which is not believed to have become empty.
func (k *keeper) look(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, keepTimeout)
	defer cancel()
	d, err := store.TakeDirectory(limited, k.store)
	switch {
	case err != nil: // the one before is kept
	case d.Clinics() == 0 && k.kept.Clinics() > 0:
		k.refill(ctx)
	default:
		k.kept = d
	}
}

func (k *keeper) refill(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, keepTimeout)
	defer cancel()
	written, err := k.kept.Refill(ctx, k.store)
	if written > 0 || err != nil {
		k.log.Warn("directory_refilled", zap.Int("records", written), zap.Error(err))
	}
}

// startKeeper keeps the directory where instances share a store that may lose it.
func (s *server) startKeeper(context.Context) error {
	if s.keeper == nil {
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	ticker := time.NewTicker(time.Second)
	s.tasks.Go(func() { s.keeper.run(ctx, ticker.C) })
	s.onStop(func(context.Context) error {
		ticker.Stop()
		cancel()
		return nil
	})
	return nil
}
