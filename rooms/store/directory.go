package store

import (
	"context"
	"errors"

	"github.com/anteroom/anteroom/rooms"
)

// Directory is what a store has of all clinics besides visits and reservations. It is not changed.
type Directory struct {
	clinics []rooms.Clinic
	rooms   []rooms.WaitingRoom
	staff   []rooms.Staff
	keys    []rooms.APIKey
}

// TakeDirectory reads it. Instances keep one that is not old, because with a store that comes back empty nobody else has it.
func TakeDirectory(ctx context.Context, s Store) (*Directory, error) {
	d := &Directory{}
	var err error
	if d.clinics, err = s.Clinics(ctx); err != nil {
		return nil, err
	}
	for _, c := range d.clinics {
		w, err1 := s.Rooms(ctx, c.ID)
		p, err2 := s.StaffOf(ctx, c.ID)
		k, err3 := s.Keys(ctx, c.ID)
		if err := errors.Join(err1, err2, err3); err != nil {
			return nil, err
		}
		d.rooms, d.staff, d.keys = append(d.rooms, w...), append(d.staff, p...), append(d.keys, k...)
	}
	return d, nil
}

// Clinics is how many clinics it has. One without any is worth nothing to Refill, and no reason to forget an earlier one.
func (d *Directory) Clinics() int { return len(d.clinics) }

// Refill writes what a store lacks of it, and answers how many records that were. It replaces nothing: what is there is as
// new or newer. What was disabled since the directory was taken, and then lost, is enabled again by it. It may be repeated, by several. Clinics come last:
// who finds one finds all that belongs to it.
func (d *Directory) Refill(ctx context.Context, s Store) (written int, err error) {
	for _, p := range d.staff {
		_, err := s.Staff(ctx, p.ID)
		if err := lacking(err, &written, func() error { return s.PutStaff(ctx, p) }); err != nil {
			return written, err
		}
	}
	for _, k := range d.keys {
		_, err := s.KeyByHash(ctx, k.Hash)
		if err := lacking(err, &written, func() error { return s.PutKey(ctx, k) }); err != nil {
			return written, err
		}
	}
	for _, w := range d.rooms {
		_, err := s.Room(ctx, w.ID)
		if err := lacking(err, &written, func() error { return s.PutRoom(ctx, w) }); err != nil {
			return written, err
		}
	}
	for _, c := range d.clinics {
		_, err := s.Clinic(ctx, c.ID)
		if err := lacking(err, &written, func() error { return s.PutClinic(ctx, c) }); err != nil {
			return written, err
		}
	}
	return written, nil
}

// lacking writes a record that was not found.
func lacking(found error, written *int, put func() error) error {
	if !errors.Is(found, ErrNotFound) {
		return found
	}
	*written++
	return put()
}
