package bolt

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

// crashFile makes this test binary the child of TestKill: it names the file to write.
const crashFile = "ANTEROOM_TEST_CRASH_FILE"

const crashWriters = 4

// writeUntilKilled commits ever newer versions of some visits, several at once, and prints
// "visit version" for each that was acknowledged.
func writeUntilKilled(path string) {
	db, err := Open(path, Options{scrub: time.Millisecond}) // so that it dies among writes over free pages, too
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var wg sync.WaitGroup
	for n := range crashWriters {
		wg.Go(func() {
			version := uint64(1)
			if v, err := db.Visit(context.Background(), batchOf(n, 1).Visits[0].ID); err == nil {
				version = v.Version + 1
			}
			for ; ; version++ {
				b := batchOf(n, version)
				pair := *b.Visits[0] // two visits of a batch must always have the same version
				pair.ID += "-pair"
				b.Visits = append(b.Visits, &pair)
				if err := db.Commit(context.Background(), b); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				fmt.Fprintf(os.Stdout, "%d %d\n", n, version)
			}
		})
	}
	wg.Wait()
}

// TestKill_NothingAcknowledgedIsLost kills a writing process with SIGKILL again and again.
func TestKill_NothingAcknowledgedIsLost(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data.db")
	kills := 8
	if testing.Short() {
		kills = 2
	}
	acknowledged := make(map[int]uint64)
	for kill := range kills {
		writeAndKill(t, path, 20+13*kill, acknowledged)
		db := open(t, path)
		for n := range crashWriters {
			id := batchOf(n, 1).Visits[0].ID
			v, err := db.Visit(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			if v.Version < acknowledged[n] || v.Version > acknowledged[n]+1 {
				t.Errorf("visit %d has version %d, acknowledged was %d", n, v.Version, acknowledged[n])
			}
			if pair, err := db.Visit(t.Context(), id+"-pair"); err != nil || pair.Version != v.Version {
				t.Errorf("half a batch: %d, %+v, %v", v.Version, pair, err)
			}
		}
		check(t, db)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// writeAndKill runs a child until it has acknowledged so many commits, kills it, and notes all that
// it acknowledged.
func writeAndKill(t *testing.T, path string, commits int, acknowledged map[int]uint64) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0]) //nolint:gosec // this very binary
	child.Env = append(os.Environ(), crashFile+"="+path)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for seen := 0; lines.Scan(); seen++ {
		if seen == commits {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
		note(t, lines.Bytes(), acknowledged)
	}
	if err := child.Wait(); err == nil || child.ProcessState.Exited() {
		t.Fatalf("the child was not killed: %v", err)
	}
}

// note ignores a line that the kill cut short.
func note(t *testing.T, line []byte, acknowledged map[int]uint64) {
	t.Helper()
	n, version, whole := bytes.Cut(line, []byte(" "))
	if !whole {
		return
	}
	visit, err := strconv.Atoi(string(n))
	if err != nil {
		t.Fatalf("the child wrote %q", line)
	}
	if v, err := strconv.ParseUint(string(version), 10, 64); err == nil {
		acknowledged[visit] = max(acknowledged[visit], v)
	}
}

// check walks every page of the file.
func check(t *testing.T, db *DB) {
	t.Helper()
	err := db.file.View(func(tx *bbolt.Tx) error {
		for err := range tx.Check() {
			t.Error(err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func mustNotContain(t *testing.T, path, marker string) {
	t.Helper()
	raw, err := os.ReadFile(path) //nolint:gosec // the test's own file
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(raw, []byte(marker)) {
		t.Errorf("%q is in the file", marker)
	}
}
