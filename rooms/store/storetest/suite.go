// Package storetest says what every store.Store must do, as tests, and wraps one to make it fail on
// demand. It is imported by tests only.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
)

// Run runs the conformance suite. open makes an empty store of the test's own and closes it in the
// test's clean-up.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	for name, test := range Tests() {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

// Tests are the conformance suite, each for an empty store of its own.
func Tests() map[string]func(*testing.T, store.Store) {
	all := map[string]func(*testing.T, store.Store){
		"Commit_VisitComesBackWhole":            commitVisitComesBackWhole,
		"Commit_OldVersionIsAConflict":          commitOldVersionIsAConflict,
		"Commit_ConflictChangesNothing":         commitConflictChangesNothing,
		"Commit_AnotherRoomsVisitIsRefused":     commitAnotherRoomsVisitIsRefused,
		"Commit_BadBatchIsRefused":              commitBadBatchIsRefused,
		"Commit_VersionsMaySkip":                commitVersionsMaySkip,
		"Commit_ManyAtOnce_EachAnsweredRightly": commitManyAtOnce,
		"Commit_CancelledContextIsAnswered":     commitCancelledContext,
		"LoadRoom_LeavesErasedVisitsOut":        loadRoomLeavesErasedVisitsOut,
		"LoadRoom_RoomsWhoseIDsBeginAlike":      loadRoomRoomsWhoseIDsBeginAlike,
		"ListVisits_PagesByID":                  listVisitsPagesByID,
		"Answers_AreCopies":                     answersAreCopies,
		"Reserve_FirstWins":                     reserveFirstWins,
		"Reserve_ManyAtOnce_OneIsNew":           reserveManyAtOnce,
		"Reserve_KindsAndClinicsAreApart":       reserveKindsAndClinicsAreApart,
		"Expire_ForgetsOldKeysOnly":             expireForgetsOldKeysOnly,
		"Directory_ComesBack":                   directoryComesBack,
		"Directory_ClinicsAreApart":             directoryClinicsAreApart,
		"Directory_PutReplaces":                 directoryPutReplaces,
		"NotFound_IsSaidSo":                     notFoundIsSaidSo,
		"Transfer_EachStepIsDurable":            transferEachStep,
		"Close_LaterCallsAreUnavailable":        closeLaterCallsAreUnavailable,
	}
	maps.Copy(all, leaseTests)
	maps.Copy(all, portableTests)
	return all
}

var (
	base   = time.Date(2026, 3, 4, 5, 6, 7, 89, time.UTC)
	clinic = rooms.ClinicID(id(1))
	room   = rooms.WaitingRoom{
		ID: rooms.RoomID(id(2)), Clinic: clinic, Name: "Room", Order: rooms.BySchedule,
		Retention: time.Hour, UsualWait: [2]int{5, 20}, CreatedAt: base,
	}
)

// id makes the n-th identifier; greater n sorts later.
func id(n int) string {
	return rooms.NewID(base.Add(time.Duration(n)*time.Millisecond), bytes.NewReader(make([]byte, 10)))
}

func visit(n int, version uint64) *rooms.Visit {
	return &rooms.Visit{
		ID: rooms.VisitID(id(100 + n)), Room: room.ID, Clinic: clinic, Version: version,
		Phase: rooms.PhaseScheduled, CreatedAt: base,
	}
}

func mustCommit(t *testing.T, s store.Store, visits ...*rooms.Visit) {
	t.Helper()
	if err := s.Commit(t.Context(), store.Batch{Room: visits[0].Room, Visits: visits}); err != nil {
		t.Fatalf("Commit: %v", err)
	}
}

func mustBe(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error %v, want %v", err, want)
	}
}

func mustEqual(t *testing.T, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got  %+v\nwant %+v", got, want)
	}
}

func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func commitVisitComesBackWhole(t *testing.T, s store.Store) {
	v := visit(1, 7)
	v.External, v.Reason, v.Rank, v.LastMessage = "ext-1", "cough \u2028 \"<&>", -5, 1
	v.Phase, v.ScheduledAt, v.Length = rooms.PhaseWaiting, base.Add(time.Nanosecond), 20*time.Minute
	v.Expected = []rooms.StaffID{"s1", "s2"}
	v.Seats = []rooms.Seat{{
		ID: rooms.SeatID(id(5)), Role: rooms.Patient, Name: "Zoë 日本", BirthDate: "1970-01-31", Language: "pt-BR",
		Interpreter: true, State: rooms.SeatWaiting, LinkGen: 3, WaitingSince: base,
	}}
	v.Chat = []rooms.Message{{N: 1, From: v.Seats[0].ID, Role: rooms.Patient, At: base, Text: "hello\n"}}
	v.Seen = []rooms.Applied{{Client: "page", ID: 1<<63 + 1}}
	mustCommit(t, s, v)
	mustEqual(t, must(s.Visit(t.Context(), v.ID))(t), v)
	if err := s.PutRoom(t.Context(), room); err != nil {
		t.Fatal(err)
	}
	about, visits, err := s.LoadRoom(t.Context(), room.ID)
	mustBe(t, err, nil)
	mustEqual(t, about, room)
	mustEqual(t, visits, []*rooms.Visit{v})
}

func commitOldVersionIsAConflict(t *testing.T, s store.Store) {
	mustCommit(t, s, visit(1, 5))
	for version := uint64(1); version <= 5; version++ {
		err := s.Commit(t.Context(), store.Batch{Room: room.ID, Visits: []*rooms.Visit{visit(1, version)}})
		mustBe(t, err, store.ErrConflict)
	}
	mustCommit(t, s, visit(1, 6))
	mustEqual(t, must(s.Visit(t.Context(), visit(1, 0).ID))(t).Version, uint64(6))
}

func commitConflictChangesNothing(t *testing.T, s store.Store) {
	mustCommit(t, s, visit(2, 2))
	batch := store.Batch{Room: room.ID, Visits: []*rooms.Visit{visit(1, 1), visit(2, 2), visit(3, 1)}}
	mustBe(t, s.Commit(t.Context(), batch), store.ErrConflict)
	list := must(s.ListVisits(t.Context(), room.ID, "", 0))(t)
	mustEqual(t, list, []*rooms.Visit{visit(2, 2)})
}

func commitAnotherRoomsVisitIsRefused(t *testing.T, s store.Store) {
	mustCommit(t, s, visit(1, 1))
	stolen := visit(1, 2)
	stolen.Room = rooms.RoomID(id(3))
	mustBe(t, s.Commit(t.Context(), store.Batch{Room: stolen.Room, Visits: []*rooms.Visit{stolen}}), store.ErrConflict)
	mustEqual(t, must(s.Visit(t.Context(), stolen.ID))(t), visit(1, 1))
}

func commitBadBatchIsRefused(t *testing.T, s store.Store) {
	foreign, unnamed, unversioned := visit(1, 1), visit(2, 1), visit(3, 0)
	foreign.Room, unnamed.ID = "other", ""
	for _, bad := range []*rooms.Visit{foreign, unnamed, unversioned} {
		batch := store.Batch{Room: room.ID, Visits: []*rooms.Visit{visit(4, 1), bad}}
		mustBe(t, s.Commit(t.Context(), batch), store.ErrBadBatch)
	}
	mustBe(t, s.Commit(t.Context(), store.Batch{Room: room.ID}), nil)
	mustEqual(t, len(must(s.ListVisits(t.Context(), room.ID, "", 0))(t)), 0)
}

func commitVersionsMaySkip(t *testing.T, s store.Store) {
	mustCommit(t, s, visit(1, 1))
	mustCommit(t, s, visit(1, 9))
	mustEqual(t, must(s.Visit(t.Context(), visit(1, 0).ID))(t).Version, uint64(9))
}

// commitManyAtOnce lets writers race for each version of their visits: one wins each.
func commitManyAtOnce(t *testing.T, s store.Store) {
	const visits, racers, versions = 8, 4, 5
	won := make([][versions + 1]int, visits)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for n := range visits {
		for range racers {
			wg.Go(func() {
				for version := uint64(1); version <= versions; version++ {
					err := s.Commit(t.Context(), store.Batch{Room: room.ID, Visits: []*rooms.Visit{visit(n, version)}})
					switch {
					case err == nil:
						mu.Lock()
						won[n][version]++
						mu.Unlock()
					case !errors.Is(err, store.ErrConflict):
						t.Errorf("Commit: %v", err)
					}
				}
			})
		}
	}
	wg.Wait()
	for n, v := range must(s.ListVisits(t.Context(), room.ID, "", 0))(t) {
		mustEqual(t, v.Version, uint64(versions))
		for version := 1; version <= versions; version++ {
			if won[n][version] > 1 {
				t.Errorf("version %d of visit %d was won %d times", version, n, won[n][version])
			}
		}
		mustEqual(t, won[n][versions], 1)
	}
}

func commitCancelledContext(t *testing.T, s store.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	mustBe(t, s.Commit(ctx, store.Batch{Room: room.ID, Visits: []*rooms.Visit{visit(1, 1)}}), context.Canceled)
}

func loadRoomLeavesErasedVisitsOut(t *testing.T, s store.Store) {
	mustBe(t, s.PutRoom(t.Context(), room), nil)
	mustCommit(t, s, visit(3, 1), visit(1, 1), visit(2, 1))
	erased := visit(1, 2)
	erased.ErasedAt = base
	mustCommit(t, s, erased)
	_, visits, err := s.LoadRoom(t.Context(), room.ID)
	mustBe(t, err, nil)
	mustEqual(t, visits, []*rooms.Visit{visit(2, 1), visit(3, 1)})
	mustEqual(t, must(s.Visit(t.Context(), erased.ID))(t), erased)
	mustEqual(t, len(must(s.ListVisits(t.Context(), room.ID, "", 0))(t)), 3)
}

func loadRoomRoomsWhoseIDsBeginAlike(t *testing.T, s store.Store) {
	for n, name := range []string{"a", "ab", "a0"} {
		v := visit(n, 1)
		v.Room = rooms.RoomID(name)
		mustBe(t, s.PutRoom(t.Context(), rooms.WaitingRoom{ID: v.Room, Clinic: clinic}), nil)
		mustCommit(t, s, v)
	}
	for n, name := range []string{"a", "ab", "a0"} {
		_, visits, err := s.LoadRoom(t.Context(), rooms.RoomID(name))
		mustBe(t, err, nil)
		if len(visits) != 1 || visits[0].ID != visit(n, 1).ID {
			t.Errorf("room %q has %d visits", name, len(visits))
		}
	}
}

func listVisitsPagesByID(t *testing.T, s store.Store) {
	for _, n := range rand.Perm(25) {
		mustCommit(t, s, visit(n, 1))
	}
	var after rooms.VisitID
	for n := 0; n < 25; {
		page := must(s.ListVisits(t.Context(), room.ID, after, 10))(t)
		if want := min(10, 25-n); len(page) != want {
			t.Fatalf("a page of %d visits, want %d", len(page), want)
		}
		for _, v := range page {
			mustEqual(t, v.ID, visit(n, 1).ID)
			after = v.ID
			n++
		}
	}
	mustEqual(t, len(must(s.ListVisits(t.Context(), room.ID, after, 10))(t)), 0)
	mustEqual(t, len(must(s.ListVisits(t.Context(), room.ID, visit(10, 1).ID+"0", 100))(t)), 14)
}

func answersAreCopies(t *testing.T, s store.Store) {
	given := visit(1, 1)
	given.Seats = []rooms.Seat{{ID: "seat", Role: rooms.Patient, Name: "before"}}
	mustCommit(t, s, given)
	given.Seats[0].Name = "changed"
	got := must(s.Visit(t.Context(), given.ID))(t)
	mustEqual(t, got.Seats[0].Name, "before")
	got.Seats[0].Name = "changed"
	mustEqual(t, must(s.Visit(t.Context(), given.ID))(t).Seats[0].Name, "before")
}

func reservation(n int) store.Reservation {
	return store.Reservation{
		Clinic: clinic, Kind: store.KindKey, Key: "key", Visit: rooms.VisitID(id(n)), Room: room.ID,
		BodyHash: [32]byte{byte(n)}, At: base.Add(time.Duration(n) * time.Second),
	}
}

func reserveFirstWins(t *testing.T, s store.Store) {
	got, isNew, err := s.Reserve(t.Context(), reservation(1))
	mustBe(t, err, nil)
	mustEqual(t, isNew, true)
	mustEqual(t, got, reservation(1))
	got, isNew, err = s.Reserve(t.Context(), reservation(2))
	mustBe(t, err, nil)
	mustEqual(t, isNew, false)
	mustEqual(t, got, reservation(1))
}

func reserveManyAtOnce(t *testing.T, s store.Store) {
	const racers = 20
	news, first := make([]bool, racers), make([]store.Reservation, racers)
	var wg sync.WaitGroup
	for n := range racers {
		wg.Go(func() {
			var err error
			if first[n], news[n], err = s.Reserve(t.Context(), reservation(n)); err != nil {
				t.Errorf("Reserve: %v", err)
			}
		})
	}
	wg.Wait()
	winners := 0
	for n := range racers {
		mustEqual(t, first[n], first[0])
		if news[n] {
			winners++
			mustEqual(t, first[n], reservation(n))
		}
	}
	mustEqual(t, winners, 1)
}

func reserveKindsAndClinicsAreApart(t *testing.T, s store.Store) {
	external, foreign, other := reservation(2), reservation(3), reservation(4)
	external.Kind, foreign.Clinic, other.Key = store.KindExternal, rooms.ClinicID(id(9)), "other"
	for _, r := range []store.Reservation{reservation(1), external, foreign, other} {
		got, isNew, err := s.Reserve(t.Context(), r)
		mustBe(t, err, nil)
		mustEqual(t, isNew, true)
		mustEqual(t, got, r)
	}
	unknown := reservation(5)
	unknown.Kind = "unknown"
	_, _, err := s.Reserve(t.Context(), unknown)
	mustBe(t, err, store.ErrBadBatch)
}

func expireForgetsOldKeysOnly(t *testing.T, s store.Store) {
	old, young, external := reservation(1), reservation(5), reservation(1)
	young.Key, external.Kind = "young", store.KindExternal
	for _, r := range []store.Reservation{old, young, external} {
		if _, _, err := s.Reserve(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	mustBe(t, s.Expire(t.Context(), young.At), nil)
	for r, forgotten := range map[store.Reservation]bool{old: true, young: false, external: false} {
		_, isNew, err := s.Reserve(t.Context(), r)
		mustBe(t, err, nil)
		if isNew != forgotten {
			t.Errorf("%s %s forgotten: %v", r.Kind, r.Key, isNew)
		}
	}
}

func directoryComesBack(t *testing.T, s store.Store) {
	ctx := t.Context()
	c := rooms.Clinic{ID: clinic, Name: "Clinic", Phone: "+44 20", CreatedAt: base}
	p := rooms.Staff{
		ID: rooms.StaffID(id(4)), Clinic: clinic, Name: "Dr", Role: rooms.Clinician, Rooms: []rooms.RoomID{room.ID},
		TokenGen: 2, CreatedAt: base, Disabled: true,
	}
	k := rooms.APIKey{ID: id(5), Clinic: clinic, Hash: [32]byte{1, 255}, Name: "ehr", CreatedAt: base, Disabled: true}
	for _, err := range []error{s.PutClinic(ctx, c), s.PutRoom(ctx, room), s.PutStaff(ctx, p), s.PutKey(ctx, k)} {
		mustBe(t, err, nil)
	}
	mustEqual(t, must(s.Clinic(ctx, c.ID))(t), c)
	mustEqual(t, must(s.Clinics(ctx))(t), []rooms.Clinic{c})
	mustEqual(t, must(s.Room(ctx, room.ID))(t), room)
	mustEqual(t, must(s.Rooms(ctx, clinic))(t), []rooms.WaitingRoom{room})
	mustEqual(t, must(s.Staff(ctx, p.ID))(t), p)
	mustEqual(t, must(s.StaffOf(ctx, clinic))(t), []rooms.Staff{p})
	mustEqual(t, must(s.KeyByHash(ctx, k.Hash))(t), k)
	mustEqual(t, must(s.Keys(ctx, clinic))(t), []rooms.APIKey{k})
	mustBe(t, s.Ping(ctx), nil)
}

func directoryClinicsAreApart(t *testing.T, s store.Store) {
	ctx, other := t.Context(), rooms.ClinicID(id(9))
	for _, err := range []error{
		s.PutRoom(ctx, room), s.PutStaff(ctx, rooms.Staff{ID: "p", Clinic: clinic}), s.PutKey(ctx, rooms.APIKey{Clinic: clinic}),
	} {
		mustBe(t, err, nil)
	}
	mustEqual(t, len(must(s.Rooms(ctx, other))(t)), 0)
	mustEqual(t, len(must(s.StaffOf(ctx, other))(t)), 0)
	mustEqual(t, len(must(s.Keys(ctx, other))(t)), 0)
}

func directoryPutReplaces(t *testing.T, s store.Store) {
	for n := range 3 {
		mustBe(t, s.PutClinic(t.Context(), rooms.Clinic{ID: clinic, Name: fmt.Sprint(n)}), nil)
	}
	mustEqual(t, must(s.Clinics(t.Context()))(t), []rooms.Clinic{{ID: clinic, Name: "2"}})
}

func notFoundIsSaidSo(t *testing.T, s store.Store) {
	ctx := t.Context()
	_, _, load := s.LoadRoom(ctx, room.ID)
	_, v := s.Visit(ctx, "none")
	_, c := s.Clinic(ctx, "none")
	_, r := s.Room(ctx, "none")
	_, p := s.Staff(ctx, "none")
	_, k := s.KeyByHash(ctx, [32]byte{})
	for _, err := range []error{load, v, c, r, p, k} {
		mustBe(t, err, store.ErrNotFound)
	}
}

func closeLaterCallsAreUnavailable(t *testing.T, s store.Store) {
	mustCommit(t, s, visit(1, 1))
	mustBe(t, s.Close(), nil)
	mustBe(t, s.Close(), nil)
	mustBe(t, s.Commit(t.Context(), store.Batch{Room: room.ID, Visits: []*rooms.Visit{visit(1, 2)}}), store.ErrUnavailable)
	_, err := s.Visit(t.Context(), visit(1, 1).ID)
	mustBe(t, err, store.ErrUnavailable)
	mustBe(t, s.Ping(t.Context()), store.ErrUnavailable)
}
