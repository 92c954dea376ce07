package storetest

import (
	"testing"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
)

// owned is a waiting room and its owner, who keeps nothing in memory.
type owned struct {
	room  rooms.WaitingRoom
	fence store.Fence
}

// own stores a room and claims it.
func own(t *testing.T, s store.Store, w rooms.WaitingRoom, owner string) owned {
	t.Helper()
	mustBe(t, s.PutRoom(t.Context(), w), nil)
	c := claimOf(owner)
	c.Room = w.ID
	return owned{w, mustClaim(t, s, c).Fence}
}

// do decides by what is stored alone, as an owner does that has just taken over, and stores what came of it.
func (o owned) do(t *testing.T, s store.Store, cmd rooms.Command) *rooms.Visit {
	t.Helper()
	about, visits, err := s.LoadRoom(t.Context(), o.room.ID)
	mustBe(t, err, nil)
	out, err := rooms.NewRoom(about, visits).Apply(cmd, base)
	mustBe(t, err, nil)
	mustBe(t, s.Commit(t.Context(), store.Batch{Room: o.room.ID, Fence: o.fence, Visits: out.Visits}), nil)
	return out.Visit
}

// transferEachStep brings a visit from one owner's room to another's. After each step both rooms are loaded anew.
func transferEachStep(t *testing.T, s store.Store) {
	other := room
	other.ID = rooms.RoomID(id(3))
	a, b := own(t, s, room, "a"), own(t, s, other, "b")
	system, desk := rooms.Actor{System: true}, rooms.Actor{Staff: "s", Name: "Desk", Role: rooms.FrontDesk}
	first, seat := rooms.VisitID(id(100)), rooms.SeatID(id(101))
	a.do(t, s, rooms.Command{Actor: system, Visit: first, Do: rooms.Create{Visit: rooms.Visit{
		ID: first, Room: room.ID, Clinic: clinic, Reason: "cough", Seats: []rooms.Seat{{ID: seat, Role: rooms.Patient, Name: "Zoë"}},
	}}})
	a.do(t, s, rooms.Command{Actor: rooms.Actor{Seat: seat}, Visit: first, Do: rooms.CheckIn{}})

	moving := a.do(t, s, rooms.Command{Actor: desk, Visit: first, Do: rooms.Transfer{To: other.ID, Reason: "a rash"}})
	mustEqual(t, must(s.Visit(t.Context(), first))(t), moving)
	receive := rooms.Command{Actor: system, Visit: moving.Forward.Visit, Do: rooms.Receive{Visit: *moving}}
	there := b.do(t, s, receive)
	mustEqual(t, b.do(t, s, receive), there) // its owner died before anybody heard of it
	depart := rooms.Command{Actor: system, Visit: first, Do: rooms.Depart{Visit: there.ID}}
	left := a.do(t, s, depart)
	for room, want := range map[rooms.RoomID]*rooms.Visit{room.ID: left, other.ID: there} {
		_, visits, err := s.LoadRoom(t.Context(), room)
		mustBe(t, err, nil)
		mustEqual(t, visits, []*rooms.Visit{want})
	}
	// One ID is in one room alone, whoever asks.
	stray := *left
	stray.Room, stray.Version = other.ID, left.Version+1
	mustBe(t, s.Commit(t.Context(), store.Batch{Room: other.ID, Fence: b.fence, Visits: []*rooms.Visit{&stray}}), store.ErrConflict)
	// What is left can be erased, and says all the same where the visit went.
	a.do(t, s, rooms.Command{Actor: system, Visit: first, Do: rooms.Erase{}})
	if _, visits, err := s.LoadRoom(t.Context(), room.ID); err != nil || len(visits) > 0 {
		t.Errorf("%d visits after the erasure, %v", len(visits), err)
	}
	mustEqual(t, must(s.Visit(t.Context(), first))(t).Forward, left.Forward)
}
