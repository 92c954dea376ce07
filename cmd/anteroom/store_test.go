package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/rooms/store/bolt"
	"github.com/anteroom/anteroom/rooms/store/redis"
	"github.com/anteroom/anteroom/rooms/store/redistest"
	"github.com/anteroom/anteroom/rooms/store/sealed"
)

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// fill gives a store two clinics with something of everything; the first has a room of several pages.
func fill(t *testing.T, s store.Store) {
	t.Helper()
	ctx, at := t.Context(), time.Date(2026, 3, 4, 5, 6, 7, 89, time.UTC)
	for n, visits := range []int{2345, 3} {
		c := rooms.ClinicID(fmt.Sprintf("clinic%d", n))
		must(t, s.PutClinic(ctx, rooms.Clinic{ID: c, Name: "Clinic \u2028 <é>", Phone: "555", CreatedAt: at}),
			s.PutStaff(ctx, rooms.Staff{ID: rooms.StaffID("p" + string(c)), Clinic: c, Name: "Dr", Rooms: []rooms.RoomID{"r"}, Disabled: n == 1}),
			s.PutKey(ctx, rooms.APIKey{ID: "k", Clinic: c, Hash: [32]byte{byte(n), 255}, Name: "ehr", CreatedAt: at}))
		for _, room := range []rooms.RoomID{rooms.RoomID("big" + c), rooms.RoomID("empty" + c)} {
			must(t, s.PutRoom(ctx, rooms.WaitingRoom{ID: room, Clinic: c, Name: "Room", Retention: time.Hour, UsualWait: [2]int{1, 9}}))
		}
		var batch []*rooms.Visit
		for i := range visits {
			v := &rooms.Visit{
				ID: rooms.VisitID(fmt.Sprintf("%s-visit%06d", c, i)), Room: rooms.RoomID("big" + c), Clinic: c, Version: uint64(i + 1),
				Phase: rooms.PhaseWaiting, Reason: "cough \n \"<&>", Rank: int64(-i), CreatedAt: at.Add(time.Duration(i)),
				Seats: []rooms.Seat{{ID: "seat", Role: rooms.Patient, Name: "Zoë", BirthDate: "1970-01-31", State: rooms.SeatWaiting}},
				Chat:  []rooms.Message{{N: 1, From: "seat", At: at, Text: "hello\u2029"}},
				Seen:  []rooms.Applied{{Client: "page", ID: 1<<64 - 1}},
			}
			if i%7 == 0 {
				v.ErasedAt, v.Seats, v.Chat = at, nil, nil
			}
			if batch = append(batch, v); len(batch) == 500 || i == visits-1 {
				must(t, s.Commit(ctx, store.Batch{Room: v.Room, Visits: batch}))
				batch = nil
			}
		}
		for i := range 100 {
			kind := []string{store.KindKey, store.KindExternal}[i%2]
			_, _, err := s.Reserve(ctx, store.Reservation{
				Clinic: c, Kind: kind, Key: fmt.Sprint(i), Visit: "v", Room: "r", BodyHash: [32]byte{byte(i)}, At: at.Add(time.Duration(i) * time.Second),
			})
			must(t, err)
		}
	}
}

// walked is each record of a clinic.
func walked(t *testing.T, s store.Store, clinic rooms.ClinicID) []string {
	t.Helper()
	var all []string
	must(t, store.Walk(t.Context(), s, clinic, func(record any) error {
		raw, err := json.Marshal(record)
		all = append(all, fmt.Sprintf("%T %s", record, raw))
		return err
	}))
	return all
}

func openFile(t *testing.T, data string) *bolt.DB {
	t.Helper()
	db, err := bolt.Open(filepath.Join(data, storeFile), bolt.Options{})
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	return db
}

func TestStoreCopy_ToRedisAndBack_NothingIsLost(t *testing.T) {
	s := redistest.Start(t)
	data, back := t.TempDir(), t.TempDir()
	db := openFile(t, data)
	fill(t, db)
	lease, err := db.Claim(t.Context(), store.Claim{Room: "bigclinic0", Owner: "o", Nonce: "n", TTL: time.Minute, After: 1 << 50})
	must(t, err, db.Release(t.Context(), store.Held{Room: "bigclinic0", Fence: lease.Fence}))
	want := [][]string{walked(t, db, "clinic0"), walked(t, db, "clinic1")}
	must(t, db.Close())

	anteroom := func(args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		if code := run(t.Context(), append([]string{"store", "copy", "--redis", s.Addr()}, args...), &out, &errs); code != 0 {
			t.Fatal(errs.String())
		}
		return out.String()
	}
	first := anteroom("--from", "file", "--to", "redis", "--data", data)
	if !strings.Contains(first, "clinic0: 2 rooms, 1 staff, 1 keys, 2345 visits, 100 reservations") {
		t.Error(first)
	}
	if again := anteroom("--from", "file", "--to", "redis", "--data", data); again != first {
		t.Errorf("again: %s, not %s", again, first)
	}
	one := anteroom("--from", "redis", "--to", "file", "--data", back, "--clinic", "clinic1", "--json")
	var n copied
	if err := json.Unmarshal([]byte(one), &n); err != nil || n.Clinic != "clinic1" || n.Visits != 3 || n.Digest == "" {
		t.Error(one, err)
	}
	anteroom("--from", "redis", "--to", "file", "--data", back)

	remote, err := redis.Open(t.Context(), redis.Options{Addresses: []string{s.Addr()}})
	must(t, err)
	t.Cleanup(func() { must(t, remote.Close()) })
	returned := openFile(t, back)
	for where, there := range map[string]store.Store{"in Redis": remote, "back in a file": returned} {
		for n, clinic := range []rooms.ClinicID{"clinic0", "clinic1"} {
			if got := walked(t, there, clinic); !slices.Equal(got, want[n]) {
				t.Errorf("%s, %s: %d records, want %d", where, clinic, len(got), len(want[n]))
			}
		}
		if l, err := there.Holder(t.Context(), "bigclinic0"); err != nil || l.Nonce != "" || l.Epoch <= lease.Epoch {
			t.Errorf("%s: %+v, %v after epoch %d", where, l, err, lease.Epoch)
		}
	}
	if _, isNew, err := remote.Reserve(t.Context(), store.Reservation{Clinic: "clinic0", Kind: store.KindExternal, Key: "1", Visit: "other"}); err != nil || isNew {
		t.Errorf("a reservation is forgotten: %v, %v", isNew, err)
	}
}

func TestStoreCopy_WhatCannotBeCopied_IsSaid(t *testing.T) {
	s := redistest.Start(t)
	data := t.TempDir()
	db := openFile(t, data)
	fill(t, db)
	must(t, db.Close())
	remote, err := redis.Open(t.Context(), redis.Options{Addresses: []string{s.Addr()}})
	must(t, err)
	defer remote.Close()
	refused := func(says string, args ...string) {
		t.Helper()
		var out, errs bytes.Buffer
		code := run(t.Context(), append([]string{"store", "copy", "--data", data, "--clinic", "clinic1"}, args...), &out, &errs)
		if code == 0 || !strings.Contains(errs.String(), says) {
			t.Errorf("%v: %d %s; it should say %q", args, code, errs.String(), says)
		}
	}
	there := []string{"--from", "file", "--to", "redis", "--redis", s.Addr()}
	refused("--to: has to differ", "--from", "file", "--to", "file", "--redis", s.Addr())
	refused("--redis: needed", "--from", "file", "--to", "redis")
	refused("not found", append(there, "--clinic", "none")...)

	must(t, remote.PutRoom(t.Context(), rooms.WaitingRoom{ID: "bigclinic1", Clinic: "clinic1"}))
	l, err := remote.Claim(t.Context(), store.Claim{Room: "bigclinic1", Owner: "a server", Nonce: "n", TTL: time.Minute})
	must(t, err)
	refused("bigclinic1", there...)
	must(t, remote.Release(t.Context(), store.Held{Room: "bigclinic1", Fence: l.Fence}))
	must(t, remote.Commit(t.Context(), store.Batch{Room: "bigclinic1", Visits: []*rooms.Visit{{ID: "more", Room: "bigclinic1", Version: 1}}}))
	refused("copy differs", there...)
}

// A server on Redis does what one on a file does, and another one finds it again.
func TestServe_OnRedis(t *testing.T) {
	s := redistest.Start(t, "--requirepass", "secret")
	secret := filepath.Join(t.TempDir(), "password")
	must(t, os.WriteFile(secret, []byte("secret\n"), 0o600))
	data := t.TempDir()
	args := []string{"--dev", "--data", data, "--store", "redis", "--redis", s.Addr(), "--redis-password-file", secret}
	anteroom := func(url string, words ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		if code := run(t.Context(), append(words, "--url", url, "--data", data), &out, &errs); code != 0 {
			t.Fatal(errs.String())
		}
		return out.String()
	}
	at, log, stop := startServer(t, args...)
	if out := anteroom(at.URL, "visit", "create", "--patient", "Alex Morgan"); !strings.Contains(out, "/join#") {
		t.Error(out)
	}
	if !strings.Contains(log.String(), "appendonly is off") {
		t.Errorf("no word of what may be lost: %s", log.String())
	}
	if code := stop(); code != 0 {
		t.Fatalf("code %d: %s", code, log.String())
	}
	at, _, _ = startServer(t, args...)
	if out := anteroom(at.URL, "visit", "list"); !strings.Contains(out, "Alex Morgan") {
		t.Error(out)
	}
	if _, err := os.Stat(filepath.Join(data, storeFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file was made: %v", err)
	}
}

// A server seals what a file has from before, once; then a new key takes over.
func TestServe_SealsWhatItKeeps(t *testing.T) {
	data := t.TempDir()
	db := openFile(t, data)
	fill(t, db)
	must(t, db.Close())
	at, log, stop := startServer(t, "--dev", "--data", data)
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"visit", "create", "--patient", "MARKER Morgan", "--url", at.URL, "--data", data}, &out, &errs); code != 0 {
		t.Fatal(errs.String())
	}
	if code := stop(); code != 0 {
		t.Fatal(log.String())
	}
	keys := filepath.Join(data, sealFile)
	info, err := os.Stat(keys)
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Error(info.Mode())
	}
	raw := openFile(t, data)
	for _, clinic := range []rooms.ClinicID{"clinic0", "clinic1"} {
		for _, record := range walked(t, raw, clinic) {
			if strings.Contains(record, "Zoë") || strings.Contains(record, `"Dr"`) {
				t.Fatalf("not sealed: %.200s", record)
			}
		}
	}
	opened, err := sealed.New(raw, sealed.Options{Source: reading(keys)})
	must(t, err)
	if v, err := opened.Visit(t.Context(), "clinic0-visit000001"); err != nil || v.Seats[0].Name != "Zoë" {
		t.Error(v, err)
	}
	before := opened.Sealing()
	must(t, raw.Close())

	// Rotation: a line more; then the earlier key is taken away.
	var line bytes.Buffer
	if code := run(t.Context(), []string{"store", "key", "--after", "0s"}, &line, &errs); code != 0 {
		t.Fatal(errs.String())
	}
	text, err := os.ReadFile(keys)
	must(t, err, os.WriteFile(keys, append(text, line.Bytes()...), 0o600))
	out.Reset()
	if code := run(t.Context(), []string{"store", "seal", "--data", data}, &out, &errs); code != 0 || strings.Contains(out.String(), before) {
		t.Fatal(out.String(), errs.String())
	}
	must(t, os.WriteFile(keys, line.Bytes(), 0o600))
	at, _, _ = startServer(t, "--dev", "--data", data)
	out.Reset()
	if code := run(t.Context(), []string{"visit", "list", "--url", at.URL, "--data", data}, &out, &errs); code != 0 || !strings.Contains(out.String(), "MARKER Morgan") {
		t.Error(out.String(), errs.String())
	}
}

// Keys that are lost are said at the start, and no new ones are made for what they sealed.
func TestServe_LostKeys_AreRefused(t *testing.T) {
	data := t.TempDir()
	_, _, stop := startServer(t, "--dev", "--data", data)
	stop()
	must(t, os.Remove(filepath.Join(data, sealFile)))
	var errs bytes.Buffer
	code := run(t.Context(), []string{"serve", "--dev", "--listen", "127.0.0.1:0", "--data", data}, io.Discard, &errs)
	if code == 0 || !strings.Contains(errs.String(), "--seal-keys") || !strings.Contains(errs.String(), "is not known") {
		t.Error(code, errs.String())
	}
}

// A key that is added to the file while a server runs takes over, and everything is sealed by it.
func TestKeepSealed_FollowsTheFile(t *testing.T) {
	data := t.TempDir()
	db := openFile(t, data)
	fill(t, db)
	keys := filepath.Join(data, sealFile)
	wrapped, err := sealStore(t.Context(), db, keys, true)
	must(t, err)
	core, logs := observer.New(zap.InfoLevel)
	s := &server{sealed: wrapped, log: zap.New(core)}
	tick := make(chan time.Time)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { s.keepSealed(ctx, tick) })
	line, err := sealed.NewKey(rand.Reader, time.Now().Add(time.Second)) // after the first, whose time is rounded down
	must(t, err)
	text, err := os.ReadFile(keys)
	must(t, err, os.WriteFile(keys, []byte("not keys"), 0o600))
	tick <- time.Now() // leaves things as they are
	tick <- time.Now() // is taken when what the one before led to is done
	must(t, os.WriteFile(keys, append(text, line...), 0o600))
	for logs.FilterMessage("all_sealed_by_newest_key").Len() < 2 {
		tick <- time.Now()
	}
	cancel()
	wg.Wait()
	all := logs.FilterMessage("all_sealed_by_newest_key").All()
	if got := all[1].ContextMap(); got["key"] != strings.Fields(line)[0] || got["records"] != int64(2350) {
		t.Error(got)
	}
	if logs.FilterMessage("seal_keys_not_read").Len() == 0 {
		t.Error("no word of a file that is not keys")
	}
}
