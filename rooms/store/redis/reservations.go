package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
)

const (
	maxExpire = 500 // of a shard at once
	scanCount = 500
)

// Reserve stores a reservation unless there is one. The key, which may say who somebody is, is kept as a hash only.
func (db *DB) Reserve(ctx context.Context, r store.Reservation) (store.Reservation, bool, error) {
	key := r.Key
	kept, isNew, err := db.keep(ctx, store.Kept{Reservation: r, Hash: store.HashKey(r.Clinic, key)})
	if err != nil {
		return store.Reservation{}, false, err
	}
	kept.Key = key
	return kept, isNew, nil
}

// Keep stores a reservation unless there is one.
func (db *DB) Keep(ctx context.Context, k store.Kept) error {
	_, _, err := db.keep(ctx, k)
	return err
}

func (db *DB) keep(ctx context.Context, k store.Kept) (kept store.Reservation, isNew bool, err error) {
	if err := store.CheckKind(k.Kind); err != nil {
		return store.Reservation{}, false, err
	}
	k.Key = ""
	raw, err := db.encode(k.Reservation)
	if err != nil {
		return store.Reservation{}, false, err
	}
	at := ""
	if k.Kind == store.KindKey {
		at = fmt.Sprint(k.At.UnixMilli())
	}
	value := rand.Text() + " " + string(raw)
	answer, err := db.run(ctx, db.o.Timeout, reserveScript, db.keys.heldOf(k.Kind, k.Hash), string(k.Hash[:]), value, at)
	if err != nil {
		return store.Reservation{}, false, err
	}
	kept, err = db.reservationOf(textOf(answer))
	return kept, textOf(answer) == value, err
}

// reservationOf reads what is stored behind the call that stored it.
func (db *DB) reservationOf(value string) (store.Reservation, error) {
	var r store.Reservation
	_, raw, _ := strings.Cut(value, " ")
	err := db.decode(raw, &r)
	return r, err
}

// Expire forgets reservations of KindKey made before a time, rounded down to a millisecond.
func (db *DB) Expire(ctx context.Context, before time.Time) error {
	keys := make([][]string, heldShards)
	for shard := range keys {
		keys[shard] = db.keys.held(store.KindKey, shard)
	}
	_, errs := db.runAll(ctx, db.o.Timeout, expireScript, keys, func(int) []any {
		return []any{before.UnixMilli(), maxExpire}
	})
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Reservations walks the reservations of a clinic.
func (db *DB) Reservations(ctx context.Context, clinic rooms.ClinicID, yield func(store.Kept) error) error {
	for _, kind := range []string{store.KindExternal, store.KindKey} {
		for shard := range heldShards {
			all, err := db.shard(ctx, db.keys.held(kind, shard)[0])
			if err != nil {
				return err
			}
			for hash, raw := range all {
				k := store.Kept{Hash: [32]byte([]byte(hash))}
				if k.Reservation, err = db.reservationOf(raw); err != nil {
					return err
				}
				if k.Clinic != clinic {
					continue
				}
				if err := yield(k); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// shard reads a hash of reservations bit by bit.
func (db *DB) shard(ctx context.Context, key string) (map[string]string, error) {
	all, cursor := map[string]string{}, uint64(0)
	for {
		var flat []string
		err := db.call(ctx, db.o.Timeout, func(ctx context.Context) (err error) {
			flat, cursor, err = db.client.HScan(ctx, key, cursor, "", scanCount).Result()
			return err
		})
		if err != nil {
			return nil, err
		}
		for i := 0; i+1 < len(flat); i += 2 {
			if len(flat[i]) != 32 {
				return nil, unavailable(errAnswer)
			}
			all[flat[i]] = flat[i+1]
		}
		if cursor == 0 {
			return all, nil
		}
	}
}

// SwapVisit replaces a visit that is exactly old.
func (db *DB) SwapVisit(ctx context.Context, old, next *rooms.Visit) error {
	if old.ID != next.ID || old.Room != next.Room || old.Version != next.Version {
		return store.ErrBadBatch
	}
	return db.swap(ctx, db.keys.room(old.Room)[1], string(old.ID), old, next)
}

// SwapStaff replaces a member of staff who is exactly old.
func (db *DB) SwapStaff(ctx context.Context, old, next rooms.Staff) error {
	if old.ID != next.ID || old.ID == "" {
		return store.ErrBadBatch
	}
	return db.swap(ctx, db.keys.staff(old.ID), "", old, next)
}

// swap replaces a record that says exactly what old does, in whatever form: a field of a hash, or without one a key.
func (db *DB) swap(ctx context.Context, key, field string, old, next any) error {
	is, err1 := db.encode(next)
	was, err2 := db.everyForm(old)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	answer, err := db.run(ctx, db.o.Timeout, swapScript, []string{key}, append([]any{field, is}, was...)...)
	if err == nil && answer != int64(1) {
		err = store.ErrConflict
	}
	return err
}
