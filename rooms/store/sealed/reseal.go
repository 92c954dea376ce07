package sealed

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
)

// atOnce is how many records are sealed anew at once.
const atOnce = 32

// Reseal seals every record anew that is not sealed by the newest key, and with Options.Plain those that are not sealed at all,
// while the store is at work: what somebody writes meanwhile is sealed by them. It answers how many it has
// sealed. When it returns nil, and every instance has read the newest key, the earlier ones can be taken away.
func (db *DB) Reseal(ctx context.Context) (sealed int, err error) {
	clinics, err := db.Clinics(ctx)
	if err != nil {
		return 0, err
	}
	for _, c := range clinics {
		staff, err := db.Store.StaffOf(ctx, c.ID)
		if err != nil {
			return sealed, err
		}
		for _, s := range staff {
			if err := db.resealStaff(ctx, s, &sealed); err != nil {
				return sealed, err
			}
		}
		list, err := db.Rooms(ctx, c.ID)
		if err != nil {
			return sealed, err
		}
		for _, w := range list {
			if err := db.resealRoom(ctx, w.ID, &sealed); err != nil {
				return sealed, err
			}
		}
	}
	return sealed, nil
}

// newest tells whether an envelope is of the key that seals now.
func (db *DB) newest(now time.Time, envelope []byte) bool {
	id, _, ok := keyOf(envelope)
	return ok && id == db.keys.Load().sealing(now).id
}

func (db *DB) resealStaff(ctx context.Context, outer rooms.Staff, sealed *int) error {
	now := time.Now()
	if db.newest(now, outer.Sealed) {
		return nil
	}
	s, err := db.openStaff(outer)
	if err != nil {
		return err
	}
	next, err := db.keys.Load().sealStaff(now, s)
	if err != nil {
		return err
	}
	return count(db.Store.SwapStaff(ctx, outer, next), sealed)
}

func (db *DB) resealRoom(ctx context.Context, room rooms.RoomID, sealed *int) error {
	var after rooms.VisitID
	for {
		page, err := db.Store.ListVisits(ctx, room, after, store.MaxList)
		if err != nil || len(page) == 0 {
			return err
		}
		for chunk := range slices.Chunk(page, atOnce) {
			if err := db.resealVisits(ctx, chunk, sealed); err != nil {
				return err
			}
		}
		after = page[len(page)-1].ID
	}
}

// resealVisits does some at once, which share what a store's write costs.
func (db *DB) resealVisits(ctx context.Context, chunk []*rooms.Visit, sealed *int) error {
	counts, errs := make([]int, len(chunk)), make([]error, len(chunk))
	var wg sync.WaitGroup
	for i, outer := range chunk {
		wg.Go(func() { errs[i] = db.resealVisit(ctx, outer, &counts[i]) })
	}
	wg.Wait()
	for _, n := range counts {
		*sealed += n
	}
	return errors.Join(errs...)
}

func (db *DB) resealVisit(ctx context.Context, outer *rooms.Visit, sealed *int) error {
	now := time.Now()
	if db.newest(now, outer.Sealed) {
		return nil
	}
	v, err := db.openVisit(outer)
	if err != nil {
		return err
	}
	next, err := db.keys.Load().sealVisit(now, v)
	if err != nil {
		return err
	}
	return count(db.Store.SwapVisit(ctx, outer, next), sealed)
}

// count passes over what somebody else has written meanwhile.
func count(err error, sealed *int) error {
	if errors.Is(err, store.ErrConflict) {
		return nil
	}
	if err == nil {
		*sealed++
	}
	return err
}
