package bolt

import (
	"context"
	"encoding/json"

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
	return all(ctx, db, bucketClinics, func(rooms.Clinic) bool { return true })
}

// PutRoom adds or replaces a waiting room.
func (db *DB) PutRoom(ctx context.Context, w rooms.WaitingRoom) error {
	return putOne(ctx, db, bucketRooms, []byte(w.ID), w)
}

// Room answers a waiting room.
func (db *DB) Room(ctx context.Context, id rooms.RoomID) (rooms.WaitingRoom, error) {
	return one[rooms.WaitingRoom](ctx, db, bucketRooms, []byte(id))
}

// Rooms answers a clinic's waiting rooms by ID.
func (db *DB) Rooms(ctx context.Context, clinic rooms.ClinicID) ([]rooms.WaitingRoom, error) {
	return all(ctx, db, bucketRooms, func(w rooms.WaitingRoom) bool { return w.Clinic == clinic })
}

// PutStaff adds or replaces a member of staff.
func (db *DB) PutStaff(ctx context.Context, s rooms.Staff) error {
	return putOne(ctx, db, bucketStaff, []byte(s.ID), s)
}

// Staff answers a member of staff.
func (db *DB) Staff(ctx context.Context, id rooms.StaffID) (rooms.Staff, error) {
	return one[rooms.Staff](ctx, db, bucketStaff, []byte(id))
}

// StaffOf answers a clinic's staff by ID.
func (db *DB) StaffOf(ctx context.Context, clinic rooms.ClinicID) ([]rooms.Staff, error) {
	return all(ctx, db, bucketStaff, func(s rooms.Staff) bool { return s.Clinic == clinic })
}

// PutKey adds or replaces an API key, by its hash.
func (db *DB) PutKey(ctx context.Context, k rooms.APIKey) error {
	return putOne(ctx, db, bucketKeys, k.Hash[:], k)
}

// KeyByHash answers the API key with a hash.
func (db *DB) KeyByHash(ctx context.Context, hash [32]byte) (rooms.APIKey, error) {
	return one[rooms.APIKey](ctx, db, bucketKeys, hash[:])
}

// Keys answers a clinic's API keys by hash.
func (db *DB) Keys(ctx context.Context, clinic rooms.ClinicID) ([]rooms.APIKey, error) {
	return all(ctx, db, bucketKeys, func(k rooms.APIKey) bool { return k.Clinic == clinic })
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

// all reads a bucket of the directory, which is small.
func all[T any](ctx context.Context, db *DB, bucket []byte, wanted func(T) bool) ([]T, error) {
	var list []T
	err := db.view(ctx, func(tx *bbolt.Tx) error {
		return tx.Bucket(bucket).ForEach(func(_, raw []byte) error {
			var value T
			if err := json.Unmarshal(raw, &value); err != nil {
				return err
			}
			if wanted(value) {
				list = append(list, value)
			}
			return nil
		})
	})
	return list, err
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
