package store

import (
	"crypto/sha256"
	"fmt"

	"github.com/anteroom/anteroom/rooms"
)

// MaxVersion is the highest version and the highest Seq that every store can keep: a double holds it exactly.
const MaxVersion = 1 << 53

// HashKey is what stores keep of a reservation's key, which may say who somebody is.
func HashKey(clinic rooms.ClinicID, key string) [32]byte {
	return sha256.Sum256([]byte(string(clinic) + "\x00" + key))
}

// CheckKind refuses a kind of reservations that is none.
func CheckKind(kind string) error {
	if kind != KindKey && kind != KindExternal {
		return fmt.Errorf("%w: kind of a reservation", ErrBadBatch)
	}
	return nil
}

// Check refuses a batch that no store should be asked for.
func (b Batch) Check() error {
	if b.Seq > MaxVersion || b.After > MaxVersion || (b.Room == "" && b.Seq > 0) {
		return ErrBadBatch
	}
	for _, v := range b.Visits {
		if v.Room != b.Room || v.Room == "" || v.ID == "" || v.Version == 0 || v.Version > MaxVersion {
			return ErrBadBatch
		}
	}
	return nil
}
