package bolt

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/rooms/store/storetest"
)

// marker is what nobody may find in a file.
const marker = "Zaphod Beeblebrox"

// marked counts the markers in a file, used or not.
func marked(t *testing.T, path string) int {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(raw, []byte(marker))
}

// personal is a visit with as many markers as its reason is long.
func personal(n int, version uint64, markers int) store.Batch {
	b := batchOf(n, version)
	b.Visits[0].Reason = strings.Repeat(marker, markers)
	return b
}

func erased(n int, version uint64) store.Batch {
	b := batchOf(n, version)
	b.Visits[0].ErasedAt = time.Now()
	return b
}

func commit(t *testing.T, db *DB, b store.Batch) {
	t.Helper()
	if err := db.Commit(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

// grow makes room, because a writer that needs more waits until nobody reads.
func grow(t *testing.T, db *DB) {
	t.Helper()
	commit(t, db, personal(999, 1, 500_000))
	commit(t, db, erased(999, 2))
}

// later is when the writer has scrubbed, in a bubble's time.
func later(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // in a testing/synctest bubble, where it takes no time
	synctest.Wait()
}

func TestScrub_WhatWasErased_IsNowhereInTheFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := file(t)
		db := open(t, path)
		const visits = 40
		for n := range visits {
			for version := range uint64(3) { // of which the older stay behind in free pages
				commit(t, db, personal(n, version+1, 1+400*(n%3))) // over several pages, some of them
			}
		}
		if marked(t, path) == 0 {
			t.Fatal("nothing to erase")
		}
		for n := range visits {
			commit(t, db, erased(n, 4))
		}
		if marked(t, path) == 0 {
			t.Fatal("bbolt leaves nothing behind any more: then all this is not needed")
		}
		later(scrubEvery + time.Second)
		if n := marked(t, path); n != 0 {
			t.Errorf("%d are left", n)
		}
		check(t, db)
		for n := range visits {
			if v, err := db.Visit(t.Context(), batchOf(n, 1).Visits[0].ID); err != nil || v.Version != 4 {
				t.Errorf("visit %d: %+v, %v", n, v, err)
			}
		}
	})
}

func TestScrub_WhatIsReplaced_IsThereOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := file(t)
		db := open(t, path)
		for version := range uint64(20) {
			commit(t, db, personal(1, version+1, 5))
		}
		later(scrubEvery + time.Second)
		if n := marked(t, path); n != 5 {
			t.Errorf("%d, and 5 are in use", n)
		}
	})
}

func TestScrub_WhatAKilledProcessLeft_IsGoneAfterTheNextStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := file(t)
		db := open(t, path)
		commit(t, db, personal(1, 1, 900))
		commit(t, db, erased(1, 2))
		killed, err := os.ReadFile(path) // as kill -9 would leave it
		if err != nil {
			t.Fatal(err)
		}
		other := file(t)
		if err := os.WriteFile(other, killed, 0o600); err != nil {
			t.Fatal(err)
		}
		if marked(t, other) == 0 {
			t.Fatal("nothing was left")
		}
		again := open(t, other)
		later(scrubEvery + time.Second)
		if n := marked(t, other); n != 0 {
			t.Errorf("%d are left", n)
		}
		check(t, again)
	})
}

func TestScrub_TheEndOfTheServer_LeavesNothingEither(t *testing.T) {
	path := file(t)
	db := open(t, path)
	commit(t, db, personal(1, 1, 900))
	commit(t, db, erased(1, 2))
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if n := marked(t, path); n != 0 {
		t.Errorf("%d are left", n)
	}
	storetest.CheckFile(t, path)
}

func TestScrub_WhoStillReads_ReadsOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := file(t)
		db := open(t, path)
		grow(t, db)
		commit(t, db, personal(1, 1, 900))
		reader, err := db.file.Begin(false)
		if err != nil {
			t.Fatal(err)
		}
		commit(t, db, erased(1, 2))
		later(3 * scrubEvery)
		var v rooms.Visit
		if err := get(reader.Bucket(bucketVisits), []byte(batchOf(1, 1).Visits[0].ID), &v); err != nil || strings.Count(v.Reason, marker) != 900 {
			t.Errorf("%d characters, %v", len(v.Reason), err)
		}
		if err := reader.Rollback(); err != nil {
			t.Fatal(err)
		}
		later(scrubEvery + time.Second)
		if n := marked(t, path); n != 0 {
			t.Errorf("%d are left when nobody reads any more", n)
		}
	})
}

func TestScrub_AFileThatIsNotWritten_IsNotTouched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := file(t)
		db := open(t, path)
		commit(t, db, personal(1, 1, 1))
		later(2 * scrubEvery)
		if db.scrub.set {
			t.Error("there is nothing to wait for")
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		open(t, path)
		later(2 * scrubEvery)
		if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, before) {
			t.Errorf("written to: %v", err)
		}
	})
}

// TestScrub_AmongAnything_HarmsNothing has random writes, reads that last and failed writes between scrubs, each of which may be cut off
// at any page.
func TestScrub_AmongAnything_HarmsNothing(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { amongAnything(t, rand.New(rand.NewPCG(seed, 0))) }) //nolint:gosec // a test repeats it
		})
	}
}

// snapshot is a reader that began at some time, and what there was.
type snapshot struct {
	tx   *bbolt.Tx
	here map[int]string
}

func amongAnything(t *testing.T, random *rand.Rand) {
	path := file(t)
	db := open(t, path)
	grow(t, db)
	here, versions := map[int]string{}, map[int]uint64{}
	var readers []snapshot
	for range 300 {
		switch n := random.IntN(60); random.IntN(8) {
		case 0:
			tx, err := db.file.Begin(false)
			if err != nil {
				t.Fatal(err)
			}
			readers = append(readers, snapshot{tx, maps.Clone(here)})
		case 1, 2:
			if len(readers) > 0 {
				readers[0].end(t)
				readers = readers[1:]
			}
		case 3:
			later(scrubEvery + time.Second)
			check(t, db)
		case 4:
			err := db.update(t.Context(), func(tx *bbolt.Tx) error {
				_ = put(tx.Bucket(bucketVisits), []byte("half"), strings.Repeat(marker, 500))
				panic("half done")
			})
			if !errors.Is(err, store.ErrUnavailable) {
				t.Errorf("a write that panics: %v", err)
			}
		default:
			versions[n]++
			b := personal(n, versions[n], random.IntN(700))
			here[n] = b.Visits[0].Reason
			commit(t, db, b)
		}
	}
	for _, r := range readers {
		r.end(t)
	}
	later(2*scrubEvery + time.Second)
	check(t, db)
	want := 0
	for n, reason := range here {
		want += strings.Count(reason, marker)
		if v, err := db.Visit(t.Context(), batchOf(n, 1).Visits[0].ID); err != nil || v.Reason != reason {
			t.Errorf("visit %d: %d characters, not %d, %v", n, len(v.Reason), len(reason), err)
		}
	}
	if got := marked(t, path); got != want {
		t.Errorf("%d markers, %d are in use", got, want)
	}
}

// end asks that all is as it was when the reader began.
func (s snapshot) end(t *testing.T) {
	t.Helper()
	for n, reason := range s.here {
		var v rooms.Visit
		raw := s.tx.Bucket(bucketVisits).Get([]byte(batchOf(n, 1).Visits[0].ID))
		if err := json.Unmarshal(raw, &v); err != nil || v.Reason != reason {
			t.Errorf("a reader's visit %d: %d characters, not %d, %v", n, len(v.Reason), len(reason), err)
		}
	}
	if err := s.tx.Rollback(); err != nil {
		t.Error(err)
	}
}

// A file that is laid out otherwise than is known is left alone.
func TestScrub_AnotherLayout_IsRefused(t *testing.T) {
	path := file(t)
	db := open(t, path)
	commit(t, db, personal(1, 1, 1))
	m, err := db.scrub.newest()
	if err != nil {
		t.Fatal(err)
	}
	good, err := db.scrub.freeList(m)
	if err != nil || len(good) == 0 {
		t.Fatal(good, err)
	}
	for name, wrong := range map[string]func(*meta){
		"root free":           func(m *meta) { m.root = good[0] },
		"list elsewhere":      func(m *meta) { m.freeList = m.root },
		"fewer pages":         func(m *meta) { m.pages = m.freeList },
		"free page is last":   func(m *meta) { m.pages = good[len(good)-1] },
		"beyond the file":     func(m *meta) { m.freeList = 1 << 20 },
		"list in the metas":   func(m *meta) { m.freeList = 1 },
		"pages of other size": func(m *meta) { m.pageSize = 512 },
	} {
		bad := m
		wrong(&bad)
		if ids, err := db.scrub.freeList(bad); err == nil && name != "pages of other size" {
			t.Errorf("%s: %v", name, ids)
		}
	}
	page := make([]byte, pageHeader+metaSize)
	if _, err := db.scrub.raw.ReadAt(page, 0); err != nil {
		t.Fatal(err)
	}
	if _, ok := parseMeta(page); !ok {
		t.Fatal("a good one is refused")
	}
	for i := range page {
		bad := bytes.Clone(page)
		bad[i] ^= 1
		if _, ok := parseMeta(bad); ok && (i >= pageHeader || i == pageFlagsAt) {
			t.Errorf("byte %d changed: taken", i)
		}
	}
}
