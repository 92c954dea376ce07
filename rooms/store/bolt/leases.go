package bolt

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
)

// leases is what need not be in the file: a lease is over when its process is, for only one has the file open. The
// file keeps the fences.
type leases struct {
	mu        *sync.Mutex
	ends      map[rooms.RoomID]end
	instances map[string]listed
}

// end says until when the lease with a nonce lasts.
type end struct {
	nonce string
	at    time.Time
}

type listed struct {
	about []byte
	until time.Time
}

// lease is an entry of bucketLeases.
type lease struct {
	store.Fence
	Owner string `json:"owner,omitempty"`
	Seq   uint64 `json:"seq,omitempty"`
}

func newLeases() leases {
	return leases{mu: new(sync.Mutex), ends: map[rooms.RoomID]end{}, instances: map[string]listed{}}
}

func (l *leases) extend(room rooms.RoomID, nonce string, ttl time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ends[room] = end{nonce, time.Now().Add(ttl)}
}

func (l *leases) left(room rooms.RoomID, nonce string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e, ok := l.ends[room]; ok && e.nonce == nonce && nonce != "" {
		return time.Until(e.at)
	}
	return 0
}

func (l *leases) answer(room rooms.RoomID, kept lease) store.Lease {
	return store.Lease{Fence: kept.Fence, Owner: kept.Owner, Seq: kept.Seq, Left: l.left(room, kept.Nonce)}
}

func (l *leases) fenced(room rooms.RoomID, kept lease) error {
	return &store.FencedError{Room: room, Lease: l.answer(room, kept)}
}

// admit tells whether a batch may be written, and answers the entry of its fence.
func (l *leases) admit(tx *bbolt.Tx, b store.Batch) (lease, error) {
	kept, err := leaseOf(tx, b.Room)
	switch {
	case err != nil:
		return lease{}, err
	case b.Fence.IsZero() && kept.Nonce == "":
		return lease{}, nil
	case b.Fence != kept.Fence || b.Fence.Nonce == "":
		return lease{}, l.fenced(b.Room, kept)
	case !b.Repair && kept.Seq < b.After:
		return lease{}, fmt.Errorf("%w: up to %d, stored are %d", store.ErrBehind, b.After, kept.Seq)
	}
	return kept, nil
}

// leaseOf is the zero lease if there was never one.
func leaseOf(tx *bbolt.Tx, room rooms.RoomID) (lease, error) {
	var kept lease
	err := get(tx.Bucket(bucketLeases), []byte(room), &kept)
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return kept, err
}

// Claim gets a room.
func (db *DB) Claim(ctx context.Context, c store.Claim) (store.Lease, error) {
	if err := c.Check(); err != nil {
		return store.Lease{}, err
	}
	var got lease
	err := db.update(ctx, func(tx *bbolt.Tx) error {
		kept, err := leaseOf(tx, c.Room)
		if err != nil {
			return err
		}
		if tx.Bucket(bucketRooms).Get([]byte(c.Room)) == nil && c.Over.IsZero() {
			return store.ErrNotFound
		}
		if got = kept; kept.Nonce != c.Nonce {
			over := kept.Fence == c.Over || kept.Epoch < c.Over.Epoch
			if db.leases.left(c.Room, kept.Nonce) > 0 && !over {
				return db.leases.fenced(c.Room, kept)
			}
			epoch := max(kept.Epoch+1, c.Over.Epoch+1, c.After+1, time.Now().UnixMilli())
			got = lease{Fence: store.Fence{Epoch: epoch, Nonce: c.Nonce}, Owner: c.Owner}
			if err := put(tx.Bucket(bucketLeases), []byte(c.Room), got); err != nil {
				return err
			}
		}
		db.leases.extend(c.Room, c.Nonce, c.TTL)
		return nil
	})
	if err != nil {
		return store.Lease{}, err
	}
	return db.leases.answer(c.Room, got), nil
}

// Renew lets leases last. It writes nothing.
func (db *DB) Renew(ctx context.Context, held []store.Held, ttl time.Duration) []store.Renewal {
	renewals := make([]store.Renewal, len(held))
	err := store.CheckTTL(ttl)
	if err == nil {
		err = db.view(ctx, func(tx *bbolt.Tx) error {
			for i, h := range held {
				kept, err := leaseOf(tx, h.Room)
				switch {
				case err != nil:
					return err
				case kept.Fence != h.Fence || h.Nonce == "":
					renewals[i].Err = db.leases.fenced(h.Room, kept)
				default:
					db.leases.extend(h.Room, h.Nonce, ttl)
					renewals[i].Lease = db.leases.answer(h.Room, kept)
				}
			}
			return nil
		})
	}
	if err != nil {
		for i := range renewals {
			renewals[i] = store.Renewal{Err: err}
		}
	}
	return renewals
}

// Release ends an ownership; the epoch stays.
func (db *DB) Release(ctx context.Context, h store.Held) error {
	return db.update(ctx, func(tx *bbolt.Tx) error {
		kept, err := leaseOf(tx, h.Room)
		switch {
		case err != nil:
			return err
		case kept.Nonce == "":
			return nil
		case kept.Fence != h.Fence:
			return db.leases.fenced(h.Room, kept)
		}
		return put(tx.Bucket(bucketLeases), []byte(h.Room), lease{Fence: store.Fence{Epoch: kept.Epoch}})
	})
}

// Holder answers the newest lease of a room.
func (db *DB) Holder(ctx context.Context, room rooms.RoomID) (store.Lease, error) {
	kept, err := one[lease](ctx, db, bucketLeases, []byte(room))
	if err != nil {
		return store.Lease{}, err
	}
	return db.leases.answer(room, kept), nil
}

// Announce lists an instance, which can only be in this process.
func (db *DB) Announce(ctx context.Context, i store.Instance, ttl time.Duration) error {
	if err := errors.Join(ctx.Err(), i.Check(ttl)); err != nil {
		return err
	}
	db.leases.mu.Lock()
	defer db.leases.mu.Unlock()
	db.leases.instances[i.ID] = listed{about: slices.Clone(i.About), until: time.Now().Add(ttl)}
	return nil
}

// Withdraw takes an instance off the list.
func (db *DB) Withdraw(ctx context.Context, id string) error {
	db.leases.mu.Lock()
	defer db.leases.mu.Unlock()
	delete(db.leases.instances, id)
	return ctx.Err()
}

// Instances answers who is listed.
func (db *DB) Instances(ctx context.Context) ([]store.Instance, error) {
	l := &db.leases
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	maps.DeleteFunc(l.instances, func(_ string, i listed) bool { return !i.until.After(now) })
	list := make([]store.Instance, 0, len(l.instances))
	for id, i := range l.instances {
		list = append(list, store.Instance{ID: id, About: slices.Clone(i.about), Left: i.until.Sub(now)})
	}
	slices.SortFunc(list, func(a, b store.Instance) int { return strings.Compare(a.ID, b.ID) })
	return list, ctx.Err()
}
