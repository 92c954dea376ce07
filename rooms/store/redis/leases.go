package redis

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
)

// renewChunk is how many leases are renewed with one exchange, so that none waits long for the others.
const renewChunk = 500

// Claim gets a room.
func (db *DB) Claim(ctx context.Context, c store.Claim) (store.Lease, error) {
	if err := errors.Join(c.Check(), checkRoom(c.Room)); err != nil {
		return store.Lease{}, err
	}
	return db.lease(c.Room, func(keys []string) (any, error) {
		return db.run(ctx, db.o.LeaseTimeout, claimScript, keys,
			c.Owner, c.Nonce, milliseconds(c.TTL), c.Over.Epoch, c.Over.Nonce, c.After)
	})
}

// Holder answers the newest lease of a room.
func (db *DB) Holder(ctx context.Context, room rooms.RoomID) (store.Lease, error) {
	return db.lease(room, func(keys []string) (any, error) {
		return db.run(ctx, db.o.LeaseTimeout, holderScript, keys)
	})
}

func (db *DB) lease(room rooms.RoomID, ask func(keys []string) (any, error)) (store.Lease, error) {
	answer, err := ask(db.keys.room(room)[:1])
	if err != nil {
		return store.Lease{}, err
	}
	what, rest := split(answer)
	if err := refusal(room, what, rest); err != nil {
		return store.Lease{}, err
	}
	return leaseOf(rest)
}

// leaseOf reads what answer in lua/lease.lua has made.
func leaseOf(f []string) (store.Lease, error) {
	if len(f) != 5 {
		return store.Lease{}, unavailable(errAnswer)
	}
	epoch, err1 := strconv.ParseInt(f[0], 10, 64)
	left, err2 := strconv.ParseInt(f[3], 10, 64)
	seq, err3 := strconv.ParseUint(f[4], 10, 64)
	if err := errors.Join(err1, err2, err3); err != nil {
		return store.Lease{}, unavailable(err)
	}
	return store.Lease{
		Fence: store.Fence{Epoch: epoch, Nonce: f[1]}, Owner: f[2], Left: time.Duration(left) * time.Millisecond, Seq: seq,
	}, nil
}

// Renew lets leases last, those of one server with one exchange for 500 of them.
func (db *DB) Renew(ctx context.Context, held []store.Held, ttl time.Duration) []store.Renewal {
	renewals := make([]store.Renewal, 0, len(held))
	bad := store.CheckTTL(ttl)
	for chunk := range slices.Chunk(held, renewChunk) {
		keys := make([][]string, len(chunk))
		for i, h := range chunk {
			keys[i] = db.keys.room(h.Room)[:1]
		}
		if bad != nil {
			for range chunk {
				renewals = append(renewals, store.Renewal{Err: bad})
			}
			continue
		}
		answers, errs := db.runAll(ctx, db.o.LeaseTimeout, renewScript, keys, func(i int) []any {
			return []any{chunk[i].Epoch, chunk[i].Nonce, milliseconds(ttl)}
		})
		for i, h := range chunk {
			var r store.Renewal
			if r.Err = errs[i]; r.Err == nil {
				what, rest := split(answers[i])
				if r.Err = refusal(h.Room, what, rest); r.Err == nil {
					r.Lease, r.Err = leaseOf(rest)
				}
			}
			renewals = append(renewals, r)
		}
	}
	return renewals
}

// Release ends an ownership; the epoch stays.
func (db *DB) Release(ctx context.Context, h store.Held) error {
	answer, err := db.run(ctx, db.o.LeaseTimeout, releaseScript, db.keys.room(h.Room)[:1], h.Epoch, h.Nonce)
	if err != nil {
		return err
	}
	what, rest := split(answer)
	return refusal(h.Room, what, rest)
}

// Announce lists an instance.
func (db *DB) Announce(ctx context.Context, i store.Instance, ttl time.Duration) error {
	if err := i.Check(ttl); err != nil {
		return err
	}
	_, err := db.run(ctx, db.o.LeaseTimeout, announceScript, []string{db.keys.instances()}, i.ID, i.About, milliseconds(ttl))
	return err
}

// Withdraw takes an instance off the list.
func (db *DB) Withdraw(ctx context.Context, id string) error {
	return db.call(ctx, db.o.LeaseTimeout, func(ctx context.Context) error {
		return db.client.HDel(ctx, db.keys.instances(), id).Err()
	})
}

// Instances answers who is listed.
func (db *DB) Instances(ctx context.Context) ([]store.Instance, error) {
	answer, err := db.run(ctx, db.o.LeaseTimeout, instancesScript, []string{db.keys.instances()})
	if err != nil {
		return nil, err
	}
	flat, _ := answer.([]any)
	list := make([]store.Instance, 0, len(flat)/3)
	for f := range slices.Chunk(flat, 3) {
		if len(f) != 3 {
			return nil, unavailable(errAnswer)
		}
		left, err := strconv.ParseInt(textOf(f[1]), 10, 64)
		if err != nil {
			return nil, unavailable(err)
		}
		list = append(list, store.Instance{
			ID: textOf(f[0]), About: []byte(textOf(f[2])), Left: time.Duration(left) * time.Millisecond,
		})
	}
	slices.SortFunc(list, func(a, b store.Instance) int { return strings.Compare(a.ID, b.ID) })
	return list, nil
}

// milliseconds rounds up, so that what is short is not nothing.
func milliseconds(d time.Duration) int64 { return int64((d + time.Millisecond - 1) / time.Millisecond) }
