package store

import (
	"context"

	"github.com/anteroom/anteroom/rooms"
)

// Kept is a reservation as a store keeps it: its key is a hash, of which the key cannot be had back.
type Kept struct {
	Reservation          // without its Key
	Hash        [32]byte `json:"hash"` // of clinic and key: see HashKey
}

// Portable is what moves a store's data to another, and what makes its records new without changing what they say.
// Servers at work do not need the first two.
type Portable interface {
	// Reservations calls yield with each reservation of a clinic until it answers an error, which is then
	// answered. What is reserved or forgotten meanwhile may be among them or not.
	Reservations(ctx context.Context, clinic rooms.ClinicID, yield func(Kept) error) error
	// Keep stores a reservation unless there is one of the same kind and hash.
	Keep(ctx context.Context, k Kept) error

	// SwapVisit puts next in the place of a visit with the same version, if the stored one is still exactly old;
	// else it answers ErrConflict. It needs no fence, because it changes no version and never brings anything older back.
	SwapVisit(ctx context.Context, old, next *rooms.Visit) error
	// SwapStaff does so with a member of staff.
	SwapStaff(ctx context.Context, old, next rooms.Staff) error
}
