// Package store says what the server asks of whatever keeps its data: visits with their versions, the
// directory of clinics, rooms, staff and keys, reservations that make creation idempotent, and leases that say
// which instance owns a waiting room.
//
// Implementations are in packages below it and pass one conformance suite, storetest. It knows
// nothing of the rules of visits: those are in package rooms.
package store

import (
	"context"
	"errors"
	"time"

	"github.com/anteroom/anteroom/rooms"
)

// What a Store answers, wrapped, besides the context's errors.
var (
	ErrNotFound = errors.New("store: not found")
	// ErrConflict refuses a batch with a visit whose version is not newer than the stored one.
	ErrConflict = errors.New("store: version conflict")
	// ErrFenced refuses what an instance does for a waiting room that it does not own (any more). The error is a
	// FencedError, which has the lease in force.
	ErrFenced = errors.New("store: waiting room is owned otherwise")
	// ErrBehind refuses a batch because the store has lost an earlier one of the same owner, who has to Repair it.
	ErrBehind = errors.New("store: earlier writes are missing")
	// ErrUnavailable wraps why the store cannot do its work now. A write that ends with it, or with the
	// context's error, may or may not have become durable; a Batch can be repeated until it is, or ErrConflict
	// tells that it was.
	ErrUnavailable = errors.New("store: unavailable")
	// ErrSchema refuses data that a newer version of the program has written: see Schemas.
	ErrSchema = errors.New("store: unknown schema version")
	// ErrSealed says that what is stored was not sealed for its place by a key that is known: it was moved, changed, or
	// is of a key that was taken away.
	ErrSealed = errors.New("store: sealed record cannot be opened")
	// ErrBadBatch refuses a batch that mixes rooms or holds a visit without an ID or a version.
	ErrBadBatch = errors.New("store: bad batch")
)

// Kinds of reservations.
const (
	KindKey      = "key"      // an Idempotency-Key; forgotten by Expire
	KindExternal = "external" // a clinic's own identifier of a visit
)

// MaxList bounds ListVisits; a limit of 0 or beyond it means MaxList.
const MaxList = 1000

// Batch is a set of new visits of one room that become durable together or not at all.
type Batch struct {
	Room   rooms.RoomID
	Visits []*rooms.Visit

	// Fence is the writer's ownership of the room. The zero one is for a room that nobody owns.
	Fence Fence
	// Seq numbers an owner's batches, upwards from 1, with gaps or without; 0 leaves the stored number alone. The
	// owner finds it in its Lease again.
	Seq uint64
	// After is the highest Seq that the owner knows to be durable. A store whose number is lower has lost
	// something, and answers ErrBehind. Without a fence it is not looked at.
	After uint64
	// Repair writes again what a store has lost: visits that are stored with the same version are left
	// out, and After is not looked at. A stored version that is newer is a conflict all the same.
	Repair bool
}

// Reservation ties a key that a clinic has chosen to the visit that was created for it.
type Reservation struct {
	Clinic   rooms.ClinicID `json:"clinic"`
	Kind     string         `json:"kind"`
	Key      string         `json:"key"`
	Visit    rooms.VisitID  `json:"visit"`
	Room     rooms.RoomID   `json:"room"`
	BodyHash [32]byte       `json:"body_hash"` // of the request, to tell a repeat from a reuse
	At       time.Time      `json:"at"`
}

// Store keeps the data of a server. All methods are safe for concurrent use, answer copies, and
// return ErrNotFound for what is not there.
type Store interface {
	// LoadRoom answers a room with all its visits that are not erased, ordered by ID.
	LoadRoom(ctx context.Context, id rooms.RoomID) (rooms.WaitingRoom, []*rooms.Visit, error)
	// Commit is durable when it returns nil, and all or nothing. Batches of one room are committed in the
	// order of the calls.
	Commit(ctx context.Context, b Batch) error
	// Versions answers the version of each visit of a room, erased or not. A room without visits has none.
	Versions(ctx context.Context, room rooms.RoomID) (map[rooms.VisitID]uint64, error)
	// Locate says anew in which room visits are, for Visit to find them. A store that cannot lose that alone has nothing to
	// do. Visits that are not there are not there afterwards either.
	Locate(ctx context.Context, room rooms.RoomID, ids []rooms.VisitID) error
	// Visit answers a visit, erased or not.
	Visit(ctx context.Context, id rooms.VisitID) (*rooms.Visit, error)
	// ListVisits answers up to limit visits of a room, erased ones too, with IDs above after, ordered by ID.
	ListVisits(ctx context.Context, room rooms.RoomID, after rooms.VisitID, limit int) ([]*rooms.Visit, error)
	// Reserve stores r unless there is one of the same clinic, kind and key; it answers the stored one, and
	// true if that is new.
	Reserve(ctx context.Context, r Reservation) (Reservation, bool, error)
	// Expire forgets reservations of KindKey made before a time.
	Expire(ctx context.Context, before time.Time) error

	PutClinic(ctx context.Context, c rooms.Clinic) error
	Clinic(ctx context.Context, id rooms.ClinicID) (rooms.Clinic, error)
	Clinics(ctx context.Context) ([]rooms.Clinic, error)
	PutRoom(ctx context.Context, w rooms.WaitingRoom) error
	Room(ctx context.Context, id rooms.RoomID) (rooms.WaitingRoom, error)
	Rooms(ctx context.Context, clinic rooms.ClinicID) ([]rooms.WaitingRoom, error)
	PutStaff(ctx context.Context, s rooms.Staff) error
	Staff(ctx context.Context, id rooms.StaffID) (rooms.Staff, error)
	StaffOf(ctx context.Context, clinic rooms.ClinicID) ([]rooms.Staff, error)
	PutKey(ctx context.Context, k rooms.APIKey) error
	KeyByHash(ctx context.Context, hash [32]byte) (rooms.APIKey, error)
	Keys(ctx context.Context, clinic rooms.ClinicID) ([]rooms.APIKey, error)

	Leases
	Portable
	Schemas

	// Ping tells whether the store can be written now.
	Ping(ctx context.Context) error
	Close() error
}
