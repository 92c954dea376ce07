package main

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/anteroom/anteroom/internal/api"
	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
)

const sweepEvery = time.Minute

// sweep erases what has been kept long enough: the personal data of visits that are over, and the keys that made
// requests repeatable.
type sweep struct {
	store     store.Store
	hub       api.Hub
	retention time.Duration // where a waiting room says nothing else
	now       func() time.Time
	log       *zap.Logger
}

// run sweeps at each tick until the context ends.
func (s sweep) run(ctx context.Context, tick <-chan time.Time) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick:
		}
		if erased, err := s.once(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("sweep_incomplete", zap.Int("erased", erased), zap.Error(err))
		} else if erased > 0 {
			s.log.Info("sweep_erased", zap.Int("visits", erased))
		}
	}
}

// once sweeps every room; what it could not do it tries again the next time.
func (s sweep) once(ctx context.Context) (erased int, err error) {
	errs := []error{s.store.Expire(ctx, s.now().Add(-api.IdempotencyAge))}
	clinics, err := s.store.Clinics(ctx)
	errs = append(errs, err)
	for _, c := range clinics {
		all, err := s.store.Rooms(ctx, c.ID)
		errs = append(errs, err)
		for _, w := range all {
			n, err := s.room(ctx, w.ID)
			erased += n
			errs = append(errs, err)
		}
	}
	return erased, errors.Join(errs...)
}

func (s sweep) room(ctx context.Context, id rooms.RoomID) (erased int, err error) {
	w, visits, err := s.store.LoadRoom(ctx, id)
	if err != nil {
		return 0, err
	}
	keep := w.Retention
	if keep == 0 {
		keep = s.retention
	}
	for _, v := range visits {
		if !v.Phase.Over() || s.now().Before(v.EndedAt.Add(keep)) {
			continue
		}
		_, err := s.hub.Do(ctx, id, rooms.Command{Actor: rooms.Actor{System: true}, Visit: v.ID, Do: rooms.Erase{}})
		if err != nil && !errors.Is(err, rooms.ErrNoVisit) { // else it was erased meanwhile
			return erased, err
		}
		erased++
	}
	return erased, nil
}
