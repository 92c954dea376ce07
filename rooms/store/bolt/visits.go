package bolt

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
)

// maxExpire bounds what one Expire forgets, so that it does not hold up the writer.
const maxExpire = 10_000

// LoadRoom answers a room with all its visits that are not erased.
func (db *DB) LoadRoom(ctx context.Context, id rooms.RoomID) (rooms.WaitingRoom, []*rooms.Visit, error) {
	var w rooms.WaitingRoom
	var visits []*rooms.Visit
	err := db.view(ctx, func(tx *bbolt.Tx) error {
		if err := get(tx.Bucket(bucketRooms), []byte(id), &w); err != nil {
			return err
		}
		return eachVisit(tx, bucketLive, id, "", func(v *rooms.Visit) bool {
			visits = append(visits, v)
			return true
		})
	})
	if err != nil {
		return rooms.WaitingRoom{}, nil, err
	}
	return w, visits, nil
}

// ListVisits answers visits of a room, erased ones too.
func (db *DB) ListVisits(
	ctx context.Context, room rooms.RoomID, after rooms.VisitID, limit int,
) ([]*rooms.Visit, error) {
	if limit <= 0 || limit > store.MaxList {
		limit = store.MaxList
	}
	var visits []*rooms.Visit
	err := db.view(ctx, func(tx *bbolt.Tx) error {
		return eachVisit(tx, bucketListed, room, after, func(v *rooms.Visit) bool {
			visits = append(visits, v)
			return len(visits) < limit
		})
	})
	return visits, err
}

// eachVisit walks an index of a room's visits behind one of them, while yield says so.
func eachVisit(
	tx *bbolt.Tx, index []byte, room rooms.RoomID, after rooms.VisitID, yield func(*rooms.Visit) bool,
) error {
	prefix, start := entry(room, ""), entry(room, after)
	visits, c := tx.Bucket(bucketVisits), tx.Bucket(index).Cursor()
	for k, _ := c.Seek(start); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		if bytes.Equal(k, start) {
			continue
		}
		v := new(rooms.Visit)
		if err := get(visits, k[len(prefix):], v); err != nil {
			return fmt.Errorf("visit of an index: %v", err) //nolint:errorlint // not the caller's ErrNotFound
		}
		if !yield(v) {
			break
		}
	}
	return nil
}

// Locate has nothing to do: visits are found by themselves.
func (db *DB) Locate(ctx context.Context, _ rooms.RoomID, _ []rooms.VisitID) error { return ctx.Err() }

// Visit answers a visit, erased or not.
func (db *DB) Visit(ctx context.Context, id rooms.VisitID) (*rooms.Visit, error) {
	return one[*rooms.Visit](ctx, db, bucketVisits, []byte(id))
}

// Versions answers the version of each visit of a room.
func (db *DB) Versions(ctx context.Context, room rooms.RoomID) (map[rooms.VisitID]uint64, error) {
	versions := map[rooms.VisitID]uint64{}
	err := db.view(ctx, func(tx *bbolt.Tx) error {
		return eachVisit(tx, bucketListed, room, "", func(v *rooms.Visit) bool {
			versions[v.ID] = v.Version
			return true
		})
	})
	return versions, err
}

// Commit makes a batch durable.
func (db *DB) Commit(ctx context.Context, b store.Batch) error {
	if err := b.Check(); err != nil {
		return err
	}
	values := make([][]byte, len(b.Visits))
	for i, v := range b.Visits {
		var err error
		if values[i], err = json.Marshal(v); err != nil {
			return fmt.Errorf("%w: %w", store.ErrBadBatch, err)
		}
	}
	if len(values) == 0 && b.Seq == 0 {
		return nil
	}
	return db.update(ctx, func(tx *bbolt.Tx) error {
		kept, err := db.leases.admit(tx, b)
		if err != nil {
			return err
		}
		visits := tx.Bucket(bucketVisits)
		wanted, err := newer(visits, b)
		if err != nil {
			return err
		}
		for i, v := range b.Visits {
			if !wanted[i] {
				continue
			}
			if err := visits.Put([]byte(v.ID), values[i]); err != nil {
				return err
			}
			if err := index(tx, v); err != nil {
				return err
			}
		}
		if b.Seq == 0 || kept.IsZero() {
			return nil
		}
		kept.Seq = b.Seq
		return put(tx.Bucket(bucketLeases), []byte(b.Room), kept)
	})
}

// newer tells which visits of a batch have to be written. It refuses those whose version is not newer than the stored
// one's, and those of another room.
func newer(visits *bbolt.Bucket, b store.Batch) (wanted []bool, err error) {
	wanted = make([]bool, len(b.Visits))
	for i, v := range b.Visits {
		raw := visits.Get([]byte(v.ID))
		if raw == nil {
			wanted[i] = true
			continue
		}
		var stored struct {
			Room    rooms.RoomID `json:"room"`
			Version uint64       `json:"version"`
		}
		if err := json.Unmarshal(raw, &stored); err != nil {
			return nil, err
		}
		switch {
		case stored.Room == v.Room && stored.Version < v.Version:
			wanted[i] = true
		case stored.Room == v.Room && stored.Version == v.Version && b.Repair:
		default:
			return nil, fmt.Errorf("%w: visit %s has version %d", store.ErrConflict, v.ID, stored.Version)
		}
	}
	return wanted, nil
}

func index(tx *bbolt.Tx, v *rooms.Visit) error {
	key, live, listed := entry(v.Room, v.ID), tx.Bucket(bucketLive), tx.Bucket(bucketListed)
	if !v.ErasedAt.IsZero() {
		if err := live.Delete(key); err != nil {
			return err
		}
	} else if live.Get(key) == nil {
		if err := live.Put(key, []byte{}); err != nil {
			return err
		}
	}
	if listed.Get(key) == nil {
		return listed.Put(key, []byte{})
	}
	return nil
}

func entry(room rooms.RoomID, visit rooms.VisitID) []byte {
	return append(append([]byte(room), 0), visit...)
}

// Reserve stores a reservation unless there is one. The key, which may say who somebody is, is kept
// as a hash only.
func (db *DB) Reserve(ctx context.Context, r store.Reservation) (store.Reservation, bool, error) {
	key := r.Key
	kept, isNew, err := db.keep(ctx, store.Kept{Reservation: r, Hash: store.HashKey(r.Clinic, key)})
	if err != nil {
		return store.Reservation{}, false, err
	}
	kept.Key = key
	return kept, isNew, nil
}

func (db *DB) keep(ctx context.Context, k store.Kept) (kept store.Reservation, isNew bool, err error) {
	if err := store.CheckKind(k.Kind); err != nil {
		return store.Reservation{}, false, err
	}
	k.Key = ""
	kept = k.Reservation
	err = db.update(ctx, func(tx *bbolt.Tx) error {
		held := tx.Bucket(bucketHeld).Bucket([]byte(k.Kind))
		if raw := held.Get(k.Hash[:]); raw != nil {
			return json.Unmarshal(raw, &kept)
		}
		isNew = true
		return put(held, k.Hash[:], k.Reservation)
	})
	return kept, isNew, err
}

// Expire forgets reservations of KindKey made before a time.
func (db *DB) Expire(ctx context.Context, before time.Time) error {
	return db.update(ctx, func(tx *bbolt.Tx) error {
		held := tx.Bucket(bucketHeld).Bucket([]byte(store.KindKey))
		var old [][]byte
		c := held.Cursor()
		for k, raw := c.First(); k != nil && len(old) < maxExpire; k, raw = c.Next() {
			var r struct {
				At time.Time `json:"at"`
			}
			if err := json.Unmarshal(raw, &r); err != nil {
				return err
			}
			if r.At.Before(before) {
				old = append(old, bytes.Clone(k))
			}
		}
		for _, k := range old {
			if err := held.Delete(k); err != nil {
				return err
			}
		}
		return nil
	})
}
