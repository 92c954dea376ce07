package signaling

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
)

// scripted is a store that does what a test says at each commit, and remembers what it took.
type scripted struct {
	store.Store
	mu     sync.Mutex
	fails  []error // of the next commits, nil for success
	stored map[rooms.VisitID]*rooms.Visit
	pings  []error // of the next pings, nil for success
}

func (s *scripted) Commit(_ context.Context, b store.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if len(s.fails) > 0 {
		err, s.fails = s.fails[0], s.fails[1:]
	}
	if err != nil {
		return err
	}
	for _, v := range b.Visits {
		if had, ok := s.stored[v.ID]; ok && had.Version >= v.Version {
			return store.ErrConflict
		}
		s.stored[v.ID] = v
	}
	return nil
}

func (s *scripted) Ping(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.pings) == 0 {
		return errors.New("nobody was to ask")
	}
	err := s.pings[0]
	s.pings = s.pings[1:]
	return err
}

func (s *scripted) Visit(_ context.Context, id rooms.VisitID) (*rooms.Visit, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v, ok := s.stored[id]; ok {
		return v, nil
	}
	return nil, store.ErrNotFound
}

// saving runs a saver in a bubble of fake time and answers what it posted.
func saving(t *testing.T, s *scripted, drive func(*saver)) (events []event) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var mu sync.Mutex
		sv := newSaver("room", s, newMetrics(&Hub{}), func(e event) {
			mu.Lock()
			defer mu.Unlock()
			events = append(events, e)
		})
		done := make(chan struct{})
		go func() {
			defer close(done)
			sv.run(ctx)
		}()
		drive(sv)
		cancel()
		<-done
	})
	return events
}

func visitAt(version uint64) *rooms.Visit { return &rooms.Visit{ID: "v", Version: version} }

//nolint:forbidigo // it sleeps in a synctest bubble
func TestSaver_TriesUntilItIsSaved(t *testing.T) {
	s := &scripted{fails: []error{store.ErrUnavailable, store.ErrUnavailable, nil}, stored: map[rooms.VisitID]*rooms.Visit{}}
	events := saving(t, s, func(sv *saver) {
		sv.put(1, []*rooms.Visit{visitAt(1)})
		time.Sleep(time.Second) // of fake time: more than both retries
		synctest.Wait()
	})
	if len(events) != 3 || events[0] != (notSaved{store.ErrUnavailable}) || events[2].(saved).upTo != 1 || s.stored["v"].Version != 1 {
		t.Errorf("%+v", events)
	}
}

//nolint:forbidigo // it sleeps in a synctest bubble
func TestSaver_NewerReplacesWhatWaits(t *testing.T) {
	s := &scripted{fails: []error{store.ErrUnavailable}, stored: map[rooms.VisitID]*rooms.Visit{}}
	saving(t, s, func(sv *saver) {
		sv.put(1, []*rooms.Visit{visitAt(1)})
		synctest.Wait()
		sv.put(2, []*rooms.Visit{visitAt(2)})
		time.Sleep(time.Second)
		synctest.Wait()
	})
	if s.stored["v"].Version != 2 {
		t.Errorf("stored %d", s.stored["v"].Version)
	}
}

func TestSaver_ACommitThatSeemedToFailIsNotAFault(t *testing.T) {
	s := &scripted{stored: map[rooms.VisitID]*rooms.Visit{"v": visitAt(1)}}
	events := saving(t, s, func(sv *saver) {
		sv.put(1, []*rooms.Visit{visitAt(1), {ID: "w", Version: 1}})
		synctest.Wait()
	})
	if len(events) != 1 || s.stored["w"] == nil {
		t.Errorf("%+v, %+v", events, s.stored)
	}
}

// A commit that failed at its last sync can be read, and is lost in a power cut all the same.
//
//nolint:forbidigo // it sleeps in a synctest bubble
func TestSaver_WhatCanBeReadIsAnsweredOnceAWriteHasWorked(t *testing.T) {
	s := &scripted{stored: map[rooms.VisitID]*rooms.Visit{"v": visitAt(1)}, pings: []error{store.ErrUnavailable, nil}}
	events := saving(t, s, func(sv *saver) {
		sv.put(1, []*rooms.Visit{visitAt(1)})
		time.Sleep(time.Second)
		synctest.Wait()
	})
	if len(events) != 2 || events[0] != (notSaved{store.ErrUnavailable}) || events[1].(saved).upTo != 1 {
		t.Errorf("%+v", events)
	}
}

func TestSaver_SavesWhatIsLeftWhenItStops(t *testing.T) {
	s := &scripted{fails: []error{errors.New("down")}, stored: map[rooms.VisitID]*rooms.Visit{}}
	saving(t, s, func(sv *saver) {
		sv.put(1, []*rooms.Visit{visitAt(1)})
		synctest.Wait() // it waits for its next try
	})
	if s.stored["v"] == nil {
		t.Error("lost")
	}
}

func TestSaves_AnswerInOrderOnceDurable(t *testing.T) {
	var s saves
	var told []string
	tell := func(name string) func(bool) {
		return func(ok bool) {
			if !ok {
				name = "not " + name
			}
			told = append(told, name)
		}
	}
	now := time.Unix(1000, 0)
	s.whenDurable(now, tell("nothing to wait for"))
	s.begin()
	s.whenDurable(now, tell("one"))
	s.begin()
	s.whenDurable(now, tell("two"))
	s.begin()
	s.whenDurable(now.Add(time.Second), tell("three"))
	s.finish(2)
	s.expire(now.Add(ackTimeout))
	if at, ok := s.next(); !ok || !at.Equal(now.Add(time.Second+ackTimeout)) {
		t.Errorf("next %v", at)
	}
	s.expire(now.Add(ackTimeout + time.Second))
	want := []string{"nothing to wait for", "one", "two", "not three"}
	if len(told) != len(want) {
		t.Fatalf("%q", told)
	}
	for i := range want {
		if told[i] != want[i] {
			t.Errorf("%q", told)
		}
	}
}
