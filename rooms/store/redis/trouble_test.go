package redis

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/rooms/store/redistest"
)

var about = rooms.WaitingRoom{ID: "room", Clinic: "clinic", Name: "Room"}

func visit(n int, version uint64) *rooms.Visit {
	return &rooms.Visit{ID: rooms.VisitID(fmt.Sprintf("visit%06d", n)), Room: about.ID, Clinic: about.Clinic, Version: version}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// own makes the room, and claims it.
func own(t *testing.T, db *DB) store.Lease {
	t.Helper()
	must(t, db.PutRoom(t.Context(), about))
	return claim(t, db, store.Claim{})
}

func claim(t *testing.T, db *DB, c store.Claim) store.Lease {
	t.Helper()
	c.Room, c.Owner, c.TTL = about.ID, "owner", time.Minute
	if c.Nonce == "" {
		c.Nonce = "nonce"
	}
	l, err := db.Claim(t.Context(), c)
	must(t, err)
	return l
}

// proxy passes connections on to a server, and can fall silent.
type proxy struct {
	l    net.Listener
	to   string
	mu   sync.Mutex
	mute chan struct{} // of those that are open; closed: nothing comes through them any more
	open []net.Conn
	wg   sync.WaitGroup
}

func newProxy(t *testing.T, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	p := &proxy{l: l, to: to, mute: make(chan struct{})}
	p.wg.Go(p.run)
	t.Cleanup(func() {
		l.Close()
		p.mu.Lock()
		for _, c := range p.open {
			c.Close()
		}
		p.mu.Unlock()
		p.wg.Wait()
	})
	return p
}

func (p *proxy) run() {
	for {
		in, err := p.l.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", p.to)
		if err != nil {
			in.Close()
			continue
		}
		p.mu.Lock()
		p.open = append(p.open, in, out)
		mute := p.mute
		p.mu.Unlock()
		p.wg.Go(func() { pass(out, in, mute) })
		p.wg.Go(func() { pass(in, out, mute) })
	}
}

// pass copies until it is muted; then it reads and says nothing, as a network that drops packets.
func pass(to io.Writer, from io.Reader, mute chan struct{}) {
	b := make([]byte, 4096)
	for {
		n, err := from.Read(b)
		if err != nil {
			return
		}
		select {
		case <-mute:
		default:
			if _, err := to.Write(b[:n]); err != nil {
				return
			}
		}
	}
}

// silence mutes all connections that are open.
func (p *proxy) silence() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.mute)
	p.mute = make(chan struct{})
}

func TestSilence_IsNoticedByTheDeadline_AndCutsAllThatAreSilent(t *testing.T) {
	p := newProxy(t, redistest.Start(t).Addr())
	db := open(t, Options{Addresses: []string{p.l.Addr().String()}, Timeout: 300 * time.Millisecond, LeaseTimeout: 300 * time.Millisecond})
	own(t, db)
	// Many connections, each of which could cost a call its deadline.
	var wg sync.WaitGroup
	for n := range 20 {
		wg.Go(func() {
			_ = db.Commit(t.Context(), store.Batch{Room: "other", Visits: []*rooms.Visit{{ID: rooms.VisitID(fmt.Sprint(n)), Room: "other", Version: 1}}})
		})
	}
	wg.Wait()
	p.silence()
	if _, err := db.Holder(t.Context(), about.ID); !errors.Is(err, store.ErrUnavailable) {
		t.Fatalf("over silent connections: %v", err)
	}
	if l, err := db.Holder(t.Context(), about.ID); err != nil || l.Nonce != "nonce" {
		t.Errorf("the next call: %+v, %v", l, err)
	}
}

func TestSilence_CallersOwnEndIsTheirs(t *testing.T) {
	s := redistest.Start(t)
	db := open(t, Options{Addresses: []string{s.Addr()}})
	s.Pause()
	defer s.Resume()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := db.Visit(ctx, "v"); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, store.ErrUnavailable) {
		t.Error(err)
	}
	if err := db.Renew(ctx, []store.Held{{Room: "r", Fence: store.Fence{Epoch: 1, Nonce: "n"}}}, time.Second)[0].Err; !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

// No call of the interface waits for a Redis that stands still, whatever its caller allows.
func TestSilence_EveryCallHasADeadline(t *testing.T) {
	s := redistest.Start(t)
	db := open(t, Options{Addresses: []string{s.Addr()}, Timeout: 100 * time.Millisecond, LeaseTimeout: 100 * time.Millisecond})
	s.Pause()
	defer s.Resume()
	ctx := t.Context()
	only := func(_ any, err error) error { return err }
	held := store.Held{Room: "r", Fence: store.Fence{Epoch: 1, Nonce: "n"}}
	calls := map[string]func() error{
		"LoadRoom":   func() error { _, _, err := db.LoadRoom(ctx, "r"); return err },
		"Commit":     func() error { return db.Commit(ctx, store.Batch{Room: about.ID, Visits: []*rooms.Visit{visit(1, 2)}}) },
		"Commit new": func() error { return db.Commit(ctx, store.Batch{Room: about.ID, Visits: []*rooms.Visit{visit(1, 1)}}) },
		"Versions":   func() error { return only(db.Versions(ctx, "r")) },
		"Locate":     func() error { return db.Locate(ctx, "r", []rooms.VisitID{"v"}) },
		"Visit":      func() error { return only(db.Visit(ctx, "v")) },
		"ListVisits": func() error { return only(db.ListVisits(ctx, "r", "", 0)) },
		"Reserve":    func() error { _, _, err := db.Reserve(ctx, store.Reservation{Kind: store.KindKey}); return err },
		"Expire":     func() error { return db.Expire(ctx, time.Now()) },
		"PutClinic":  func() error { return db.PutClinic(ctx, rooms.Clinic{ID: "c"}) },
		"Clinic":     func() error { return only(db.Clinic(ctx, "c")) },
		"Clinics":    func() error { return only(db.Clinics(ctx)) },
		"PutRoom":    func() error { return db.PutRoom(ctx, about) },
		"Room":       func() error { return only(db.Room(ctx, "r")) },
		"Rooms":      func() error { return only(db.Rooms(ctx, "c")) },
		"PutStaff":   func() error { return db.PutStaff(ctx, rooms.Staff{ID: "s"}) },
		"Staff":      func() error { return only(db.Staff(ctx, "s")) },
		"StaffOf":    func() error { return only(db.StaffOf(ctx, "c")) },
		"PutKey":     func() error { return db.PutKey(ctx, rooms.APIKey{}) },
		"KeyByHash":  func() error { return only(db.KeyByHash(ctx, [32]byte{})) },
		"Keys":       func() error { return only(db.Keys(ctx, "c")) },
		"Claim": func() error {
			return only(db.Claim(ctx, store.Claim{Room: "r", Owner: "o", Nonce: "n", TTL: time.Second}))
		},
		"Renew":        func() error { return db.Renew(ctx, []store.Held{held}, time.Second)[0].Err },
		"Release":      func() error { return db.Release(ctx, held) },
		"Holder":       func() error { return only(db.Holder(ctx, "r")) },
		"Announce":     func() error { return db.Announce(ctx, store.Instance{ID: "i"}, time.Second) },
		"Withdraw":     func() error { return db.Withdraw(ctx, "i") },
		"Instances":    func() error { return only(db.Instances(ctx)) },
		"Reservations": func() error { return db.Reservations(ctx, "c", func(store.Kept) error { return nil }) },
		"Keep":         func() error { return db.Keep(ctx, store.Kept{Reservation: store.Reservation{Kind: store.KindKey}}) },
		"SwapVisit":    func() error { return db.SwapVisit(ctx, visit(1, 1), visit(1, 1)) },
		"SwapStaff":    func() error { return db.SwapStaff(ctx, rooms.Staff{ID: "s"}, rooms.Staff{ID: "s"}) },
		"Ping":         func() error { return db.Ping(ctx) },
		"Schema":       func() error { return only(db.Schema(ctx)) },
		"Raise":        func() error { return db.Raise(ctx, newest) },
	}
	kind := reflect.TypeFor[store.Store]()
	for i := range kind.NumMethod() {
		if name := kind.Method(i).Name; name != "Close" && calls[name] == nil {
			t.Errorf("%s was not tried", name)
		}
	}
	var wg sync.WaitGroup
	for name, call := range calls {
		wg.Go(func() {
			if err := call(); !errors.Is(err, store.ErrUnavailable) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	wg.Wait()
}

func TestDown_IsUnavailable_AndComesBackByItself(t *testing.T) {
	s := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	db := open(t, Options{Addresses: []string{s.Addr()}})
	l := own(t, db)
	must(t, db.Commit(t.Context(), store.Batch{Room: about.ID, Fence: l.Fence, Seq: 1, Visits: []*rooms.Visit{visit(1, 1)}}))
	s.Kill()
	for name, err := range map[string]error{
		"Commit": db.Commit(t.Context(), store.Batch{Room: about.ID, Fence: l.Fence, Visits: []*rooms.Visit{visit(1, 2)}}),
		"Renew":  db.Renew(t.Context(), []store.Held{{Room: about.ID, Fence: l.Fence}}, time.Second)[0].Err,
		"Ping":   db.Ping(t.Context()),
	} {
		if !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Open(t.Context(), Options{Addresses: []string{s.Addr()}}); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("Open: %v", err)
	}
	s.Restart()
	must(t, db.Commit(t.Context(), store.Batch{Room: about.ID, Fence: l.Fence, Seq: 2, After: 1, Visits: []*rooms.Visit{visit(1, 2)}}))
}

// Redis that comes back empty is filled by who owned the rooms, and by nobody else.
func TestEmptied_OwnersFillIt(t *testing.T) {
	s := redistest.Start(t)
	db := open(t, Options{Addresses: []string{s.Addr()}})
	l := own(t, db)
	key := rooms.APIKey{ID: "k", Clinic: about.Clinic, Hash: [32]byte{7}}
	must(t, db.PutClinic(t.Context(), rooms.Clinic{ID: about.Clinic}))
	must(t, db.PutStaff(t.Context(), rooms.Staff{ID: "p", Clinic: about.Clinic}))
	must(t, db.PutKey(t.Context(), key))
	directory, err := store.TakeDirectory(t.Context(), db)
	must(t, err)
	memory := []*rooms.Visit{visit(1, 3), visit(2, 1), visit(3, 7)}
	must(t, db.Commit(t.Context(), store.Batch{Room: about.ID, Fence: l.Fence, Seq: 5, Visits: memory}))
	s.Kill()
	s.Restart()
	must(t, db.Ping(t.Context())) // writes the schema again

	var fenced *store.FencedError
	if err := db.Renew(t.Context(), []store.Held{{Room: about.ID, Fence: l.Fence}}, time.Second)[0].Err; !errors.As(err, &fenced) || !fenced.Lease.IsZero() {
		t.Errorf("renewing what is lost: %v", err)
	}
	err = db.Commit(t.Context(), store.Batch{Room: about.ID, Fence: l.Fence, Seq: 6, After: 5, Visits: []*rooms.Visit{visit(1, 4)}})
	if !errors.Is(err, store.ErrFenced) {
		t.Errorf("writing to what is lost: %v", err)
	}
	if _, err := db.Claim(t.Context(), store.Claim{Room: about.ID, Owner: "x", Nonce: "x", TTL: time.Second}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a stranger claims: %v", err)
	}
	again := claim(t, db, store.Claim{Nonce: "again", Over: l.Fence})
	if again.Epoch <= l.Epoch {
		t.Errorf("epoch %d after %d", again.Epoch, l.Epoch)
	}
	if n, err := store.Repair(t.Context(), db, again.Fence, 6, about, memory); err != nil || n != 3 {
		t.Fatal(n, err)
	}
	if v, err := db.Visit(t.Context(), memory[2].ID); err != nil || v.Version != 7 { // it is found by itself, too
		t.Error(v, err)
	}
	if n, err := directory.Refill(t.Context(), db); err != nil || n != 3 { // the room is there by now
		t.Error(n, err)
	}
	if k, err := db.KeyByHash(t.Context(), key.Hash); err != nil || k != key {
		t.Error(k, err)
	}
	if w, visits, err := db.LoadRoom(t.Context(), about.ID); err != nil || w.Name != about.Name || len(visits) != 3 {
		t.Error(w, visits, err)
	}
}

// Redis that comes back older, with the claim and without the newest writes, is noticed at the next write or renewal.
func TestOlder_IsNoticedAndRepaired(t *testing.T) {
	s := redistest.Start(t)
	db := open(t, Options{Addresses: []string{s.Addr()}})
	l := own(t, db)
	write := func(seq uint64, visits ...*rooms.Visit) error {
		return db.Commit(t.Context(), store.Batch{Room: about.ID, Fence: l.Fence, Seq: seq, After: seq - 1, Visits: visits})
	}
	must(t, write(1, visit(1, 1), visit(2, 1)))
	s.Dump()
	must(t, write(2, visit(1, 2)))
	must(t, write(3, visit(3, 1)))
	s.Kill()
	s.Restart()
	if r := db.Renew(t.Context(), []store.Held{{Room: about.ID, Fence: l.Fence}}, time.Second)[0]; r.Err != nil || r.Lease.Seq != 1 {
		t.Errorf("renewed: %+v", r)
	}
	if err := write(4, visit(2, 2)); !errors.Is(err, store.ErrBehind) {
		t.Errorf("the next write: %v", err)
	}
	n, err := store.Repair(t.Context(), db, l.Fence, 3, about, []*rooms.Visit{visit(1, 2), visit(2, 1), visit(3, 1)})
	if err != nil || n != 2 {
		t.Fatal(n, err)
	}
	must(t, write(4, visit(2, 2)))
	versions, err := db.Versions(t.Context(), about.ID)
	if want := map[rooms.VisitID]uint64{visit(1, 0).ID: 2, visit(2, 0).ID: 2, visit(3, 0).ID: 1}; err != nil || fmt.Sprint(versions) != fmt.Sprint(want) {
		t.Error(versions, err)
	}
}

// Where a visit is, is on another node of a Cluster than the visit: it can be lost alone.
func TestLocation_LostAlone_IsRepaired(t *testing.T) {
	s := redistest.Start(t)
	db := open(t, Options{Addresses: []string{s.Addr()}})
	l := own(t, db)
	memory := []*rooms.Visit{visit(1, 3)}
	must(t, db.Commit(t.Context(), store.Batch{Room: about.ID, Fence: l.Fence, Visits: memory}))
	must(t, s.Client().Del(t.Context(), db.keys.visit(memory[0].ID)).Err())
	if _, err := db.Visit(t.Context(), memory[0].ID); !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	if n, err := store.Repair(t.Context(), db, l.Fence, 1, about, memory); n != 0 || err != nil {
		t.Fatal(n, err)
	}
	if v, err := db.Visit(t.Context(), memory[0].ID); err != nil || v.Version != 3 {
		t.Error(v, err)
	}
}

func TestOpen_NewerOrUnreadableSchemaIsRefused(t *testing.T) {
	s := redistest.Start(t)
	c := s.Client()
	for _, stored := range []string{"2", "0", "-1", "x", ""} {
		must(t, c.Set(t.Context(), "anteroom:schema", stored, 0).Err())
		if _, err := Open(t.Context(), Options{Addresses: []string{s.Addr()}}); !errors.Is(err, store.ErrSchema) {
			t.Errorf("schema %q: %v", stored, err)
		}
		if kept := c.Get(t.Context(), "anteroom:schema").Val(); kept != stored {
			t.Errorf("schema %q became %q", stored, kept)
		}
	}
}

func TestOpen_BadOptionsAreRefused(t *testing.T) {
	for _, o := range []Options{{}, {Addresses: []string{"127.0.0.1:1"}, Prefix: "{x}"}} {
		if _, err := Open(t.Context(), o); err == nil || errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	db := open(t, Options{Addresses: []string{redistest.Start(t).Addr()}})
	if err := db.PutRoom(t.Context(), rooms.WaitingRoom{ID: "a}b"}); !errors.Is(err, store.ErrBadBatch) {
		t.Error(err)
	}
}

func TestAdvice(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		says []string
	}{
		"as it should be": {[]string{"--appendonly", "yes"}, nil},
		"a cache":         {[]string{"--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"}, []string{"appendonly", "allkeys-lru"}},
	} {
		db := open(t, Options{Addresses: []string{redistest.Start(t, c.args...).Addr()}})
		advice, err := db.Advice(t.Context())
		must(t, err)
		if text := strings.Join(advice, "\n"); len(advice) != len(c.says) {
			t.Errorf("%s: %q", name, text)
		} else {
			for _, says := range c.says {
				if !strings.Contains(text, says) {
					t.Errorf("%s: %q does not say %q", name, text, says)
				}
			}
		}
	}
}

// A room of several pages is read at one moment, whoever writes meanwhile.
func TestLoadRoom_OfManyPages_IsOfOneMoment(t *testing.T) {
	db := open(t, Options{Addresses: []string{redistest.Start(t).Addr()}})
	must(t, db.PutRoom(t.Context(), about))
	const visits = 2*pageVisits + 7
	for from := 0; from < visits; from += 100 {
		b := store.Batch{Room: about.ID}
		for n := from; n < min(from+100, visits); n++ {
			b.Visits = append(b.Visits, visit(n, 1))
		}
		must(t, db.Commit(t.Context(), b))
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for version := uint64(2); ; version++ {
			select {
			case <-stop:
				return
			default:
			}
			b := store.Batch{Room: about.ID, Visits: []*rooms.Visit{visit(0, version), visit(visits-1, version)}}
			if err := db.Commit(t.Context(), b); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for range 10 {
		_, got, err := db.LoadRoom(t.Context(), about.ID)
		if err != nil || len(got) != visits || got[0].Version != got[visits-1].Version {
			t.Errorf("%d visits, %v", len(got), err)
			break
		}
	}
	close(stop)
	wg.Wait()
	list, err := db.ListVisits(t.Context(), about.ID, visit(3, 0).ID, 0)
	if err != nil || len(list) != store.MaxList || list[0].ID != visit(4, 0).ID {
		t.Error(len(list), err)
	}
}
