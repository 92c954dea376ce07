package bolt

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
)

// PutClinic adds or replaces a clinic.
func (db *DB) PutClinic(ctx context.Context, c rooms.Clinic) error {
	return putOne(ctx, db, bucketClinics, []byte(c.ID), c)
}

// Clinic answers a clinic.
func (db *DB) Clinic(ctx context.Context, id rooms.ClinicID) (rooms.Clinic, error) {
	return one[rooms.Clinic](ctx, db, bucketClinics, []byte(id))
}

// Clinics answers all clinics by ID.
func (db *DB) Clinics(ctx context.Context) ([]rooms.Clinic, error) {
	var list []rooms.Clinic
	err := db.view(ctx, func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketClinics).ForEach(func(_, raw []byte) error {
			var c rooms.Clinic
			if err := json.Unmarshal(raw, &c); err != nil {
				return err
			}
			list = append(list, c)
			return nil
		})
	})
	return list, err
}

// PutRoom adds or replaces a waiting room.
func (db *DB) PutRoom(ctx context.Context, w rooms.WaitingRoom) error {
	return putOwned(ctx, db, bucketRooms, []byte(w.ID), w.Clinic, w)
}

// Room answers a waiting room.
func (db *DB) Room(ctx context.Context, id rooms.RoomID) (rooms.WaitingRoom, error) {
	return one[rooms.WaitingRoom](ctx, db, bucketRooms, []byte(id))
}

// Rooms answers a clinic's waiting rooms by ID.
func (db *DB) Rooms(ctx context.Context, clinic rooms.ClinicID) ([]rooms.WaitingRoom, error) {
	return allOf[rooms.WaitingRoom](ctx, db, bucketRooms, clinic)
}

// PutStaff adds or replaces a member of staff.
func (db *DB) PutStaff(ctx context.Context, s rooms.Staff) error {
	return putOwned(ctx, db, bucketStaff, []byte(s.ID), s.Clinic, s)
}

// Staff answers a member of staff.
func (db *DB) Staff(ctx context.Context, id rooms.StaffID) (rooms.Staff, error) {
	return one[rooms.Staff](ctx, db, bucketStaff, []byte(id))
}

// StaffOf answers a clinic's staff by ID.
func (db *DB) StaffOf(ctx context.Context, clinic rooms.ClinicID) ([]rooms.Staff, error) {
	return allOf[rooms.Staff](ctx, db, bucketStaff, clinic)
}

// PutKey adds or replaces an API key, by its hash.
func (db *DB) PutKey(ctx context.Context, k rooms.APIKey) error {
	return putOwned(ctx, db, bucketKeys, k.Hash[:], k.Clinic, k)
}

// KeyByHash answers the API key with a hash.
func (db *DB) KeyByHash(ctx context.Context, hash [32]byte) (rooms.APIKey, error) {
	return one[rooms.APIKey](ctx, db, bucketKeys, hash[:])
}

// Keys answers a clinic's API keys by hash.
func (db *DB) Keys(ctx context.Context, clinic rooms.ClinicID) ([]rooms.APIKey, error) {
	return allOf[rooms.APIKey](ctx, db, bucketKeys, clinic)
}

func putOne(ctx context.Context, db *DB, bucket, key []byte, value any) error {
	if len(key) == 0 {
		return store.ErrBadBatch
	}
	return db.update(ctx, func(tx *bbolt.Tx) error { return put(tx.Bucket(bucket), key, value) })
}

func one[T any](ctx context.Context, db *DB, bucket, key []byte) (T, error) {
	var value T
	err := db.view(ctx, func(tx *bbolt.Tx) error { return get(tx.Bucket(bucket), key, &value) })
	return value, err
}

// putOwned is putOne for what belongs to a clinic.
func putOwned(ctx context.Context, db *DB, bucket, key []byte, clinic rooms.ClinicID, value any) error {
	if len(key) == 0 {
		return store.ErrBadBatch
	}
	return db.update(ctx, func(tx *bbolt.Tx) error {
		entries, index := tx.Bucket(bucket), tx.Bucket(bucketOwned)
		if raw := entries.Get(key); raw != nil {
			was, err := clinicOf(raw)
			if err != nil {
				return err
			}
			if err := index.Delete(owned(bucket, was, key)); err != nil {
				return err
			}
		}
		if err := index.Put(owned(bucket, clinic, key), []byte{}); err != nil {
			return err
		}
		return put(entries, key, value)
	})
}

// allOf reads what belongs to a clinic, by key. What that takes does not depend on other clinics.
func allOf[T any](ctx context.Context, db *DB, bucket []byte, clinic rooms.ClinicID) ([]T, error) {
	var list []T
	err := db.view(ctx, func(tx *bbolt.Tx) error {
		prefix, entries, c := owned(bucket, clinic, nil), tx.Bucket(bucket), tx.Bucket(bucketOwned).Cursor()
		for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
			var value T
			if err := get(entries, k[len(prefix):], &value); err != nil {
				return fmt.Errorf("entry of an index: %v", err) //nolint:errorlint // not the caller's ErrNotFound
			}
			list = append(list, value)
		}
		return nil
	})
	return list, err
}

// owned is a key of the index of what belongs to a clinic.
func owned(bucket []byte, clinic rooms.ClinicID, key []byte) []byte {
	k := append(append([]byte{}, bucket...), 0)
	return append(append(append(k, clinic...), 0), key...)
}

// clinicOf is whose an entry of the directory is.
func clinicOf(raw []byte) (rooms.ClinicID, error) {
	var entry struct {
		Clinic rooms.ClinicID `json:"clinic"`
	}
	err := json.Unmarshal(raw, &entry)
	return entry.Clinic, err
}

func put(b *bbolt.Bucket, key []byte, value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return b.Put(key, raw)
}

func get(b *bbolt.Bucket, key []byte, value any) error {
	raw := b.Get(key)
	if raw == nil {
		return store.ErrNotFound
	}
	return json.Unmarshal(raw, value)
}
