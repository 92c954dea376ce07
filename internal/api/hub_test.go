package api

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
)

// simpleHub owns rooms as the hub does, without people: it decides by package rooms and makes each change durable
// before it answers.
type simpleHub struct {
	store store.Store
	now   func() time.Time

	mu      sync.Mutex
	rooms   map[rooms.RoomID]*rooms.Room
	changed map[rooms.RoomID]int
	fail    error // answered instead of doing anything
}

func newSimpleHub(st store.Store, now func() time.Time) *simpleHub {
	return &simpleHub{store: st, now: now, rooms: map[rooms.RoomID]*rooms.Room{}, changed: map[rooms.RoomID]int{}}
}

func (h *simpleHub) room(ctx context.Context, id rooms.RoomID) (*rooms.Room, error) {
	if r, ok := h.rooms[id]; ok {
		return r, nil
	}
	w, visits, err := h.store.LoadRoom(ctx, id)
	if err != nil {
		return nil, err
	}
	h.rooms[id] = rooms.NewRoom(w, visits)
	return h.rooms[id], nil
}

func (h *simpleHub) Do(ctx context.Context, id rooms.RoomID, cmd rooms.Command) (rooms.Outcome, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fail != nil {
		return rooms.Outcome{}, h.fail
	}
	r, err := h.room(ctx, id)
	if err != nil {
		return rooms.Outcome{}, err
	}
	out, err := r.Apply(cmd, h.now())
	if err != nil || len(out.Visits) == 0 {
		return out, err
	}
	if err := h.store.Commit(ctx, store.Batch{Room: id, Visits: out.Visits}); err != nil {
		return rooms.Outcome{}, err
	}
	r.Install(out.Visits...)
	for _, v := range out.Visits {
		if !v.ErasedAt.IsZero() {
			r.Remove(v.ID)
		}
	}
	return out, nil
}

func (h *simpleHub) Visit(ctx context.Context, id rooms.RoomID, visit rooms.VisitID) (*rooms.Visit, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r, err := h.room(ctx, id)
	if err != nil {
		return nil, err
	}
	if v, ok := r.Visit(visit); ok {
		return v, nil
	}
	return nil, rooms.ErrNoVisit
}

func (h *simpleHub) RoomChanged(id rooms.RoomID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.changed[id]++
}

func (h *simpleHub) changes(id rooms.RoomID) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.changed[id]
}

func (h *simpleHub) failWith(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fail = err
}

var errBroken = errors.New("broken")
