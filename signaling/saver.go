package signaling

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
)

const (
	saveTimeout  = 2 * time.Second
	saveRetryMin = 50 * time.Millisecond
	saveRetryMax = 2 * time.Second
	ackTimeout   = 3 * time.Second  // after which a caller is told to try again
	fillTimeout  = 30 * time.Second // to write again what a store has lost
)

// saver makes one room's changes durable, in order. It holds only the newest value of each visit, so that what
// waits is bounded by the room's size however long the store is away.
type saver struct {
	room    rooms.RoomID
	store   store.Store
	metrics *metrics
	log     *zap.Logger
	post    func(event)
	lease   Lease       // nil: nobody else can have the room
	durable uint64      // the highest save that is, of this lease
	fill    atomic.Bool // the store has lost something of this room

	mu      sync.Mutex
	waiting map[rooms.VisitID]*rooms.Visit
	upTo    uint64
	ready   chan struct{} // holds one value while something waits
}

func newSaver(room rooms.RoomID, s store.Store, m *metrics, post func(event)) *saver {
	return &saver{
		room: room, store: s, metrics: m, log: zap.NewNop(), post: post,
		waiting: map[rooms.VisitID]*rooms.Visit{}, ready: make(chan struct{}, 1),
	}
}

// put never waits.
func (s *saver) put(seq uint64, visits []*rooms.Visit) {
	s.mu.Lock()
	for _, v := range visits {
		s.waiting[v.ID] = v
	}
	s.upTo = seq
	s.mu.Unlock()
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

func (s *saver) take() (visits []*rooms.Visit, upTo uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range s.waiting {
		visits = append(visits, v)
	}
	clear(s.waiting)
	return visits, s.upTo
}

// putBack returns what could not be saved, unless something newer came meanwhile.
func (s *saver) putBack(visits []*rooms.Visit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range visits {
		if _, newer := s.waiting[v.ID]; !newer {
			s.waiting[v.ID] = v
		}
	}
}

// run saves until ctx ends, and then once more what is left.
func (s *saver) run(ctx context.Context) {
	retry := saveRetryMin
	for {
		select {
		case <-ctx.Done():
			if visits, upTo := s.take(); len(visits) > 0 {
				_ = s.save(context.WithoutCancel(ctx), visits, upTo)
			}
			return
		case <-s.repairs():
			s.fill.Store(true)
			s.repair(ctx)
		case <-s.ready:
		}
		for visits, upTo := s.take(); len(visits) > 0; visits, upTo = s.take() {
			err := s.save(ctx, visits, upTo)
			if err == nil {
				retry = saveRetryMin
				s.post(saved{upTo: upTo, visits: visits})
				continue
			}
			s.putBack(visits)
			if ctx.Err() != nil {
				break
			}
			s.post(notSaved{err})
			retry = min(2*retry, saveRetryMax)
			select {
			case <-time.After(retry):
			case <-ctx.Done():
			}
		}
	}
}

// save writes visits, which are to be given again after an error. A panic is one.
func (s *saver) save(ctx context.Context, visits []*rooms.Visit, upTo uint64) (err error) {
	defer func() {
		if p := recover(); p != nil {
			s.metrics.panicked(s.log, "saver_panic", p)
			s.metrics.saveFailures.Inc()
			err = errInternal
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, saveTimeout)
	defer cancel()
	begin := time.Now()
	b := s.batch(visits, upTo)
	err = s.commit(ctx, b)
	s.metrics.saveSeconds.Observe(time.Since(begin).Seconds())
	if errors.Is(err, store.ErrConflict) {
		err = s.alreadyThere(ctx, b, err)
	}
	if err != nil {
		s.metrics.saveFailures.Inc()
		return err
	}
	s.wrote(upTo)
	return nil
}

// alreadyThere settles a conflict: a commit that seemed to fail had worked after all. What the store lacks is
// written again.
func (s *saver) alreadyThere(ctx context.Context, b store.Batch, conflict error) error {
	var missing []*rooms.Visit
	for _, v := range b.Visits {
		had, err := s.store.Visit(ctx, v.ID)
		switch {
		case errors.Is(err, store.ErrNotFound) || err == nil && had.Version < v.Version:
			missing = append(missing, v)
		case err != nil:
			return err
		case had.Version > v.Version:
			return conflict
		}
	}
	if len(missing) == 0 {
		// What can be read need not be on disk: the commit may have failed at its last sync. A write brings it there.
		return s.store.Ping(ctx)
	}
	b.Visits = missing
	return s.commit(ctx, b)
}

// saves holds the answers that wait for a save. It belongs to the actor.
type saves struct {
	last    uint64 // handed to the saver
	done    uint64 // durable
	pending []pendingAnswer
}

type pendingAnswer struct {
	save  uint64
	until time.Time
	tell  func(durable bool)
}

func (s *saves) begin() uint64 {
	s.last++
	return s.last
}

// whenDurable calls tell once everything decided so far is durable, or with false if that takes too long.
func (s *saves) whenDurable(now time.Time, tell func(durable bool)) {
	if s.done == s.last {
		tell(true)
		return
	}
	s.pending = append(s.pending, pendingAnswer{save: s.last, until: now.Add(ackTimeout), tell: tell})
}

func (s *saves) finish(upTo uint64) {
	s.done = max(s.done, upTo)
	s.release(true, func(p pendingAnswer) bool { return p.save <= s.done })
}

func (s *saves) failAll() { s.release(false, func(pendingAnswer) bool { return true }) }

func (s *saves) expire(now time.Time) {
	s.release(false, func(p pendingAnswer) bool { return !now.Before(p.until) })
}

// release answers those at the front that match; they are in order of save and of time.
func (s *saves) release(durable bool, match func(pendingAnswer) bool) {
	n := 0
	for n < len(s.pending) && match(s.pending[n]) {
		n++
	}
	ready := s.pending[:n]
	s.pending = s.pending[n:]
	for _, p := range ready {
		p.tell(durable)
	}
}

func (s *saves) next() (time.Time, bool) {
	if len(s.pending) == 0 {
		return time.Time{}, false
	}
	return s.pending[0].until, true
}
