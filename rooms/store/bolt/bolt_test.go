package bolt

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	"go.uber.org/goleak"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/rooms/store/storetest"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(crashFile); path != "" {
		writeUntilKilled(path)
		return
	}
	goleak.VerifyTestMain(m)
}

func open(t *testing.T, path string) *DB {
	t.Helper()
	db, err := Open(path, Options{LockTimeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func file(t *testing.T) string { return filepath.Join(t.TempDir(), "data.db") }

func batchOf(n int, version uint64) store.Batch {
	v := &rooms.Visit{ID: rooms.VisitID(fmt.Sprintf("visit%06d", n)), Room: "room", Version: version}
	return store.Batch{Room: v.Room, Visits: []*rooms.Visit{v}}
}

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, file(t)) })
}

func TestConformance_ThroughFaulty(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return storetest.Faulty(open(t, file(t))) })
}

func TestOpen_FileIsForItsOwnerOnly(t *testing.T) {
	path := file(t)
	open(t, path)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v %v", info.Mode(), err)
	}
}

func TestOpen_SecondTimeIsRefusedClearly(t *testing.T) {
	path := file(t)
	open(t, path)
	_, err := Open(path, Options{LockTimeout: 10 * time.Millisecond})
	if !errors.Is(err, store.ErrUnavailable) || err.Error() != "bolt: "+path+" is in use by another process: store: unavailable" {
		t.Fatal(err)
	}
}

func TestOpen_NotADatabase(t *testing.T) {
	path := file(t)
	if err := os.WriteFile(path, make([]byte, 1<<16), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, Options{}); err == nil {
		t.Fatal("opened")
	}
}

func TestOpen_DataIsThereAgain(t *testing.T) {
	path := file(t)
	db := open(t, path)
	if err := db.Commit(t.Context(), batchOf(1, 3)); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	v, err := open(t, path).Visit(t.Context(), batchOf(1, 3).Visits[0].ID)
	if err != nil || v.Version != 3 {
		t.Fatal(v, err)
	}
}

func TestMigrate(t *testing.T) {
	var ran []int
	step := func(n int) func(*bbolt.Tx) error {
		return func(*bbolt.Tx) error { ran = append(ran, n); return nil }
	}
	boom := errors.New("boom")
	raw, err := bbolt.Open(file(t), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	for _, c := range []struct {
		name  string
		steps []func(*bbolt.Tx) error
		ran   string
		err   error
	}{
		{"an empty file takes all steps", []func(*bbolt.Tx) error{step(1), step(2)}, "[1 2]", nil},
		{"a current file takes none", []func(*bbolt.Tx) error{step(1), step(2)}, "[]", nil},
		{"a step that fails takes back those before it", []func(*bbolt.Tx) error{
			step(1), step(2), step(3), func(*bbolt.Tx) error { return boom },
		}, "[3]", boom},
		{"an older file takes the missing ones", []func(*bbolt.Tx) error{step(1), step(2), step(3)}, "[3]", nil},
		{"a newer file is refused", []func(*bbolt.Tx) error{step(1), step(2)}, "[]", store.ErrSchema},
	} {
		t.Run(c.name, func(t *testing.T) {
			ran = nil
			if err := migrate(raw, c.steps); !errors.Is(err, c.err) {
				t.Errorf("error %v, want %v", err, c.err)
			}
			if fmt.Sprint(ran) != c.ran {
				t.Errorf("ran %v, want %s", ran, c.ran)
			}
		})
	}
}

func TestOpen_NewerOrUnreadableSchemaIsRefusedAndLetGo(t *testing.T) {
	for _, schema := range []string{"4", "0", "-1", "x", ""} {
		path := file(t)
		db := open(t, path)
		err := db.file.Update(func(tx *bbolt.Tx) error { return tx.Bucket(bucketMeta).Put(keySchema, []byte(schema)) })
		if err != nil || db.Close() != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time shows that the first let go of the lock
			if _, err := Open(path, Options{LockTimeout: 10 * time.Millisecond}); !errors.Is(err, store.ErrSchema) {
				t.Fatalf("schema %q: %v", schema, err)
			}
		}
	}
}

func TestCommit_ThoseWhoWaitShareATransaction(t *testing.T) {
	db := open(t, file(t))
	before := txs(t, db)
	const commits = 200
	hold := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		err := db.update(t.Context(), func(*bbolt.Tx) error { <-hold; return nil })
		if err != nil {
			t.Error(err)
		}
	})
	for n := range commits {
		wg.Go(func() {
			if err := db.Commit(t.Context(), batchOf(n, 1)); err != nil {
				t.Error(err)
			}
		})
	}
	close(hold)
	wg.Wait()
	if used := txs(t, db) - before; used > commits/2 {
		t.Errorf("%d commits took %d transactions", commits, used)
	}
}

func TestCommit_AConflictDoesNotHarmItsNeighbours(t *testing.T) {
	db := open(t, file(t))
	if err := db.Commit(t.Context(), batchOf(0, 9)); err != nil {
		t.Fatal(err)
	}
	group := make([]*write, 3)
	for i, b := range []store.Batch{batchOf(1, 1), batchOf(0, 9), batchOf(2, 1)} {
		group[i] = &write{done: make(chan struct{}), do: func(tx *bbolt.Tx) error {
			if _, err := newer(tx.Bucket(bucketVisits), b); err != nil {
				return err
			}
			return put(tx.Bucket(bucketVisits), []byte(b.Visits[0].ID), b.Visits[0])
		}}
	}
	db.commit(group)
	if group[0].err != nil || !errors.Is(group[1].err, store.ErrConflict) || group[2].err != nil {
		t.Fatal(group[0].err, group[1].err, group[2].err)
	}
	for _, n := range []int{1, 2} {
		if _, err := db.Visit(t.Context(), batchOf(n, 1).Visits[0].ID); err != nil {
			t.Error(err)
		}
	}
}

func TestCommit_AFailedTransactionIsAnsweredToAllAndKeepsNothing(t *testing.T) {
	db := open(t, file(t))
	boom := errors.New("no space left on device")
	good := &write{done: make(chan struct{}), do: func(tx *bbolt.Tx) error {
		return put(tx.Bucket(bucketVisits), []byte("v"), rooms.Visit{})
	}}
	bad := &write{done: make(chan struct{}), do: func(*bbolt.Tx) error { return boom }}
	db.commit([]*write{good, bad})
	for _, w := range []*write{good, bad} {
		<-w.done
		if !errors.Is(w.err, store.ErrUnavailable) || !errors.Is(w.err, boom) {
			t.Error(w.err)
		}
	}
	if _, err := db.Visit(t.Context(), "v"); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	if err := db.Commit(t.Context(), batchOf(1, 1)); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestReserve_TheKeyItselfIsNotInTheFile(t *testing.T) {
	path := file(t)
	db := open(t, path)
	const marker = "MRN-7781-MARKER"
	_, _, err := db.Reserve(t.Context(), store.Reservation{Clinic: "c", Kind: store.KindExternal, Key: marker, Visit: "v"})
	if err != nil {
		t.Fatal(err)
	}
	mustNotContain(t, path, marker)
}

func BenchmarkCommit(b *testing.B) {
	for _, writers := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			db, err := Open(filepath.Join(b.TempDir(), "data.db"), Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			next := make(chan int)
			var wg sync.WaitGroup
			for range writers {
				wg.Go(func() {
					for n := range next {
						if err := db.Commit(b.Context(), batchOf(n%1000, uint64(n+1))); err != nil {
							b.Error(err)
						}
					}
				})
			}
			for n := range b.N {
				next <- n
			}
			close(next)
			wg.Wait()
		})
	}
}

// txs is how many transactions the file has seen.
func txs(t *testing.T, db *DB) int {
	t.Helper()
	id := 0
	err := db.file.View(func(tx *bbolt.Tx) error { id = tx.ID(); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return id
}
