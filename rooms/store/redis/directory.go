package redis

import (
	"context"
	"errors"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
)

// listChunk is how many records are read with one exchange.
const listChunk = 500

// PutClinic adds or replaces a clinic.
func (db *DB) PutClinic(ctx context.Context, c rooms.Clinic) error {
	return db.putRecord(ctx, string(c.ID), c, func(ctx context.Context, raw []byte) error {
		return db.client.HSet(ctx, db.keys.clinics(), string(c.ID), raw).Err()
	})
}

// Clinic answers a clinic.
func (db *DB) Clinic(ctx context.Context, id rooms.ClinicID) (rooms.Clinic, error) {
	var c rooms.Clinic
	var raw string
	err := db.call(ctx, db.o.Timeout, func(ctx context.Context) (err error) {
		raw, err = db.client.HGet(ctx, db.keys.clinics(), string(id)).Result()
		return err
	})
	if err == nil {
		err = db.decode(raw, &c)
	}
	return c, err
}

// Clinics answers all clinics by ID.
func (db *DB) Clinics(ctx context.Context) ([]rooms.Clinic, error) {
	var all map[string]string
	err := db.call(ctx, db.o.Timeout, func(ctx context.Context) (err error) {
		all, err = db.client.HGetAll(ctx, db.keys.clinics()).Result()
		return err
	})
	return decodeAll(db, all, func(rooms.Clinic) bool { return true }, err)
}

// PutRoom adds or replaces a waiting room.
func (db *DB) PutRoom(ctx context.Context, w rooms.WaitingRoom) error {
	if err := checkRoom(w.ID); err != nil {
		return err
	}
	return db.putListed(ctx, db.keys.roomsOf(w.Clinic), string(w.ID), w, func(ctx context.Context, raw []byte) error {
		return putRoomScript.Run(ctx, db.client, db.keys.room(w.ID), raw).Err()
	})
}

// Room answers a waiting room.
func (db *DB) Room(ctx context.Context, id rooms.RoomID) (rooms.WaitingRoom, error) {
	var w rooms.WaitingRoom
	var raw string
	err := db.call(ctx, db.o.Timeout, func(ctx context.Context) (err error) {
		raw, err = db.client.HGet(ctx, db.keys.room(id)[0], "about").Result()
		return err
	})
	if err == nil {
		err = db.decode(raw, &w)
	}
	return w, err
}

// Rooms answers a clinic's waiting rooms by ID.
func (db *DB) Rooms(ctx context.Context, clinic rooms.ClinicID) ([]rooms.WaitingRoom, error) {
	all, err := db.listed(ctx, db.keys.roomsOf(clinic), func(ctx context.Context, p redis.Pipeliner, id string) *redis.StringCmd {
		return p.HGet(ctx, db.keys.room(rooms.RoomID(id))[0], "about")
	})
	return decodeAll(db, all, func(w rooms.WaitingRoom) bool { return w.Clinic == clinic }, err)
}

// PutStaff adds or replaces a member of staff.
func (db *DB) PutStaff(ctx context.Context, s rooms.Staff) error {
	return db.putListed(ctx, db.keys.staffOf(s.Clinic), string(s.ID), s, func(ctx context.Context, raw []byte) error {
		return db.client.Set(ctx, db.keys.staff(s.ID), raw, 0).Err()
	})
}

// Staff answers a member of staff.
func (db *DB) Staff(ctx context.Context, id rooms.StaffID) (rooms.Staff, error) {
	return record[rooms.Staff](ctx, db, db.keys.staff(id))
}

// StaffOf answers a clinic's staff by ID.
func (db *DB) StaffOf(ctx context.Context, clinic rooms.ClinicID) ([]rooms.Staff, error) {
	all, err := db.listed(ctx, db.keys.staffOf(clinic), func(ctx context.Context, p redis.Pipeliner, id string) *redis.StringCmd {
		return p.Get(ctx, db.keys.staff(rooms.StaffID(id)))
	})
	return decodeAll(db, all, func(s rooms.Staff) bool { return s.Clinic == clinic }, err)
}

// PutKey adds or replaces an API key, by its hash.
func (db *DB) PutKey(ctx context.Context, k rooms.APIKey) error {
	hash := hexOf(k.Hash)
	return db.putListed(ctx, db.keys.keysOf(k.Clinic), hash, k, func(ctx context.Context, raw []byte) error {
		return db.client.Set(ctx, db.keys.key(hash), raw, 0).Err()
	})
}

// KeyByHash answers the API key with a hash.
func (db *DB) KeyByHash(ctx context.Context, hash [32]byte) (rooms.APIKey, error) {
	return record[rooms.APIKey](ctx, db, db.keys.key(hexOf(hash)))
}

// Keys answers a clinic's API keys by hash.
func (db *DB) Keys(ctx context.Context, clinic rooms.ClinicID) ([]rooms.APIKey, error) {
	all, err := db.listed(ctx, db.keys.keysOf(clinic), func(ctx context.Context, p redis.Pipeliner, hash string) *redis.StringCmd {
		return p.Get(ctx, db.keys.key(hash))
	})
	return decodeAll(db, all, func(k rooms.APIKey) bool { return k.Clinic == clinic }, err)
}

func (db *DB) putRecord(ctx context.Context, id string, value any, put func(context.Context, []byte) error) error {
	if id == "" {
		return store.ErrBadBatch
	}
	raw, err := db.encode(value)
	if err != nil {
		return err
	}
	return db.call(ctx, db.o.Timeout, func(ctx context.Context) error { return put(ctx, raw) })
}

// putListed lists a record before it is there, so that one that is there is listed.
func (db *DB) putListed(ctx context.Context, list, id string, value any, put func(context.Context, []byte) error) error {
	err := db.call(ctx, db.o.Timeout, func(ctx context.Context) error { return db.client.SAdd(ctx, list, id).Err() })
	if err != nil {
		return err
	}
	return db.putRecord(ctx, id, value, put)
}

// listed reads the records of a list; one that is listed and not there is not there.
func (db *DB) listed(
	ctx context.Context, list string, get func(context.Context, redis.Pipeliner, string) *redis.StringCmd,
) (map[string]string, error) {
	var ids []string
	err := db.call(ctx, db.o.Timeout, func(ctx context.Context) (err error) {
		ids, err = db.client.SMembers(ctx, list).Result()
		return err
	})
	if err != nil {
		return nil, err
	}
	all := make(map[string]string, len(ids))
	for chunk := range slices.Chunk(ids, listChunk) {
		err := db.call(ctx, db.o.Timeout, func(ctx context.Context) error {
			cmds := make([]*redis.StringCmd, len(chunk))
			pipe := db.client.Pipeline()
			for i, id := range chunk {
				cmds[i] = get(ctx, pipe, id)
			}
			_, _ = pipe.Exec(ctx) // each command has its own error
			for i, cmd := range cmds {
				switch raw, err := cmd.Result(); {
				case err == nil:
					all[chunk[i]] = raw
				case !errors.Is(err, redis.Nil):
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

func record[T any](ctx context.Context, db *DB, key string) (T, error) {
	var value T
	raw, err := db.get(ctx, key)
	if err == nil {
		err = db.decode(raw, &value)
	}
	return value, err
}

// decodeAll answers the records that are wanted, by their names.
func decodeAll[T any](db *DB, all map[string]string, wanted func(T) bool, err error) ([]T, error) {
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	var list []T
	for _, name := range names {
		var value T
		if err := db.decode(all[name], &value); err != nil {
			return nil, err
		}
		if wanted(value) {
			list = append(list, value)
		}
	}
	return list, nil
}
