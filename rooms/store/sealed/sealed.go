package sealed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
)

// unknownEvery is how often the source is read again at most because a key is not known.
const unknownEvery = time.Second

// Options of New. Source is needed.
type Options struct {
	// Source reads the file of keys. It is called at first, by Reload, and when a record names a key that is not known: another
	// instance may have read the file before.
	Source func() ([]byte, error)
	// Plain lets records that are not sealed be read, as they were before there was sealing.
	Plain bool
}

// DB is a store.Store whose records are sealed. Close closes what is below.
type DB struct {
	store.Store
	source func() ([]byte, error)
	plain  bool
	keys   atomic.Pointer[Keys]

	mu   sync.Mutex
	text []byte    // of the keys
	read time.Time // when the source was last read
}

var _ store.Store = (*DB)(nil)

// New wraps a store. A source that cannot be read, or holds no keys, is an error.
func New(below store.Store, o Options) (*DB, error) {
	db := &DB{Store: below, source: o.Source, plain: o.Plain}
	if _, err := db.Reload(); err != nil {
		return nil, err
	}
	return db, nil
}

// Reload reads the keys again, and tells whether they have changed. If that fails the earlier ones stay.
func (db *DB) Reload() (changed bool, err error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	return db.reload()
}

func (db *DB) reload() (bool, error) {
	db.read = time.Now()
	text, err := db.source()
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrKeys, err)
	}
	if bytes.Equal(text, db.text) {
		return false, nil
	}
	keys, err := ParseKeys(text)
	if err != nil {
		return false, err
	}
	db.text = text
	db.keys.Store(keys)
	return true, nil
}

// Sealing is the ID of the key that seals now.
func (db *DB) Sealing() string { return db.keys.Load().sealing(time.Now()).id }

// learn reads the keys again if an envelope is of one that is not known.
func (db *DB) learn(envelope []byte) *Keys {
	id, _, ok := keyOf(envelope)
	if keys := db.keys.Load(); !ok || keys.find(id) != nil {
		return keys
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	if time.Since(db.read) >= unknownEvery {
		_, _ = db.reload() // the record then says which key is not known
	}
	return db.keys.Load()
}

func (db *DB) openVisit(outer *rooms.Visit) (*rooms.Visit, error) {
	if outer.Sealed == nil && db.plain {
		return outer, nil
	}
	return db.learn(outer.Sealed).openVisit(outer)
}

func (db *DB) openStaff(outer rooms.Staff) (rooms.Staff, error) {
	if outer.Sealed == nil && db.plain {
		return outer, nil
	}
	return db.learn(outer.Sealed).openStaff(outer)
}

func (db *DB) openVisits(list []*rooms.Visit) ([]*rooms.Visit, error) {
	for i, outer := range list { // the list is ours: stores answer copies
		v, err := db.openVisit(outer)
		if err != nil {
			return nil, err
		}
		list[i] = v
	}
	return list, nil
}

// LoadRoom answers a room with all its visits that are not erased.
func (db *DB) LoadRoom(ctx context.Context, id rooms.RoomID) (rooms.WaitingRoom, []*rooms.Visit, error) {
	w, list, err := db.Store.LoadRoom(ctx, id)
	if err != nil {
		return rooms.WaitingRoom{}, nil, err
	}
	if list, err = db.openVisits(list); err != nil {
		return rooms.WaitingRoom{}, nil, err
	}
	return w, list, nil
}

// ListVisits answers visits of a room, erased ones too.
func (db *DB) ListVisits(
	ctx context.Context, room rooms.RoomID, after rooms.VisitID, limit int,
) ([]*rooms.Visit, error) {
	list, err := db.Store.ListVisits(ctx, room, after, limit)
	if err != nil {
		return nil, err
	}
	return db.openVisits(list)
}

// Visit answers a visit, erased or not.
func (db *DB) Visit(ctx context.Context, id rooms.VisitID) (*rooms.Visit, error) {
	outer, err := db.Store.Visit(ctx, id)
	if err != nil {
		return nil, err
	}
	if outer.ID != id {
		return nil, place{kind: "visit", id: string(id)}.refused("another is in its place")
	}
	return db.openVisit(outer)
}

// Commit seals a batch and makes it durable.
func (db *DB) Commit(ctx context.Context, b store.Batch) error {
	if err := b.Check(); err != nil {
		return err
	}
	keys, now := db.keys.Load(), time.Now()
	list := make([]*rooms.Visit, len(b.Visits))
	for i, v := range b.Visits {
		var err error
		if list[i], err = keys.sealVisit(now, v); err != nil {
			return err
		}
	}
	b.Visits = list
	return db.Store.Commit(ctx, b)
}

// PutStaff adds or replaces a member of staff.
func (db *DB) PutStaff(ctx context.Context, s rooms.Staff) error {
	outer, err := db.keys.Load().sealStaff(time.Now(), s)
	if err != nil {
		return err
	}
	return db.Store.PutStaff(ctx, outer)
}

// Staff answers a member of staff.
func (db *DB) Staff(ctx context.Context, id rooms.StaffID) (rooms.Staff, error) {
	outer, err := db.Store.Staff(ctx, id)
	if err != nil {
		return rooms.Staff{}, err
	}
	if outer.ID != id {
		return rooms.Staff{}, place{kind: "staff", id: string(id)}.refused("another is in its place")
	}
	return db.openStaff(outer)
}

// StaffOf answers a clinic's staff by ID.
func (db *DB) StaffOf(ctx context.Context, clinic rooms.ClinicID) ([]rooms.Staff, error) {
	list, err := db.Store.StaffOf(ctx, clinic)
	for i := range list {
		if err == nil {
			list[i], err = db.openStaff(list[i])
		}
	}
	if err != nil {
		return nil, err
	}
	return list, nil
}

// SwapVisit replaces a visit that says exactly what old does.
func (db *DB) SwapVisit(ctx context.Context, old, next *rooms.Visit) error {
	if old.ID != next.ID || old.Room != next.Room || old.Version != next.Version {
		return store.ErrBadBatch
	}
	outer, err := db.Store.Visit(ctx, old.ID)
	if errors.Is(err, store.ErrNotFound) {
		return store.ErrConflict
	}
	if err != nil {
		return err
	}
	is, err := db.openVisit(outer)
	if err != nil {
		return err
	}
	if !same(is, old) {
		return store.ErrConflict
	}
	sealed, err := db.keys.Load().sealVisit(time.Now(), next)
	if err != nil {
		return err
	}
	return db.Store.SwapVisit(ctx, outer, sealed)
}

// SwapStaff replaces a member of staff who is exactly old.
func (db *DB) SwapStaff(ctx context.Context, old, next rooms.Staff) error {
	if old.ID != next.ID || old.ID == "" {
		return store.ErrBadBatch
	}
	outer, err := db.Store.Staff(ctx, old.ID)
	if errors.Is(err, store.ErrNotFound) {
		return store.ErrConflict
	}
	if err != nil {
		return err
	}
	is, err := db.openStaff(outer)
	if err != nil {
		return err
	}
	if !same(is, old) {
		return store.ErrConflict
	}
	sealed, err := db.keys.Load().sealStaff(time.Now(), next)
	if err != nil {
		return err
	}
	return db.Store.SwapStaff(ctx, outer, sealed)
}

// same compares what is stored of two records.
func same(a, b any) bool {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}
