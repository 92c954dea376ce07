package store

import (
	"context"
	"fmt"
	"time"

	"github.com/anteroom/anteroom/rooms"
)

// Bounds of what Leases takes.
const (
	MaxTTL   = time.Minute // of a lease and of an instance
	MaxOwner = 512         // bytes of Claim.Owner, Claim.Nonce and Instance.ID
	MaxAbout = 4096        // bytes of Instance.About
)

// Fence names one ownership of one waiting room. Fences are compared for equality alone; that epochs grow is for
// those who have seen one and meet another.
type Fence struct {
	Epoch int64  `json:"epoch"` // above every earlier one of the room, and not below the store's clock in ms since 1970
	Nonce string `json:"nonce"` // the owner's, of one claim
}

// IsZero tells whether f is the fence of a room that nobody owns.
func (f Fence) IsZero() bool { return f == Fence{} }

// Lease is an ownership as the store knows it.
type Lease struct {
	Fence
	Owner string        // how others reach the owner: what its Claim said
	Left  time.Duration // until the lease ends by the store's clock, when the store answered; not positive: it has ended
	Seq   uint64        // the highest Batch.Seq that was committed under this fence and is still there
}

// Claim asks for a waiting room.
type Claim struct {
	Room  rooms.RoomID
	Owner string        // how others reach the claimant; no personal data
	Nonce string        // of this claim, never used before, and the same when the claim is repeated
	TTL   time.Duration // up to MaxTTL
	// Over is an ownership that the claimant knows to be over: of an instance that is dead, or its own. The claim is
	// granted over a lease in force if that is of this fence or has a lower epoch, which is what a store that has lost
	// the newest claim still holds. It also lets a room be claimed that the store has lost as a whole.
	Over Fence
	// After is an epoch that the claimant has seen somewhere; what it gets is higher.
	After int64
}

// Held is an ownership to be renewed.
type Held struct {
	Room rooms.RoomID
	Fence
}

// Renewal is what became of one.
type Renewal struct {
	Lease Lease // if Err is nil
	Err   error // a FencedError if the store knows another owner, or none; ErrUnavailable, or the context's
}

// Instance is a server that takes waiting rooms.
type Instance struct {
	ID    string        // up to MaxOwner bytes
	About []byte        // what it tells the others of itself, up to MaxAbout bytes; the store does not look into it
	Left  time.Duration // of the time for which it announced itself, when the store answered
}

// Leases say who owns what. All times are by the store's clock, so that instances need not agree on theirs; that
// of a store which fails over or is set may jump.
type Leases interface {
	// Claim gets a room whose lease has ended, was released or is over by Claim.Over. Repeated with the same nonce
	// it answers the same fence and extends the lease. A room in another's hands is a FencedError, a room that the
	// store does not know ErrNotFound.
	Claim(ctx context.Context, c Claim) (Lease, error)
	// Renew lets leases last for ttl from now, those too that have ended and that nobody else has claimed. It
	// answers one Renewal for each, in order.
	Renew(ctx context.Context, held []Held, ttl time.Duration) []Renewal
	// Release ends an ownership. Its repetition is nil; a room that somebody else has is a FencedError.
	Release(ctx context.Context, h Held) error
	// Holder answers the newest lease of a room, be it in force or not: ErrNotFound if there was never one. After a
	// Release it has no nonce and no owner.
	Holder(ctx context.Context, room rooms.RoomID) (Lease, error)

	// Announce lists an instance, or lists it anew, for ttl from now.
	Announce(ctx context.Context, i Instance, ttl time.Duration) error
	// Withdraw takes it off the list.
	Withdraw(ctx context.Context, id string) error
	// Instances answers who is listed, by ID.
	Instances(ctx context.Context) ([]Instance, error)
}

// FencedError is an ErrFenced with the lease that stands in the way. A zero lease says that the store knows none: it
// has lost it, or the owner has released it.
type FencedError struct {
	Room  rooms.RoomID
	Lease Lease
}

// Error names no nonce, which is as good as the right to write.
func (e *FencedError) Error() string {
	return fmt.Sprintf("%v: %s is at epoch %d", ErrFenced, e.Room, e.Lease.Epoch)
}

// Unwrap makes it an ErrFenced.
func (e *FencedError) Unwrap() error { return ErrFenced }

// Check refuses a claim that no store should be asked for.
func (c Claim) Check() error {
	switch {
	case c.Room == "" || c.Owner == "" || c.Nonce == "" || len(c.Owner) > MaxOwner || len(c.Nonce) > MaxOwner:
		return fmt.Errorf("%w: claim without room, owner or nonce, or with too long ones", ErrBadBatch)
	case c.After < 0 || c.Over.Epoch < 0:
		return fmt.Errorf("%w: negative epoch", ErrBadBatch)
	}
	return CheckTTL(c.TTL)
}

// Check refuses an announcement that no store should be asked for.
func (i Instance) Check(ttl time.Duration) error {
	if i.ID == "" || len(i.ID) > MaxOwner || len(i.About) > MaxAbout {
		return fmt.Errorf("%w: instance without an ID, or too long", ErrBadBatch)
	}
	return CheckTTL(ttl)
}

// CheckTTL refuses how long something shall last.
func CheckTTL(ttl time.Duration) error {
	if ttl < time.Millisecond || ttl > MaxTTL {
		return fmt.Errorf("%w: %v is not from 1 ms to %v", ErrBadBatch, ttl, MaxTTL)
	}
	return nil
}
