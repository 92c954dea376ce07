package signaling

import (
	"context"
	"errors"
	"testing"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/rooms/store/storetest"
)

// tiny is a store that takes the little of a Ping at all times, as a disk that is all but full does.
type tiny struct{ *storetest.FaultyStore }

func (tiny) Ping(context.Context) error { return nil }

func TestReady_WhatARoomCannotSave_CountsThoughTheStoreCanBeWritten(t *testing.T) {
	var faulty *storetest.FaultyStore
	w := newWorld(t, func(s store.Store) store.Store { faulty = storetest.Faulty(s); return tiny{faulty} })
	maria := w.visit("Maria")
	w.must(w.hub.Ready())
	faulty.Stop()
	for range 2 { // counted once
		if _, err := w.do(maria.Visit, rooms.Revoke{Seat: maria.Seat}); !errors.Is(err, ErrRetry) {
			t.Fatal(err)
		}
		if err := w.hub.Ready(); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("ready with something unsaved: %v", err)
		}
	}
	faulty.Resume()
	_, err := w.do(maria.Visit, rooms.Cancel{}) // answered when all before it is saved
	w.must(err)
	w.must(w.hub.Ready())
}
