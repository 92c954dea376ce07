package main

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/anteroom/anteroom/internal/api"
	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/sfu/transport"
)

const (
	sweepEvery = time.Minute
	// abandonedAfter is how long after its last sign of life a visit that nobody closed is closed by the sweep, so
	// that it too is erased one day.
	abandonedAfter = 7 * 24 * time.Hour

	leap  = time.Minute // of the system clock ahead of the steady one: more is no correction
	doubt = time.Hour   // for which a leap is not believed
)

// sweep erases what has been kept long enough: the personal data of visits that are over, and the keys that made
// requests repeatable. Visits that everybody has forgotten it closes first.
type sweep struct {
	store     store.Store
	hub       api.Hub
	retention time.Duration        // where a waiting room says nothing else
	now       func() time.Time     // the system clock, by which visits end
	steady    func() time.Duration // a clock that nobody sets, of any beginning
	log       *zap.Logger
	panicked  func()      // is told of a panic over a visit; nil: nobody is
	mine      func() bool // of several instances one sweeps; nil: there is no other
}

// run sweeps at each tick until the context ends, but for those at which the clock is in doubt.
func (s sweep) run(ctx context.Context, tick <-chan time.Time) {
	var clock belief
	clock.holds(s.now(), s.steady())
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick:
		}
		doubted := clock.doubted
		if !clock.holds(s.now(), s.steady()) {
			if !doubted {
				s.log.Warn("sweep_waits_for_clock", zap.Duration("at_most", doubt))
			}
			continue
		}
		if s.mine != nil && !s.mine() {
			continue
		}
		if erased, err := s.once(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("sweep_incomplete", zap.Int("erased", erased), zap.Error(err))
		} else if erased > 0 {
			s.log.Info("sweep_erased", zap.Int("visits", erased))
		}
	}
}

// belief tells time that has passed from a system clock that was set ahead. What a sweep does cannot be undone, and a clock
// that was set wrong is soon set right as a rule. A machine that slept looks the same and waits as long.
type belief struct {
	began   time.Time // of the steady clock, by the system clock as it is believed
	doubted bool
	since   time.Duration // of doubt, by the steady clock
}

// holds tells whether the system clock can be believed. It can if it goes with the steady one or was set back, and after doubt
// whatever it says.
func (b *belief) holds(system time.Time, steady time.Duration) bool {
	began := system.Round(0).Add(-steady)
	switch {
	case b.began.IsZero() || began.Sub(b.began) < leap || b.doubted && steady-b.since >= doubt:
		b.began, b.doubted = began, false
	case !b.doubted:
		b.doubted, b.since = true, steady
	}
	return !b.doubted
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
		did, one := s.visit(ctx, v, keep)
		switch {
		case errors.Is(one, errPanicked):
			err = one
		case one != nil:
			return erased, one
		case did && v.Phase.Over():
			erased++
		}
	}
	return erased, err
}

var errPanicked = errors.New("a panic over a visit")

// visit does what is due to one. A panic over it keeps none of the others from being erased.
func (s sweep) visit(ctx context.Context, v *rooms.Visit, keep time.Duration) (did bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("sweep_panic", zap.String("visit", string(v.ID)), zap.String("panic", transport.PanicText(p)), zap.Stack("stack"))
			if s.panicked != nil {
				s.panicked()
			}
			err = errPanicked
		}
	}()
	if v.Moving() { // whoever has the room goes on with it
		_, err := s.hub.Visit(ctx, v.Room, v.ID)
		return false, unlessErased(err)
	}
	do := s.due(v, keep)
	if v.Phase == rooms.PhaseMoved {
		do, err = s.dueToMoved(ctx, v)
	}
	if do == nil || err != nil {
		return false, err
	}
	_, err = s.hub.Do(ctx, v.Room, rooms.Command{Actor: rooms.Actor{System: true}, Visit: v.ID, Do: do})
	return true, unlessErased(err)
}

// unlessErased is nil for a visit that was erased meanwhile.
func unlessErased(err error) error {
	if errors.Is(err, rooms.ErrNoVisit) {
		return nil
	}
	return err
}

// dueToMoved is due for what is left of a visit that moved to another waiting room: links lead on through it for as long as the
// visit is kept where it is.
func (s sweep) dueToMoved(ctx context.Context, v *rooms.Visit) (rooms.Action, error) {
	there, err := s.store.Visit(ctx, v.Forward.Visit)
	switch {
	case errors.Is(err, store.ErrNotFound): // a store may lose for a while where it is
		return nil, nil //nolint:nilnil // nothing is due
	case err != nil || there.ErasedAt.IsZero():
		return nil, err
	}
	return rooms.Erase{}, nil
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
