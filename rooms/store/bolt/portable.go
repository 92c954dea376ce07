package bolt

import (
	"context"
	"encoding/json"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
)

// Reservations walks the reservations of a clinic.
func (db *DB) Reservations(ctx context.Context, clinic rooms.ClinicID, yield func(store.Kept) error) error {
	var all []store.Kept
	err := db.view(ctx, func(tx *bbolt.Tx) error {
		for _, kind := range []string{store.KindExternal, store.KindKey} {
			err := tx.Bucket(bucketHeld).Bucket([]byte(kind)).ForEach(func(hash, raw []byte) error {
				k := store.Kept{Hash: [32]byte(hash)}
				if err := json.Unmarshal(raw, &k.Reservation); err != nil {
					return err
				}
				if k.Clinic == clinic {
					all = append(all, k)
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	for _, k := range all { // outside of the transaction, in which nothing should wait
		if err == nil {
			err = yield(k)
		}
	}
	return err
}

// Keep stores a reservation unless there is one.
func (db *DB) Keep(ctx context.Context, k store.Kept) error {
	_, _, err := db.keep(ctx, k)
	return err
}

// SwapVisit replaces a visit that is exactly old.
func (db *DB) SwapVisit(ctx context.Context, old, next *rooms.Visit) error {
	if old.ID != next.ID || old.Room != next.Room || old.Version != next.Version {
		return store.ErrBadBatch
	}
	return db.swap(ctx, bucketVisits, []byte(old.ID), old, next)
}

// SwapStaff replaces a member of staff who is exactly old.
func (db *DB) SwapStaff(ctx context.Context, old, next rooms.Staff) error {
	if old.ID != next.ID || old.ID == "" || old.Clinic != next.Clinic {
		return store.ErrBadBatch
	}
	return db.swap(ctx, bucketStaff, []byte(old.ID), old, next)
}

func (db *DB) swap(ctx context.Context, bucket, key []byte, old, next any) error {
	was, err := json.Marshal(old)
	if err != nil {
		return fmt.Errorf("%w: %w", store.ErrBadBatch, err)
	}
	return db.update(ctx, func(tx *bbolt.Tx) error {
		if b := tx.Bucket(bucket); string(b.Get(key)) == string(was) {
			return put(b, key, next)
		}
		return store.ErrConflict
	})
}
