package redis

import (
	"errors"
	"testing"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/rooms/store/redistest"
	"github.com/anteroom/anteroom/rooms/store/storetest"
)

// asVersion is a store as a version of the program has it that knows schemas up to one.
func asVersion(db *DB, knows int) *DB {
	db.knows, db.o.Schema = knows, knows
	return db
}

func TestConformance_InAnotherSchema(t *testing.T) {
	o := Options{Addresses: []string{redistest.Start(t).Addr()}}
	storetest.Run(t, func(t *testing.T) store.Store {
		db := asVersion(open(t, o), newest+1)
		must(t, db.Raise(t.Context(), newest+1))
		return db
	})
}

func TestSchema_TheNextVersionReadsBoth_ThisOneItsOwn(t *testing.T) {
	now := open(t, Options{Addresses: []string{redistest.Start(t).Addr()}})
	next := asVersion(reopen(t, now.o), newest+1)
	l := own(t, now)
	write := func(db *DB, seq uint64, v *rooms.Visit) {
		t.Helper()
		must(t, db.Commit(t.Context(), store.Batch{Room: about.ID, Fence: l.Fence, Seq: seq, Visits: []*rooms.Visit{v}}))
	}
	form := func(v *rooms.Visit) string {
		raw, err := now.client.HGet(t.Context(), now.keys.room(about.ID)[1], string(v.ID)).Result()
		must(t, err)
		return raw[:1]
	}
	write(now, 1, visit(1, 1))
	write(next, 2, visit(2, 1))
	if _, visits, err := now.LoadRoom(t.Context(), about.ID); err != nil || len(visits) != 2 {
		t.Errorf("before it is raised the earlier version reads %d visits, %v", len(visits), err)
	}
	if s, err := next.Schema(t.Context()); err != nil || s != (store.Schema{Written: newest, Newest: newest + 1}) {
		t.Error(s, err)
	}

	must(t, next.Raise(t.Context(), newest+1))
	write(next, 3, visit(2, 2))
	if a, b := form(visit(1, 1)), form(visit(2, 2)); a != "{" || b != "2" {
		t.Errorf("records begin with %q and %q", a, b)
	}
	if _, visits, err := next.LoadRoom(t.Context(), about.ID); err != nil || len(visits) != 2 {
		t.Errorf("the next version reads %d visits, %v", len(visits), err)
	}
	_, _, err := now.LoadRoom(t.Context(), about.ID)
	_, err1 := now.Visit(t.Context(), visit(2, 2).ID)
	_, err2 := now.Schema(t.Context())
	for _, err := range []error{err, err1, err2, now.Ping(t.Context()), now.Raise(t.Context(), newest+1)} {
		if !errors.Is(err, store.ErrSchema) {
			t.Errorf("the earlier version: %v", err)
		}
	}
	if _, err := Open(t.Context(), now.o); !errors.Is(err, store.ErrSchema) {
		t.Errorf("opened by the earlier version: %v", err)
	}
	for _, id := range []*rooms.Visit{visit(1, 1), visit(2, 2)} { // a record of either schema is replaced
		sealed := *id
		sealed.Sealed = []byte("x")
		must(t, next.SwapVisit(t.Context(), id, &sealed))
		if form(id) != "2" {
			t.Errorf("%s is not of the schema that is written", id.ID)
		}
	}
}

// What Redis has lost of the schema too comes back with whoever has seen it.
func TestSchema_LostByRedis_IsNoLowerAfterwards(t *testing.T) {
	s := redistest.Start(t)
	now := open(t, Options{Addresses: []string{s.Addr()}})
	next := asVersion(reopen(t, now.o), newest+1)
	must(t, next.Raise(t.Context(), newest+1))
	s.Kill()
	s.Restart() // empty
	must(t, now.Ping(t.Context()))
	if got, err := next.Schema(t.Context()); err != nil || got.Written != newest+1 {
		t.Error(got, err)
	}
	if err := now.Ping(t.Context()); !errors.Is(err, store.ErrSchema) {
		t.Error(err)
	}
}

func TestSchema_HeldBack_IsWhatOthersAreTold(t *testing.T) {
	o := Options{Addresses: []string{redistest.Start(t).Addr()}, Schema: 1}
	db := open(t, o)
	db.knows = newest + 1
	if s, err := db.Schema(t.Context()); err != nil || s.Newest != 1 {
		t.Error(s, err)
	}
	must(t, db.Raise(t.Context(), newest+1)) // by another
	for _, unknown := range []int{-1, newest + 1} {
		o.Schema = unknown
		if _, err := Open(t.Context(), o); err == nil {
			t.Errorf("schema %d is taken", unknown)
		}
	}
	if s, err := db.Schema(t.Context()); err != nil || s.Written != newest+1 {
		t.Error(s, err)
	}
}

func TestSchema_RecordsThatNobodyHasWritten(t *testing.T) {
	db := open(t, Options{Addresses: []string{redistest.Start(t).Addr()}})
	for raw, want := range map[string]error{"99{}": store.ErrSchema, "0{}": store.ErrSchema, "x{}": store.ErrUnavailable, "": store.ErrUnavailable} {
		if err := db.decode(raw, new(rooms.Staff)); !errors.Is(err, want) {
			t.Errorf("%q: %v", raw, err)
		}
	}
}
