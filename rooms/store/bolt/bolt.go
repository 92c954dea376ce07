package bolt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/anteroom/anteroom/rooms/store"
)

// Options of Open. The zero value is good.
type Options struct {
	LockTimeout time.Duration // how long to wait for another process to let go of the file; 0: 1 s

	scrub time.Duration // after a write, until what it replaced is written over; 0: scrubEvery
}

// maxGroup bounds how many writes share a transaction.
const maxGroup = 256

// DB is a store.Store in one file.
type DB struct {
	file   *bbolt.DB
	scrub  *scrubber // the writer's
	writes chan *write
	stop   chan struct{}
	done   chan struct{}
	close  func() error
	leases leases
}

var _ store.Store = (*DB)(nil)

// write is one caller's part of a transaction. do must find any reason to refuse before it writes: a refusal
// concerns its caller alone, any other error fails the transaction.
type write struct {
	do   func(*bbolt.Tx) error
	err  error
	done chan struct{}
}

// Open opens or creates the file, which only its owner can read, and brings it to the present schema. A
// file that another process has open, or that a newer version has written, is refused.
func Open(path string, o Options) (*DB, error) {
	timeout := o.LockTimeout
	if timeout == 0 {
		timeout = time.Second
	}
	var raw *os.File
	file, err := bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout: timeout, FreelistType: bbolt.FreelistMapType,
		OpenFile: func(name string, flag int, perm os.FileMode) (f *os.File, err error) {
			f, err = os.OpenFile(name, flag, perm)
			raw = f
			return f, err
		},
	})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("bolt: %s is in use by another process: %w", path, store.ErrUnavailable)
	}
	if err != nil {
		return nil, fmt.Errorf("bolt: open %s: %w", path, err)
	}
	if err := migrate(file, migrations); err != nil {
		return nil, errors.Join(fmt.Errorf("bolt: %s: %w", path, err), file.Close())
	}
	db := &DB{
		file:   file,
		scrub:  newScrubber(file, raw, o.scrub),
		writes: make(chan *write),
		stop:   make(chan struct{}),
		done:   make(chan struct{}),
		leases: newLeases(),
	}
	db.close = sync.OnceValue(func() error {
		close(db.stop)
		<-db.done
		return file.Close()
	})
	go db.run()
	return db, nil
}

// Close finishes the writes under way. Later calls of any method answer ErrUnavailable.
func (db *DB) Close() error { return db.close() }

// Ping writes an empty transaction.
func (db *DB) Ping(ctx context.Context) error {
	return db.update(ctx, func(*bbolt.Tx) error { return nil })
}

// run is the writer. The channel has no buffer, so that whoever waits while a transaction is being
// synced is found by gather, and whoever was taken is answered.
func (db *DB) run() {
	defer close(db.done)
	for {
		select {
		case <-db.stop:
			db.scrub.finish()
			return
		case w := <-db.writes:
			db.commit(db.gather(w))
		case <-db.scrub.timer.C:
			db.scrub.turn()
		}
	}
}

func (db *DB) gather(first *write) []*write {
	group := []*write{first}
	for len(group) < maxGroup {
		select {
		case w := <-db.writes:
			group = append(group, w)
		default:
			return group
		}
	}
	return group
}

func (db *DB) commit(group []*write) {
	err := db.file.Update(func(tx *bbolt.Tx) error {
		for _, w := range group {
			if w.err = w.attempt(tx); w.err != nil && !refusal(w.err) {
				return w.err
			}
		}
		return nil
	})
	db.scrub.written(err)
	for _, w := range group {
		if err != nil {
			w.err = unavailable(err)
		}
		close(w.done)
	}
}

// errPanicked is why a transaction fails in which a caller's part panicked. bbolt has undone it then.
var errPanicked = errors.New("bolt: a write panicked")

func (w *write) attempt(tx *bbolt.Tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errPanicked
			if own, ok := p.(runtime.Error); ok { // other values may hold what was to be written
				err = fmt.Errorf("%w: %w", errPanicked, own)
			}
		}
	}()
	return w.do(tx)
}

// refusal tells whether err says no to one caller, and nothing of the file.
func refusal(err error) bool {
	for _, refused := range []error{store.ErrConflict, store.ErrFenced, store.ErrBehind, store.ErrNotFound} {
		if errors.Is(err, refused) {
			return true
		}
	}
	return false
}

// update answers when what do wrote is durable.
func (db *DB) update(ctx context.Context, do func(*bbolt.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w := &write{do: do, done: make(chan struct{})}
	select {
	case db.writes <- w:
	case <-db.stop:
		return unavailable(bolterrors.ErrDatabaseNotOpen)
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-w.done:
		return w.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// view reads a consistent state. It passes ErrNotFound on; any other error means that the file cannot be read.
func (db *DB) view(ctx context.Context, read func(*bbolt.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := db.file.View(read)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return unavailable(err)
	}
	return err
}

func unavailable(err error) error { return fmt.Errorf("bolt: %w: %w", store.ErrUnavailable, err) }
