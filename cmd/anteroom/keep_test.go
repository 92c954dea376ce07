package main

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/rooms/store/bolt"
)

// changing is a store that is another one from one moment to the next.
type changing struct{ store.Store }

// openBolt is an empty store in a file of its own.
func openBolt(t *testing.T) store.Store {
	t.Helper()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "store"), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// openFurnished is a store with one record of each kind of the directory.
func openFurnished(t *testing.T) store.Store {
	t.Helper()
	db, ctx := openBolt(t), t.Context()
	for _, err := range []error{
		db.PutClinic(ctx, rooms.Clinic{ID: "c", Name: "Hill Clinic"}), db.PutRoom(ctx, rooms.WaitingRoom{ID: "r", Clinic: "c"}),
		db.PutStaff(ctx, rooms.Staff{ID: "s", Clinic: "c"}), db.PutKey(ctx, rooms.APIKey{ID: "k", Clinic: "c", Hash: [32]byte{1}}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return db
}

func TestKeeper_TheStoreIsEmpty_GetsTheDirectoryBack(t *testing.T) {
	for _, by := range []string{"sign", "look"} {
		t.Run(by, func(t *testing.T) {
			ctx, empty := t.Context(), openBolt(t)
			st := &changing{openFurnished(t)}
			k := newKeeper(st, zap.NewNop())
			k.look(ctx)
			st.Store = empty
			if by == "sign" {
				k.hear()
				<-k.lost
				k.refill(ctx)
			} else {
				k.look(ctx)
			}
			for _, err := range []error{
				second(empty.Clinic(ctx, "c")), second(empty.Room(ctx, "r")), second(empty.Staff(ctx, "s")), second(empty.KeyByHash(ctx, [32]byte{1})),
			} {
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// lastClinic says of a clinic that is written whether all that belongs to it is there by then.
type lastClinic struct {
	store.Store
	early int
}

func (l *lastClinic) PutClinic(ctx context.Context, c rooms.Clinic) error {
	for _, err := range []error{
		second(l.Room(ctx, "r")), second(l.Staff(ctx, "s")), second(l.KeyByHash(ctx, [32]byte{1})),
	} {
		if err != nil {
			l.early++
		}
	}
	return l.Store.PutClinic(ctx, c)
}

func TestKeeper_WhoFindsAClinicAgain_FindsAllThatBelongsToIt(t *testing.T) {
	ctx, empty := t.Context(), openBolt(t)
	st := &changing{openFurnished(t)}
	k := newKeeper(st, zap.NewNop())
	k.look(ctx)
	watched := &lastClinic{Store: empty}
	st.Store = watched
	k.refill(ctx)
	if _, err := empty.Clinic(ctx, "c"); err != nil || watched.early != 0 {
		t.Errorf("%v; %d records came after their clinic", err, watched.early)
	}
}

func TestKeeper_KeepsWhatHasChanged_AndNowAndThenAll(t *testing.T) {
	db := openBolt(t)
	for _, told := range []bool{true, false} {
		k := newKeeper(db, zap.NewNop())
		ctx, cancel := context.WithCancel(t.Context())
		tick, done := make(chan time.Time), make(chan struct{})
		go func() {
			defer close(done)
			k.run(ctx, tick)
		}()
		tick <- time.Time{} // it has looked once
		if err := db.PutClinic(ctx, rooms.Clinic{ID: rooms.ClinicID(fmt.Sprint(told))}); err != nil {
			t.Fatal(err)
		}
		ticks := keepEvery
		if told {
			k.changed()
			ticks = 1
		}
		for range ticks + 1 { // the last is taken when the one before has been seen to
			tick <- time.Time{}
		}
		cancel()
		<-done
		if want := map[bool]int{true: 1, false: 2}[told]; k.kept.Clinics() != want {
			t.Errorf("told %v: %d clinics are kept instead of %d", told, k.kept.Clinics(), want)
		}
	}
}

func TestKeeper_EndsWithItsContext(t *testing.T) {
	db := openBolt(t)
	k := newKeeper(db, zap.NewNop())
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		k.run(ctx, make(chan time.Time))
	}()
	cancel()
	<-done
}

func second[A any](_ A, err error) error { return err }
