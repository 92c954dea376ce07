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

const (
	sweepEvery = time.Minute
	// abandonedAfter is how long after its last sign of life a visit that nobody closed is closed by the sweep, so
	// that it too is erased one day.
	abandonedAfter = 7 * 24 * time.Hour
)

// sweep erases what has been kept long enough: the personal data of visits that are over, and the keys that made
// requests repeatable. Visits that everybody has forgotten it closes first.
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
		do := s.due(v, keep)
		if do == nil {
			continue
		}
		_, err := s.hub.Do(ctx, id, rooms.Command{Actor: rooms.Actor{System: true}, Visit: v.ID, Do: do})
		if err != nil && !errors.Is(err, rooms.ErrNoVisit) { // else it was erased meanwhile
			return erased, err
		}
		if v.Phase.Over() {
			erased++
		}
	}
	return erased, nil
}

// due is what the sweep does to a visit now, or nil.
func (s sweep) due(v *rooms.Visit, keep time.Duration) rooms.Action {
	switch {
	case v.Phase.Over() && !s.now().Before(v.EndedAt.Add(keep)):
		return rooms.Erase{}
	case v.Phase.Over() || s.now().Before(lastSign(v).Add(abandonedAfter)):
		return nil
	case v.Phase == rooms.PhaseScheduled || v.Phase == rooms.PhaseWaiting:
		return rooms.NoShow{}
	}
	return rooms.End{Disposition: rooms.DispositionDone}
}

// lastSign is when a visit was last on somebody's mind: made, planned, or somebody came, went or was let in.
func lastSign(v *rooms.Visit) time.Time {
	last := v.CreatedAt
	later := func(t time.Time) {
		if t.After(last) {
			last = t
		}
	}
	later(v.ScheduledAt.Add(v.Length))
	for i := range v.Seats {
		for _, t := range []time.Time{
			v.Seats[i].ArrivedAt, v.Seats[i].WaitingSince, v.Seats[i].AdmittedAt, v.Seats[i].HeldAt, v.Seats[i].LeftAt,
		} {
			later(t)
		}
	}
	return last
}
