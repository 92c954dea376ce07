package bolt

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
)

// alone runs the test in a process of its own and reports whether this is it: a limit on files is a whole process's, and the test
// framework of this one writes files too.
func alone(t *testing.T) bool {
	t.Helper()
	const mark = "ANTEROOM_TEST_ALONE"
	if os.Getenv(mark) != "" {
		return true
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v") //nolint:gosec // ourselves
	cmd.Env = append(os.Environ(), mark+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("%v\n%s", err, out)
	}
	return false
}

// limitFiles has the kernel refuse this process's writes behind so many bytes of any file, as a disk that is full there:
// a write that begins before is cut short. It answers how to lift the limit.
func limitFiles(t *testing.T, bytes uint64) (lift func()) {
	t.Helper()
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: bytes, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &before); err != nil {
			t.Error(err)
		}
	}
}

// TestDiskFull_AtEveryPageOfACommit_NothingIsHalfThere has the disk end at each page that a commit may write to, and
// in the middle of each.
func TestDiskFull_AtEveryPageOfACommit_NothingIsHalfThere(t *testing.T) {
	if !alone(t) {
		return
	}
	path := file(t)
	db := open(t, path)
	const visits = 8
	version := uint64(1)
	batch := func() store.Batch {
		var b store.Batch
		for n := range visits { // longer and longer, so that pages overflow and the file grows
			v := *batchOf(n, version).Visits[0]
			v.Reason = strings.Repeat("x", int(version*uint64(37*n)%9000)) //nolint:gosec // small
			b.Room, b.Visits = v.Room, append(b.Visits, &v)
		}
		return b
	}
	if err := db.Commit(t.Context(), batch()); err != nil {
		t.Fatal(err)
	}
	page := os.Getpagesize()
	done, failed := 0, 0
	for end := 0; end < 80*page; end += page / 2 {
		version++
		lift := limitFiles(t, uint64(end)) //nolint:gosec // not negative
		err := db.Commit(t.Context(), batch())
		ping := db.Ping(t.Context())
		lift()
		switch {
		case err == nil:
			done++
		case errors.Is(err, store.ErrUnavailable):
			failed++
			version--
			if end == 0 && ping == nil {
				t.Error("the store can be written, says Ping, on a disk that takes nothing")
			}
		default:
			t.Fatal(err)
		}
		isAt(t, db, visits, version)
		check(t, db)

		version++ // and by itself it works again
		if err := db.Commit(t.Context(), batch()); err != nil {
			t.Fatalf("afterwards, with the end at %d: %v", end, err)
		}
		if end%(16*page) == 0 {
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			db = open(t, path)
		}
		isAt(t, db, visits, version)
		check(t, db)
	}
	t.Logf("%d commits were done, %d failed", done, failed)
	if done == 0 || failed == 0 {
		t.Error("only one side was tried")
	}
}

// isAt asks that all visits of a batch have a version.
func isAt(t *testing.T, db *DB, visits int, version uint64) {
	t.Helper()
	for n := range visits {
		if v, err := db.Visit(t.Context(), batchOf(n, 1).Visits[0].ID); err != nil || v.Version != version {
			t.Fatalf("visit %d: %+v, %v; not version %d", n, v, err, version)
		}
	}
}

// A disk that takes nothing does not keep a server from starting, since there is nothing to write.
func TestOpen_DiskFull_CurrentFileIsOpenedAndRead(t *testing.T) {
	if !alone(t) {
		return
	}
	path := file(t)
	db := open(t, path)
	if err := errors.Join(db.Commit(t.Context(), batchOf(1, 3)), db.Close()); err != nil {
		t.Fatal(err)
	}
	lift := limitFiles(t, 0)
	db, err := Open(path, Options{})
	lift()
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	isVersion := func(n int, want uint64) {
		if v, err := db.Visit(t.Context(), rooms.VisitID(fmt.Sprintf("visit%06d", n))); err != nil || v.Version != want {
			t.Error(v, err)
		}
	}
	isVersion(1, 3)
	if err := db.Commit(t.Context(), batchOf(1, 4)); err != nil {
		t.Error(err)
	}
	isVersion(1, 4)
}
