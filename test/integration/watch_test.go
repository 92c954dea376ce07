package integration

import (
	"context"
	"strings"
	"sync"

	"github.com/anteroom/anteroom/internal/api"
	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
)

// watch notes, without ids, what a request makes the server do: which entries it reads, and what it asks of a waiting room's
// owner. How long a request takes depends on that. A nil watch notes nothing.
type watch struct {
	rooms bool // what their owner reads too

	mu  sync.Mutex
	did []string
}

func (w *watch) note(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.did = append(w.did, what)
}

// take answers what was done since the last take.
func (w *watch) take() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	did := strings.Join(w.did, ", ")
	w.did = nil
	return did
}

// ofREST is the store as the REST API has it.
func (w *watch) ofREST(s store.Store) store.Store {
	if w == nil {
		return s
	}
	return watchedStore{s, func(what string) { w.note("store." + what) }}
}

// ofRooms is the store as the owner of the waiting rooms has it.
func (w *watch) ofRooms(s store.Store) store.Store {
	if w == nil || !w.rooms {
		return s
	}
	return watchedStore{s, func(what string) { w.note("rooms' store." + what) }}
}

func (w *watch) ofHub(h api.Hub) api.Hub {
	if w == nil {
		return h
	}
	return watchedHub{h, w}
}

// watchedStore notes the reads of single entries and of rooms. Writes are seen by what they change.
type watchedStore struct {
	store.Store
	note func(string)
}

func (s watchedStore) LoadRoom(ctx context.Context, id rooms.RoomID) (rooms.WaitingRoom, []*rooms.Visit, error) {
	s.note("LoadRoom")
	return s.Store.LoadRoom(ctx, id)
}

func (s watchedStore) Visit(ctx context.Context, id rooms.VisitID) (*rooms.Visit, error) {
	s.note("Visit")
	return s.Store.Visit(ctx, id)
}

func (s watchedStore) ListVisits(ctx context.Context, room rooms.RoomID, after rooms.VisitID, limit int) ([]*rooms.Visit, error) {
	s.note("ListVisits")
	return s.Store.ListVisits(ctx, room, after, limit)
}

func (s watchedStore) Reserve(ctx context.Context, r store.Reservation) (store.Reservation, bool, error) {
	s.note("Reserve")
	return s.Store.Reserve(ctx, r)
}

func (s watchedStore) Clinic(ctx context.Context, id rooms.ClinicID) (rooms.Clinic, error) {
	s.note("Clinic")
	return s.Store.Clinic(ctx, id)
}

func (s watchedStore) Clinics(ctx context.Context) ([]rooms.Clinic, error) {
	s.note("Clinics")
	return s.Store.Clinics(ctx)
}

func (s watchedStore) Room(ctx context.Context, id rooms.RoomID) (rooms.WaitingRoom, error) {
	s.note("Room")
	return s.Store.Room(ctx, id)
}

func (s watchedStore) Rooms(ctx context.Context, clinic rooms.ClinicID) ([]rooms.WaitingRoom, error) {
	s.note("Rooms")
	return s.Store.Rooms(ctx, clinic)
}

func (s watchedStore) Staff(ctx context.Context, id rooms.StaffID) (rooms.Staff, error) {
	s.note("Staff")
	return s.Store.Staff(ctx, id)
}

func (s watchedStore) StaffOf(ctx context.Context, clinic rooms.ClinicID) ([]rooms.Staff, error) {
	s.note("StaffOf")
	return s.Store.StaffOf(ctx, clinic)
}

func (s watchedStore) Keys(ctx context.Context, clinic rooms.ClinicID) ([]rooms.APIKey, error) {
	s.note("Keys")
	return s.Store.Keys(ctx, clinic)
}

type watchedHub struct {
	api.Hub
	w *watch
}

func (h watchedHub) Do(ctx context.Context, room rooms.RoomID, cmd rooms.Command) (rooms.Outcome, error) {
	h.w.note("hub.Do " + cmd.Do.Name())
	return h.Hub.Do(ctx, room, cmd)
}

func (h watchedHub) Visit(ctx context.Context, room rooms.RoomID, id rooms.VisitID) (*rooms.Visit, error) {
	h.w.note("hub.Visit")
	return h.Hub.Visit(ctx, room, id)
}

func (h watchedHub) RoomChanged(room rooms.RoomID) {
	h.w.note("hub.RoomChanged")
	h.Hub.RoomChanged(room)
}
