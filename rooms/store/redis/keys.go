package redis

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
)

// heldShards is how many slots reservations are spread over. It is part of the schema.
const heldShards = 64

// keys names what is stored. A prefix keeps what shares a Redis apart.
type keys struct{ prefix string }

// room are a waiting room's keys, which have one hash tag.
func (k keys) room(id rooms.RoomID) []string {
	tag := k.prefix + ":{" + string(id) + "}:"
	return []string{tag + "room", tag + "visits", tag + "index"}
}

func (k keys) schema() string                       { return k.prefix + ":schema" }
func (k keys) instances() string                    { return k.prefix + ":instances" }
func (k keys) clinics() string                      { return k.prefix + ":clinics" }
func (k keys) visit(id rooms.VisitID) string        { return k.prefix + ":visit:" + string(id) }
func (k keys) staff(id rooms.StaffID) string        { return k.prefix + ":staff:" + string(id) }
func (k keys) key(hash string) string               { return k.prefix + ":key:" + hash }
func (k keys) roomsOf(clinic rooms.ClinicID) string { return k.prefix + ":rooms-of:" + string(clinic) }

func (k keys) staffOf(clinic rooms.ClinicID) string { return k.prefix + ":staff-of:" + string(clinic) }

func (k keys) keysOf(clinic rooms.ClinicID) string { return k.prefix + ":keys-of:" + string(clinic) }

// held are the keys of a shard of reservations.
func (k keys) held(kind string, shard int) []string {
	tag := fmt.Sprintf("%s:{held:%02d}:", k.prefix, shard)
	return []string{tag + kind, tag + kind + ":times"}
}

func (k keys) heldOf(kind string, hash [32]byte) []string {
	return k.held(kind, int(hash[0])%heldShards)
}

func hexOf(hash [32]byte) string { return hex.EncodeToString(hash[:]) }

// checkRoom refuses what would break the hash tag; IDs that rooms.NewID made never do.
func checkRoom(id rooms.RoomID) error {
	if strings.ContainsAny(string(id), "{}") {
		return fmt.Errorf("%w: room with braces in its ID", store.ErrBadBatch)
	}
	return nil
}
