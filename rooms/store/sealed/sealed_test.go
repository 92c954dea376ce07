package sealed_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/rooms/store/bolt"
	"github.com/anteroom/anteroom/rooms/store/redis"
	"github.com/anteroom/anteroom/rooms/store/redistest"
	"github.com/anteroom/anteroom/rooms/store/sealed"
	"github.com/anteroom/anteroom/rooms/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// file is a file of keys that a test may change.
type file struct {
	mu   sync.Mutex
	text string
}

func (f *file) read() ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.text == "" {
		return nil, os.ErrNotExist
	}
	return []byte(f.text), nil
}

func (f *file) write(text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.text = text
}

// newKey is a line of it, of a key that seals from some time ago on.
func newKey(t *testing.T, ago time.Duration) string {
	t.Helper()
	line, err := sealed.NewKey(rand.Reader, time.Now().Add(-ago))
	must(t, err)
	return line
}

func openBolt(t *testing.T, path string) *bolt.DB {
	t.Helper()
	db, err := bolt.Open(path, bolt.Options{})
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	return db
}

func seal(t *testing.T, below store.Store, f *file) *sealed.DB {
	t.Helper()
	db, err := sealed.New(below, sealed.Options{Source: f.read})
	must(t, err)
	return db
}

func TestConformance_OnAFile(t *testing.T) {
	f := &file{text: newKey(t, time.Hour)}
	storetest.Run(t, func(t *testing.T) store.Store {
		return seal(t, openBolt(t, filepath.Join(t.TempDir(), "db")), f)
	})
}

func openRedis(t *testing.T, s *redistest.Server, prefix string) *redis.DB {
	t.Helper()
	db, err := redis.Open(t.Context(), redis.Options{Addresses: []string{s.Addr()}, Prefix: prefix, Timeout: 10 * time.Second})
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	return db
}

func TestConformance_OnRedis(t *testing.T) {
	f, s, n := &file{text: newKey(t, time.Hour)}, redistest.Start(t), 0
	storetest.Run(t, func(t *testing.T) store.Store {
		n++
		return seal(t, openRedis(t, s, fmt.Sprint("test", n)), f)
	})
}

const marker = "mArKeR-7781"

// marked is a visit with a marker wherever somebody can type.
func marked(n int) *rooms.Visit {
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	return &rooms.Visit{
		ID: rooms.VisitID(fmt.Sprint("visit", n)), Room: "room", Clinic: "clinic", Version: 1, Phase: rooms.PhaseWaiting,
		External: marker, Reason: marker, MovedReason: marker, CancelReason: marker,
		Seats: []rooms.Seat{{ID: "s", Role: rooms.Patient, Name: marker, BirthDate: marker, Language: marker, State: rooms.SeatWaiting}},
		Chat:  []rooms.Message{{N: 1, From: "s", Name: marker, Text: marker, At: at, Role: rooms.Patient}},
	}
}

// fill writes marked visits, changed ones, erased ones, and staff.
func fill(t *testing.T, db store.Store) {
	t.Helper()
	ctx := t.Context()
	must(t, db.PutClinic(ctx, rooms.Clinic{ID: "clinic"}), db.PutRoom(ctx, rooms.WaitingRoom{ID: "room", Clinic: "clinic"}),
		db.PutStaff(ctx, rooms.Staff{ID: "p1", Clinic: "clinic", Name: marker, TokenGen: 3}),
		db.PutStaff(ctx, rooms.Staff{ID: "p2", Clinic: "clinic", Name: marker, Disabled: true}))
	for n := range 20 {
		v := marked(n)
		must(t, db.Commit(ctx, store.Batch{Room: "room", Visits: []*rooms.Visit{v}}))
		v.Version = 2
		must(t, db.Commit(ctx, store.Batch{Room: "room", Visits: []*rooms.Visit{v}}))
	}
	_, _, err := db.Reserve(ctx, store.Reservation{Clinic: "clinic", Kind: store.KindExternal, Key: marker, Visit: "visit1", Room: "room"})
	must(t, err)
}

// mustHide looks for the marker as it is, and as base64 at each of its three offsets.
func mustHide(t *testing.T, what string, raw []byte) {
	t.Helper()
	if !bytes.Contains(raw, []byte("visit1")) {
		t.Errorf("%s is not the data", what)
	}
	forms := []string{marker}
	for offset := range 3 {
		text := base64.StdEncoding.EncodeToString([]byte(strings.Repeat(" ", offset) + marker))
		forms = append(forms, text[4:len(text)-4])
	}
	for _, form := range forms {
		if bytes.Contains(raw, []byte(form)) {
			t.Errorf("%q is in %s", form, what)
		}
	}
}

func TestDump_OfAFile_ShowsNobody(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	below := openBolt(t, path)
	fill(t, seal(t, below, &file{text: newKey(t, time.Hour)}))
	must(t, below.Close())
	raw, err := os.ReadFile(path)
	must(t, err)
	mustHide(t, "the file", raw)
}

func TestDump_OfRedis_ShowsNobody(t *testing.T) {
	s := redistest.Start(t)
	fill(t, seal(t, openRedis(t, s, "anteroom"), &file{text: newKey(t, time.Hour)}))
	mustHide(t, "the file of Redis", s.Dump())
	c := s.Client()
	var dump []byte
	iter := c.Scan(t.Context(), 0, "", 100).Iterator()
	for iter.Next(t.Context()) {
		value, err := c.Dump(t.Context(), iter.Val()).Result()
		must(t, err)
		dump = append(append(dump, iter.Val()...), value...)
	}
	must(t, iter.Err())
	mustHide(t, "what DUMP answers", dump)
}

// What somebody does to the store is detected, and says nothing of what was in the record.
func TestTampered_IsDetected(t *testing.T) {
	ctx := t.Context()
	for name, c := range map[string]struct {
		visit func(v, other *rooms.Visit)
		staff func(s, other *rooms.Staff)
	}{
		"another visit's":       {visit: func(v, other *rooms.Visit) { v.Sealed = other.Sealed }},
		"an earlier version's":  {visit: func(v, _ *rooms.Visit) { v.Version = 9 }},
		"said to be erased":     {visit: func(v, _ *rooms.Visit) { v.ErasedAt = time.Now() }},
		"a bit":                 {visit: func(v, _ *rooms.Visit) { v.Sealed[len(v.Sealed)-20] ^= 1 }},
		"another format":        {visit: func(v, _ *rooms.Visit) { v.Sealed[0]++ }},
		"another key's ID":      {visit: func(v, _ *rooms.Visit) { v.Sealed[2] ^= 1 }},
		"cut short":             {visit: func(v, _ *rooms.Visit) { v.Sealed = v.Sealed[:15] }},
		"all but nothing":       {visit: func(v, _ *rooms.Visit) { v.Sealed = v.Sealed[:1] }},
		"not sealed":            {visit: func(v, _ *rooms.Visit) { v.Sealed, v.Reason = nil, "forged" }},
		"another clinic's":      {visit: func(v, _ *rooms.Visit) { v.Clinic = "other" }},
		"other staff's":         {staff: func(s, other *rooms.Staff) { s.Sealed = other.Sealed }},
		"staff of other clinic": {staff: func(s, _ *rooms.Staff) { s.Clinic = "other" }},
		"staff not sealed":      {staff: func(s, _ *rooms.Staff) { s.Sealed, s.Name = nil, "forged" }},
	} {
		t.Run(name, func(t *testing.T) {
			below := openBolt(t, filepath.Join(t.TempDir(), "db"))
			db := seal(t, below, &file{text: newKey(t, time.Hour)})
			fill(t, db)
			var errs []error
			if c.visit != nil {
				v, err1 := below.Visit(ctx, "visit1")
				other, err2 := below.Visit(ctx, "visit2")
				must(t, err1, err2)
				c.visit(v, other)
				if v.Version == 2 {
					v.Version = 3 // to be taken by the store, which would be detected by itself
					was, err := below.Visit(ctx, "visit1")
					must(t, err)
					v.Version = was.Version
					must(t, below.SwapVisit(ctx, was, v))
				} else {
					must(t, below.Commit(ctx, store.Batch{Room: v.Room, Visits: []*rooms.Visit{v}}))
				}
				_, one := db.Visit(ctx, "visit1")
				_, list := db.ListVisits(ctx, "room", "", 0)
				errs = append(errs, one, list)
			} else {
				s, err1 := below.Staff(ctx, "p1")
				other, err2 := below.Staff(ctx, "p2")
				must(t, err1, err2)
				c.staff(&s, &other)
				must(t, below.PutStaff(ctx, s))
				_, one := db.Staff(ctx, "p1")
				_, list := db.StaffOf(ctx, s.Clinic)
				errs = append(errs, one, list)
			}
			for _, err := range errs {
				if !errors.Is(err, store.ErrSealed) || strings.Contains(err.Error(), marker) {
					t.Error(err)
				}
			}
		})
	}
}

func TestRotate_WhileOthersWrite_TheOldKeyCanGo(t *testing.T) {
	ctx := t.Context()
	below := openBolt(t, filepath.Join(t.TempDir(), "db"))
	f := &file{text: newKey(t, 2*time.Hour)}
	db, another := seal(t, below, f), seal(t, below, f)
	fill(t, db)

	next := newKey(t, time.Hour)
	f.write(f.text + next)
	if changed, err := db.Reload(); err != nil || !changed {
		t.Fatal(changed, err)
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for version := uint64(3); ; version++ {
			select {
			case <-stop:
				return
			default:
			}
			v := marked(7)
			v.Version = version
			if err := db.Commit(ctx, store.Batch{Room: "room", Visits: []*rooms.Visit{v}}); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for again := range 2 {
		n, err := db.Reseal(ctx)
		must(t, err)
		if again == 0 && (n < 21 || n > 22) || again == 1 && n != 0 {
			t.Errorf("%d records were sealed anew, time %d", n, again)
		}
	}
	close(stop)
	wg.Wait()
	// Another instance that has not read the file since finds that it must.
	if v, err := another.Visit(ctx, "visit3"); !errors.Is(err, store.ErrSealed) && (err != nil || v.Reason != marker) {
		t.Error(v, err)
	}
	f.write(next)
	fresh := seal(t, below, f)
	list, err := fresh.ListVisits(ctx, "room", "", 0)
	must(t, err)
	staff, err := fresh.StaffOf(ctx, "clinic")
	must(t, err)
	if len(list) != 20 || len(staff) != 2 || list[3].Chat[0].Text != marker || staff[0].Name != marker {
		t.Error(len(list), len(staff))
	}
}

// A key that another instance uses already is read when it is first met.
func TestUnknownKey_IsLookedForInTheFile(t *testing.T) {
	below := openBolt(t, filepath.Join(t.TempDir(), "db"))
	f := &file{text: newKey(t, 2*time.Hour)}
	slow, quick := seal(t, below, f), seal(t, below, f)
	f.write(f.text + newKey(t, time.Hour))
	_, err := quick.Reload()
	must(t, err)
	fill(t, quick)
	for { // it looks at the file once a second at most
		v, err := slow.Visit(t.Context(), "visit1")
		if errors.Is(err, store.ErrSealed) {
			continue
		}
		if err != nil || v.Reason != marker {
			t.Fatal(v, err)
		}
		break
	}
}

// Files of before there was sealing are sealed once, and what is not sealed is refused from then on.
func TestPlain_IsSealedOnce(t *testing.T) {
	ctx := t.Context()
	below := openBolt(t, filepath.Join(t.TempDir(), "db"))
	fill(t, below)
	f := &file{text: newKey(t, time.Hour)}
	strict := seal(t, below, f)
	if _, err := strict.Visit(ctx, "visit1"); !errors.Is(err, store.ErrSealed) {
		t.Error(err)
	}
	lenient, err := sealed.New(below, sealed.Options{Source: f.read, Plain: true})
	must(t, err)
	if n, err := lenient.Reseal(ctx); err != nil || n != 22 {
		t.Fatal(n, err)
	}
	if v, err := strict.Visit(ctx, "visit1"); err != nil || v.Seats[0].Name != marker {
		t.Error(v, err)
	}
}

func TestKeys(t *testing.T) {
	good := strings.TrimSpace(newKey(t, 0))
	words := strings.Fields(good)
	for name, c := range map[string]struct{ text, says string }{
		"nothing":        {"# none\n\n", "0 keys"},
		"too few words":  {words[0] + " " + words[1], "line 1"},
		"short key":      {words[0] + " AAAA " + words[2], "32 bytes"},
		"no base64":      {words[0] + " !!!! " + words[2], "32 bytes"},
		"no time":        {"# keys\n" + words[0] + " " + words[1] + " today", "line 2"},
		"the same twice": {good + "\n" + good, "line 2"},
		"a long ID":      {strings.Repeat("x", 33) + " " + words[1] + " " + words[2], "ID"},
		"too many": {func() (text string) {
			for n := range sealed.MaxKeys + 1 {
				text += fmt.Sprintf("k%d %s %s\n", n, words[1], words[2])
			}
			return text
		}(), "65 keys"},
	} {
		_, err := sealed.ParseKeys([]byte(c.text))
		if !errors.Is(err, sealed.ErrKeys) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), words[1]) {
			t.Errorf("%s: %v; it should say %q and no key", name, err, c.says)
		}
	}
	if _, err := sealed.ParseKeys([]byte("# keys\n\n" + good + "\r\n")); err != nil {
		t.Error(err)
	}
	// A file that cannot be read, or is half written, leaves the keys as they are.
	below := openBolt(t, filepath.Join(t.TempDir(), "db"))
	f := &file{text: good}
	db := seal(t, below, f)
	fill(t, db)
	for _, bad := range []string{"", good[:40]} {
		f.write(bad)
		if changed, err := db.Reload(); err == nil || changed {
			t.Error(changed, err)
		}
		if _, err := db.Visit(context.Background(), "visit1"); err != nil {
			t.Error(err)
		}
	}
	if _, err := sealed.New(below, sealed.Options{Source: f.read}); !errors.Is(err, sealed.ErrKeys) {
		t.Error(err)
	}
}

// A key that is not due yet opens and does not seal, so that every instance has it before one uses it.
func TestKeys_SealFromTheirTimeOn(t *testing.T) {
	below := openBolt(t, filepath.Join(t.TempDir(), "db"))
	now, later := newKey(t, time.Hour), newKey(t, -time.Hour)
	fill(t, seal(t, below, &file{text: later + now}))
	if _, err := seal(t, below, &file{text: now}).Visit(t.Context(), "visit1"); err != nil {
		t.Error(err)
	}
}
