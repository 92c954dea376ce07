package store

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/anteroom/anteroom/rooms"
)

// repairChunk is how many visits Repair writes at once, so that no single write holds up a store or outlasts its deadline.
const repairChunk = 100

// Repair has an owner write what a store has lost, after it came back empty or older: about, unless the store has
// the room, and each visit that the store lacks or has an older version of. The last write carries seq; when
// Repair returns nil, everything is durable. It answers how many visits were written. Other data of the clinic is
// not its business. It may be repeated, and is not for use beside a Commit of the same room.
func Repair(
	ctx context.Context, s Store, f Fence, seq uint64, about rooms.WaitingRoom, visits []*rooms.Visit,
) (written int, err error) {
	_, err = s.Room(ctx, about.ID)
	if errors.Is(err, ErrNotFound) {
		err = s.PutRoom(ctx, about)
	}
	if err != nil {
		return 0, err
	}
	stored, err := s.Versions(ctx, about.ID)
	if err != nil {
		return 0, err
	}
	var missing []*rooms.Visit
	ids := make([]rooms.VisitID, len(visits))
	for i, v := range visits {
		ids[i] = v.ID
		if stored[v.ID] < v.Version {
			missing = append(missing, v)
		}
	}
	if err := s.Locate(ctx, about.ID, ids); err != nil {
		return 0, err
	}
	slices.SortFunc(missing, func(a, b *rooms.Visit) int { return strings.Compare(string(a.ID), string(b.ID)) })
	for chunk := range slices.Chunk(missing, repairChunk) {
		b := Batch{Room: about.ID, Visits: chunk, Fence: f, Repair: true}
		if err := s.Commit(ctx, b); err != nil {
			return written, err
		}
		written += len(chunk)
	}
	return written, s.Commit(ctx, Batch{Room: about.ID, Fence: f, Seq: seq, Repair: true})
}
