package bolt

import (
	"bytes"
	"context"
	"crypto/sha256"
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

// Visit answers a visit, erased or not.
func (db *DB) Visit(ctx context.Context, id rooms.VisitID) (*rooms.Visit, error) {
	return one[*rooms.Visit](ctx, db, bucketVisits, []byte(id))
}

// Commit makes a batch durable.
func (db *DB) Commit(ctx context.Context, b store.Batch) error {
	values := make([][]byte, len(b.Visits))
	for i, v := range b.Visits {
		if v.Room != b.Room || v.Room == "" || v.ID == "" || v.Version == 0 {
			return store.ErrBadBatch
		}
		var err error
		if values[i], err = json.Marshal(v); err != nil {
			return fmt.Errorf("%w: %w", store.ErrBadBatch, err)
		}
	}
	if len(values) == 0 {
		return nil
	}
	return db.update(ctx, func(tx *bbolt.Tx) error {
		visits := tx.Bucket(bucketVisits)
		for _, v := range b.Visits {
			if err := newer(visits, v); err != nil {
				return err
			}
		}
		for i, v := range b.Visits {
			if err := visits.Put([]byte(v.ID), values[i]); err != nil {
				return err
			}
			if err := index(tx, v); err != nil {
				return err
			}
		}
		return nil
	})
}

// newer refuses a visit whose version is not newer than the stored one's, and one of another room.
func newer(visits *bbolt.Bucket, v *rooms.Visit) error {
	raw := visits.Get([]byte(v.ID))
	if raw == nil {
		return nil
	}
	var stored struct {
		Room    rooms.RoomID `json:"room"`
		Version uint64       `json:"version"`
	}
	if err := json.Unmarshal(raw, &stored); err != nil {
		return err
	}
	if stored.Room != v.Room || stored.Version >= v.Version {
		return fmt.Errorf("%w: visit %s has version %d", store.ErrConflict, v.ID, stored.Version)
	}
	return nil
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
	if r.Kind != store.KindKey && r.Kind != store.KindExternal {
		return store.Reservation{}, false, fmt.Errorf("%w: kind of a reservation", store.ErrBadBatch)
	}
	hash := sha256.Sum256([]byte(string(r.Clinic) + "\x00" + r.Key))
	key, kept, isNew := r.Key, r, false
	err := db.update(ctx, func(tx *bbolt.Tx) error {
		held := tx.Bucket(bucketHeld).Bucket([]byte(r.Kind))
		if raw := held.Get(hash[:]); raw != nil {
			return json.Unmarshal(raw, &kept)
		}
		isNew, r.Key = true, ""
		return put(held, hash[:], r)
	})
	if err != nil {
		return store.Reservation{}, false, err
	}
	kept.Key = key
	return kept, isNew, nil
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
