package signaling

import (
	"context"
	"errors"

	"go.uber.org/zap"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
)

// errMovedAway is why nothing is written any more.
var errMovedAway = errors.New("signaling: somebody else may have the waiting room")

// batch is visits with the right to write them, where that is asked for.
func (s *saver) batch(visits []*rooms.Visit, upTo uint64) store.Batch {
	b := store.Batch{Room: s.room, Visits: visits}
	if s.lease != nil {
		b.Fence, b.Seq, b.After = s.lease.Fence(), upTo, s.durable
	}
	return b
}

// commit writes a batch, after what the store has lost of those before.
func (s *saver) commit(ctx context.Context, b store.Batch) error {
	if isGone(s.lease) {
		return errMovedAway
	}
	if s.fill.Load() && !s.repair(ctx) {
		return store.ErrBehind
	}
	err := s.store.Commit(ctx, b)
	if errors.Is(err, store.ErrBehind) {
		s.fill.Store(true)
		if s.repair(ctx) {
			err = s.store.Commit(ctx, b)
		}
	}
	var fenced *store.FencedError
	if errors.As(err, &fenced) && s.lease != nil {
		s.lease.Refused(fenced)
	}
	return err
}

// wrote notes that everything up to a save is durable.
func (s *saver) wrote(upTo uint64) {
	if s.lease != nil {
		s.durable = max(s.durable, upTo)
		s.lease.Durable(s.durable)
	}
}

func (s *saver) repairs() <-chan struct{} {
	if s.lease == nil {
		return nil
	}
	return s.lease.Repairs()
}

// repair writes again what the store has lost, as the actor knows it, and tells whether that is done. It is tried again with
// the next save, and with the next sign of a loss.
func (s *saver) repair(ctx context.Context) bool {
	e := whole{result: make(chan room, 1)}
	if isGone(s.lease) {
		return false
	}
	s.post(e)
	var known room
	select {
	case known = <-e.result:
	case <-ctx.Done(): // the actor ends, or has
		return false
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fillTimeout)
	defer cancel()
	fence := s.lease.Fence()
	written, err := store.Repair(ctx, s.store, fence, s.durable, known.about, known.visits)
	if err != nil {
		s.log.Warn("room_not_repaired", zap.Int("written", written), zap.Error(err))
		var fenced *store.FencedError
		if errors.As(err, &fenced) {
			s.lease.Refused(fenced)
		}
		return false
	}
	s.log.Info("room_repaired", zap.Int("written", written), zap.Int64("epoch", fence.Epoch))
	s.fill.Store(false)
	return true
}

// whole asks for all of a room that is durable.
type whole struct{ result chan room }

type room struct {
	about  rooms.WaitingRoom
	visits []*rooms.Visit
}

func (e whole) apply(a *actor) {
	r := room{about: a.room.About(), visits: make([]*rooms.Visit, 0, len(a.durable))}
	for _, v := range a.durable {
		r.visits = append(r.visits, v)
	}
	e.result <- r
}
