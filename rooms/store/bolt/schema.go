package bolt

import (
	"context"
	"fmt"
	"strconv"

	"go.etcd.io/bbolt"

	"github.com/anteroom/anteroom/rooms/store"
)

// The buckets. An entry of a room's visit is keyed room, 0, visit.
var (
	bucketMeta    = []byte("meta")     // schema -> decimal number
	bucketClinics = []byte("clinics")  // id -> JSON
	bucketRooms   = []byte("rooms")    // id -> JSON
	bucketStaff   = []byte("staff")    // id -> JSON
	bucketKeys    = []byte("keys")     // hash -> JSON
	bucketVisits  = []byte("visits")   // id -> JSON
	bucketListed  = []byte("listed")   // room, 0, visit -> nothing; every visit
	bucketLive    = []byte("live")     // room, 0, visit -> nothing; those not erased
	bucketLeases  = []byte("leases")   // room -> JSON
	bucketOwned   = []byte("owned")    // bucket, 0, clinic, 0, key -> nothing; a clinic's rooms, staff and keys
	bucketHeld    = []byte("reserved") // kind -> bucket of hash(clinic, key) -> JSON without the key

	keySchema = []byte("schema")
)

// migrations[n] brings a file from schema n to n+1. Only ever append: files in the field have been
// through the earlier ones.
var migrations = []func(*bbolt.Tx) error{
	createBuckets,
	createLeases,
	indexClinics,
}

func createBuckets(tx *bbolt.Tx) error {
	for _, name := range [][]byte{
		bucketClinics, bucketRooms, bucketStaff, bucketKeys, bucketVisits, bucketListed, bucketLive, bucketHeld,
	} {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	for _, kind := range []string{store.KindKey, store.KindExternal} {
		if _, err := tx.Bucket(bucketHeld).CreateBucketIfNotExists([]byte(kind)); err != nil {
			return err
		}
	}
	return nil
}

func createLeases(tx *bbolt.Tx) error {
	_, err := tx.CreateBucketIfNotExists(bucketLeases)
	return err
}

func indexClinics(tx *bbolt.Tx) error {
	index, err := tx.CreateBucketIfNotExists(bucketOwned)
	if err != nil {
		return err
	}
	for _, bucket := range [][]byte{bucketRooms, bucketStaff, bucketKeys} {
		err := tx.Bucket(bucket).ForEach(func(key, raw []byte) error {
			clinic, err := clinicOf(raw)
			if err != nil {
				return err
			}
			return index.Put(owned(bucket, clinic, key), []byte{})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// migrate takes all missing steps in one transaction, so that a file is never between two schemas. A current file is only
// read: a server can be started on a full disk.
func migrate(file *bbolt.DB, steps []func(*bbolt.Tx) error) error {
	var at int
	err := file.View(func(tx *bbolt.Tx) (err error) {
		at, err = schemaOf(tx, len(steps))
		return err
	})
	if err != nil || at == len(steps) {
		return err
	}
	return file.Update(func(tx *bbolt.Tx) error {
		for i, step := range steps[at:] {
			if err := step(tx); err != nil {
				return fmt.Errorf("migration to schema %d: %w", at+i+1, err)
			}
		}
		meta, err := tx.CreateBucketIfNotExists(bucketMeta)
		if err != nil {
			return err
		}
		return meta.Put(keySchema, []byte(strconv.Itoa(len(steps))))
	})
}

// schemaOf is the schema of a file, 0 of an empty one; newest is what this version knows.
func schemaOf(tx *bbolt.Tx, newest int) (int, error) {
	meta := tx.Bucket(bucketMeta)
	if meta == nil {
		return 0, nil
	}
	stored := meta.Get(keySchema)
	if stored == nil {
		return 0, nil
	}
	at, err := strconv.Atoi(string(stored))
	if err != nil || at < 1 {
		return 0, fmt.Errorf("%w: %q", store.ErrSchema, stored)
	}
	if at > newest {
		return 0, fmt.Errorf("%w: the file has %d, this version knows up to %d", store.ErrSchema, at, newest)
	}
	return at, nil
}

// Schema answers that of the file, which was brought to the newest when it was opened.
func (db *DB) Schema(context.Context) (store.Schema, error) {
	return store.Schema{Written: len(migrations), Newest: len(migrations)}, nil
}

// Raise has nothing to do: a file is of one process.
func (db *DB) Raise(_ context.Context, n int) error {
	if n > len(migrations) {
		return fmt.Errorf("%w: this version knows up to %d", store.ErrSchema, len(migrations))
	}
	return nil
}
