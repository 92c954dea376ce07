package store

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/anteroom/anteroom/rooms"
)

// ErrDiffers says that a copy is not the same as what was copied: the target had something else of the clinic, or
// the source changed meanwhile.
var ErrDiffers = errors.New("store: copy differs")

// copyTTL is how long a room that is being copied is kept from others, longer than one of its batches takes.
const copyTTL = 30 * time.Second

// Inventory is what a store has of a clinic.
type Inventory struct {
	Rooms        int    `json:"rooms"`
	Staff        int    `json:"staff"`
	Keys         int    `json:"keys"`
	Visits       int    `json:"visits"` // erased ones too
	Reservations int    `json:"reservations"`
	Digest       string `json:"digest"` // SHA-256 of all records, in hex
}

// Copy copies a clinic with all that belongs to it, and compares. Nothing is changed in from. Rooms with a lease in
// force, in either, are refused with a FencedError. It may be repeated, and goes on where it was: what is there is left as it is.
func Copy(ctx context.Context, from, to Store, clinic rooms.ClinicID) (Inventory, error) {
	c, err := from.Clinic(ctx, clinic)
	if err != nil {
		return Inventory{}, err
	}
	if err := to.PutClinic(ctx, c); err != nil {
		return Inventory{}, err
	}
	for _, part := range []func(context.Context, Store, Store, rooms.ClinicID) error{
		copyStaff, copyKeys, copyRooms, copyReservations,
	} {
		if err := part(ctx, from, to, clinic); err != nil {
			return Inventory{}, err
		}
	}
	had, err := TakeInventory(ctx, from, clinic)
	if err != nil {
		return Inventory{}, err
	}
	has, err := TakeInventory(ctx, to, clinic)
	if err == nil && has != had {
		err = fmt.Errorf("%w: %+v instead of %+v", ErrDiffers, has, had)
	}
	return has, err
}

func copyStaff(ctx context.Context, from, to Store, clinic rooms.ClinicID) error {
	return each(ctx, from.StaffOf, clinic, func(s rooms.Staff) error { return to.PutStaff(ctx, s) })
}

func copyKeys(ctx context.Context, from, to Store, clinic rooms.ClinicID) error {
	return each(ctx, from.Keys, clinic, func(k rooms.APIKey) error { return to.PutKey(ctx, k) })
}

func copyReservations(ctx context.Context, from, to Store, clinic rooms.ClinicID) error {
	return from.Reservations(ctx, clinic, func(k Kept) error { return to.Keep(ctx, k) })
}

func copyRooms(ctx context.Context, from, to Store, clinic rooms.ClinicID) error {
	return each(ctx, from.Rooms, clinic, func(w rooms.WaitingRoom) error {
		if err := copyRoom(ctx, from, to, w); err != nil {
			return fmt.Errorf("waiting room %s: %w", w.ID, err)
		}
		return nil
	})
}

// copyRoom owns the room in to while it writes, with an epoch above all that from has given.
func copyRoom(ctx context.Context, from, to Store, w rooms.WaitingRoom) error {
	had, err := from.Holder(ctx, w.ID)
	switch {
	case err == nil && had.Left > 0:
		return &FencedError{Room: w.ID, Lease: had}
	case err != nil && !errors.Is(err, ErrNotFound):
		return err
	}
	if err := to.PutRoom(ctx, w); err != nil {
		return err
	}
	own, err := to.Claim(ctx, Claim{
		Room: w.ID, Owner: "store copy", Nonce: rand.Text(), TTL: copyTTL, After: had.Epoch,
	})
	if err != nil {
		return err
	}
	held := Held{Room: w.ID, Fence: own.Fence}
	err = eachVisit(ctx, from, w.ID, func(page []*rooms.Visit) error {
		for chunk := range slices.Chunk(page, repairChunk) {
			if err := to.Renew(ctx, []Held{held}, copyTTL)[0].Err; err != nil {
				return err
			}
			if err := to.Commit(ctx, Batch{Room: w.ID, Visits: chunk, Fence: own.Fence, Repair: true}); err != nil {
				return err
			}
		}
		return nil
	})
	return errors.Join(err, to.Release(ctx, held))
}

// TakeInventory reads everything that a store has of a clinic.
func TakeInventory(ctx context.Context, s Store, clinic rooms.ClinicID) (Inventory, error) {
	var n Inventory
	sum := sha256.New()
	err := Walk(ctx, s, clinic, func(record any) error {
		switch record.(type) {
		case rooms.WaitingRoom:
			n.Rooms++
		case rooms.Staff:
			n.Staff++
		case rooms.APIKey:
			n.Keys++
		case *rooms.Visit:
			n.Visits++
		case Kept:
			n.Reservations++
		}
		raw, err := json.Marshal(record)
		if err == nil {
			_, err = fmt.Fprintf(sum, "%T %s\n", record, raw)
		}
		return err
	})
	n.Digest = hex.EncodeToString(sum.Sum(nil))
	return n, err
}

// Walk calls yield with each record of a clinic, in the same order for every store: the rooms.Clinic, its rooms.Staff,
// rooms.APIKey, each rooms.WaitingRoom with its *rooms.Visit, and Kept. An error of yield ends it and is answered.
func Walk(ctx context.Context, s Store, clinic rooms.ClinicID, yield func(record any) error) error {
	c, err := s.Clinic(ctx, clinic)
	if err != nil {
		return err
	}
	if err := yield(c); err != nil {
		return err
	}
	if err := each(ctx, s.StaffOf, clinic, func(p rooms.Staff) error { return yield(p) }); err != nil {
		return err
	}
	if err := each(ctx, s.Keys, clinic, func(k rooms.APIKey) error { return yield(k) }); err != nil {
		return err
	}
	err = each(ctx, s.Rooms, clinic, func(w rooms.WaitingRoom) error {
		if err := yield(w); err != nil {
			return err
		}
		return eachVisit(ctx, s, w.ID, func(page []*rooms.Visit) error {
			for _, v := range page {
				if err := yield(v); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	var all []Kept
	err = s.Reservations(ctx, clinic, func(k Kept) error {
		all = append(all, k)
		return nil
	})
	slices.SortFunc(all, func(a, b Kept) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), bytes.Compare(a.Hash[:], b.Hash[:])) })
	for _, k := range all {
		if err == nil {
			err = yield(k)
		}
	}
	return err
}

func each[T any](
	ctx context.Context, list func(context.Context, rooms.ClinicID) ([]T, error), clinic rooms.ClinicID, do func(T) error,
) error {
	all, err := list(ctx, clinic)
	for _, record := range all {
		if err == nil {
			err = do(record)
		}
	}
	return err
}

// eachVisit reads a room page by page, erased visits too.
func eachVisit(ctx context.Context, s Store, room rooms.RoomID, do func([]*rooms.Visit) error) error {
	var after rooms.VisitID
	for {
		page, err := s.ListVisits(ctx, room, after, MaxList)
		if err != nil || len(page) == 0 {
			return err
		}
		if err := do(page); err != nil {
			return err
		}
		after = page[len(page)-1].ID
	}
}
