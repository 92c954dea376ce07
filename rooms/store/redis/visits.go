package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
)

// A page of a room is one script, during which Redis does nothing else.
const (
	pageVisits = 500
	pageBytes  = 1 << 20
	wholeBytes = 1 << 40
	loadTries  = 3   // in pages; then at once
	pointChunk = 500 // visits that are located with one exchange
)

// LoadRoom answers a room with all its visits that are not erased, at one moment: if the room is written
// between two pages, it begins anew, and at last reads the room in one piece.
func (db *DB) LoadRoom(ctx context.Context, id rooms.RoomID) (rooms.WaitingRoom, []*rooms.Visit, error) {
	for try := range loadTries + 1 {
		visits, bytes := pageVisits, pageBytes
		if try == loadTries {
			visits, bytes = store.MaxVersion, wholeBytes
		}
		w, list, whole, err := db.loadRoom(ctx, id, visits, bytes)
		if err != nil || whole {
			return w, list, err
		}
	}
	return rooms.WaitingRoom{}, nil, unavailable(errAnswer) // a single piece is always whole
}

func (db *DB) loadRoom(
	ctx context.Context, id rooms.RoomID, visits, bytes int,
) (w rooms.WaitingRoom, list []*rooms.Visit, whole bool, err error) {
	var after rooms.VisitID
	rev := ""
	for {
		p, err := db.page(ctx, id, "l", after, visits, bytes)
		if err != nil {
			return rooms.WaitingRoom{}, nil, false, err
		}
		if p.about == "" {
			return rooms.WaitingRoom{}, nil, false, store.ErrNotFound
		}
		if rev != "" && rev != p.rev {
			return rooms.WaitingRoom{}, nil, false, nil
		}
		rev = p.rev
		if list = append(list, p.visits...); !p.more {
			err := db.decode(p.about, &w)
			return w, list, true, err
		}
		after = list[len(list)-1].ID
	}
}

// ListVisits answers visits of a room, erased ones too.
func (db *DB) ListVisits(
	ctx context.Context, room rooms.RoomID, after rooms.VisitID, limit int,
) ([]*rooms.Visit, error) {
	if limit <= 0 || limit > store.MaxList {
		limit = store.MaxList
	}
	var list []*rooms.Visit
	for {
		p, err := db.page(ctx, room, "a", after, min(limit-len(list), pageVisits), pageBytes)
		if err != nil {
			return nil, err
		}
		list = append(list, p.visits...)
		if !p.more || len(list) >= limit {
			return list, nil
		}
		after = list[len(list)-1].ID
	}
}

type page struct {
	rev, about string
	more       bool
	visits     []*rooms.Visit
}

func (db *DB) page(ctx context.Context, room rooms.RoomID, which string, after rooms.VisitID, most, bytes int) (page, error) {
	answer, err := db.run(ctx, db.o.Timeout, loadScript, db.keys.room(room), which, string(after), most, bytes)
	if err != nil {
		return page{}, err
	}
	got, ok := answer.([]any)
	if !ok || len(got) < 3 {
		return page{}, unavailable(errAnswer)
	}
	p := page{rev: textOf(got[0]), about: textOf(got[1]), more: textOf(got[2]) == "1"}
	for _, raw := range got[3:] {
		v := new(rooms.Visit)
		if err := db.decode(textOf(raw), v); err != nil {
			return page{}, err
		}
		p.visits = append(p.visits, v)
	}
	if p.more && len(p.visits) == 0 {
		return page{}, unavailable(errAnswer)
	}
	return p, nil
}

// Visit answers a visit, erased or not: where it is, and then itself.
func (db *DB) Visit(ctx context.Context, id rooms.VisitID) (*rooms.Visit, error) {
	room, err := db.get(ctx, db.keys.visit(id))
	if err != nil {
		return nil, err
	}
	var raw string
	err = db.call(ctx, db.o.Timeout, func(ctx context.Context) (err error) {
		raw, err = db.client.HGet(ctx, db.keys.room(rooms.RoomID(room))[1], string(id)).Result()
		return err
	})
	if err != nil {
		return nil, err
	}
	v := new(rooms.Visit)
	if err := db.decode(raw, v); err != nil {
		return nil, err
	}
	return v, nil
}

// Versions answers the version of each visit of a room.
func (db *DB) Versions(ctx context.Context, room rooms.RoomID) (map[rooms.VisitID]uint64, error) {
	versions := map[rooms.VisitID]uint64{}
	var fields map[string]string
	err := db.call(ctx, db.o.Timeout, func(ctx context.Context) (err error) {
		fields, err = db.client.HGetAll(ctx, db.keys.room(room)[0]).Result()
		return err
	})
	for name, value := range fields {
		if id, ok := strings.CutPrefix(name, "v:"); ok && err == nil {
			versions[rooms.VisitID(id)], err = strconv.ParseUint(value, 10, 64)
			if err != nil {
				err = unavailable(err)
			}
		}
	}
	return versions, err
}

// Commit writes a batch with one exchange, or three if it has new visits: where they are is said before they are there,
// so that a visit that is there can be found.
func (db *DB) Commit(ctx context.Context, b store.Batch) error {
	if err := errors.Join(b.Check(), checkRoom(b.Room)); err != nil {
		return err
	}
	if len(b.Visits) == 0 && b.Seq == 0 {
		return nil
	}
	args := []any{b.Fence.Epoch, b.Fence.Nonce, b.Seq, b.After, bit(b.Repair), bit(false)}
	pointed, isNew := len(args)-1, b.Repair
	ids := make([]rooms.VisitID, len(b.Visits))
	for i, v := range b.Visits {
		ids[i] = v.ID
		raw, err := db.encode(v)
		if err != nil {
			return err
		}
		args = append(args, string(v.ID), v.Version, bit(v.ErasedAt.IsZero()), raw)
		isNew = isNew || v.Version == 1
	}
	for {
		if isNew {
			if err := db.Locate(ctx, b.Room, ids); err != nil {
				return err
			}
			args[pointed] = bit(true)
		}
		answer, err := db.run(ctx, db.o.Timeout, commitScript, db.keys.room(b.Room), args...)
		if err != nil {
			return err
		}
		what, rest := split(answer)
		if what == "new" && !isNew {
			isNew = true
			continue
		}
		return refusal(b.Room, what, rest)
	}
}

// Locate says in which room visits are. One that is said to be in another belongs there: ErrConflict.
func (db *DB) Locate(ctx context.Context, room rooms.RoomID, ids []rooms.VisitID) error {
	for chunk := range slices.Chunk(ids, pointChunk) {
		keys := make([][]string, len(chunk))
		for i, id := range chunk {
			keys[i] = []string{db.keys.visit(id)}
		}
		answers, errs := db.runAll(ctx, db.o.Timeout, pointScript, keys, func(int) []any { return []any{string(room)} })
		for i, err := range errs {
			if err != nil {
				return err
			}
			if textOf(answers[i]) != string(room) {
				return fmt.Errorf("redis: %w: visit %s is of another room", store.ErrConflict, chunk[i])
			}
		}
	}
	return ctx.Err()
}

// refusal turns what a script answered into an error, or nil.
func refusal(room rooms.RoomID, what string, rest []string) error {
	switch {
	case what == "ok":
		return nil
	case what == "unknown":
		return store.ErrNotFound
	case what == "fenced":
		l, err := leaseOf(rest)
		if err != nil {
			return err
		}
		return &store.FencedError{Room: room, Lease: l}
	case what == "behind" && len(rest) == 1:
		return fmt.Errorf("redis: %w: stored are those up to %s", store.ErrBehind, rest[0])
	case what == "conflict" && len(rest) == 2:
		return fmt.Errorf("redis: %w: visit %s has version %s", store.ErrConflict, rest[0], rest[1])
	}
	return unavailable(errAnswer)
}

// split takes an answer apart into what happened and the rest.
func split(answer any) (what string, rest []string) {
	list, _ := answer.([]any)
	for i, e := range list {
		if i == 0 {
			what = textOf(e)
		} else {
			rest = append(rest, textOf(e))
		}
	}
	return what, rest
}

func textOf(e any) string {
	s, _ := e.(string)
	return s
}

func bit(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

func (db *DB) get(ctx context.Context, key string) (string, error) {
	var raw string
	err := db.call(ctx, db.o.Timeout, func(ctx context.Context) (err error) {
		raw, err = db.client.Get(ctx, key).Result()
		return err
	})
	return raw, err
}
