package cluster

import (
	"context"
	"io"
	"net"
	"net/netip"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/rooms/store/bolt"
	"github.com/anteroom/anteroom/signaling"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second

// world is a store and the instances on it, which reach each other over loopback.
type world struct {
	t       *testing.T
	started atomic.Int64
	store   *faulty
	room    rooms.RoomID
}

// faulty is a store of which a test says what it has lost, or that it does not answer.
type faulty struct {
	store.Store
	down atomic.Bool
	lost atomic.Bool // the next renewals find no lease
	// holder is the lease of which it knows, if it has gone back to earlier; one without a nonce: of none.
	holder atomic.Pointer[store.Lease]
}

func (f *faulty) Holder(ctx context.Context, room rooms.RoomID) (store.Lease, error) {
	if f.down.Load() {
		return store.Lease{}, store.ErrUnavailable
	}
	if l := f.holder.Load(); l != nil && l.Nonce == "" {
		return store.Lease{}, store.ErrNotFound
	} else if l != nil {
		return *l, nil
	}
	return f.Store.Holder(ctx, room)
}

func (f *faulty) Renew(ctx context.Context, held []store.Held, ttl time.Duration) []store.Renewal {
	switch {
	case f.down.Load():
		all := make([]store.Renewal, len(held))
		for i := range all {
			all[i].Err = store.ErrUnavailable
		}
		return all
	case f.lost.Swap(false):
		all := make([]store.Renewal, len(held))
		for i := range all {
			all[i].Err = &store.FencedError{Room: held[i].Room}
		}
		return all
	}
	return f.Store.Renew(ctx, held, ttl)
}

func (f *faulty) Announce(ctx context.Context, i store.Instance, ttl time.Duration) error {
	if f.down.Load() {
		return store.ErrUnavailable
	}
	return f.Store.Announce(ctx, i, ttl)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "store"), bolt.Options{})
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	w := &world{t: t, store: &faulty{Store: db}, room: "room"}
	must(t, db.PutClinic(t.Context(), rooms.Clinic{ID: "clinic"}))
	must(t, db.PutRoom(t.Context(), rooms.WaitingRoom{ID: w.room, Clinic: "clinic"}))
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// hub notes what an instance is told.
type hub struct {
	Hub
	changed chan rooms.RoomID
	do      func() (rooms.Outcome, error)
	take    func(ctx context.Context, room rooms.RoomID) error
	parted  chan rooms.VisitID
	spare   func(fits func(peers, sockets int) bool) bool // nil: there is nothing to spare
}

func (h *hub) RoomChanged(room rooms.RoomID) { h.changed <- room }

func (h *hub) Do(context.Context, rooms.RoomID, rooms.Command) (rooms.Outcome, error) { return h.do() }

func (h *hub) Take(ctx context.Context, room rooms.RoomID) error { return h.take(ctx, room) }

func (h *hub) Spare(_ context.Context, fits func(peers, sockets int) bool) bool {
	return h.spare != nil && h.spare(fits)
}

func (h *hub) Parted(_ rooms.RoomID, visit rooms.VisitID) { h.parted <- visit }

func (*hub) Here() signaling.Here { return (*signaling.Hub)(nil).Here() }

// instance is one, whose clock a test may move.
type instance struct {
	*Cluster
	skew atomic.Int64
	load atomic.Int64
	hub  *hub

	outdated chan error                       // why it has to stop
	media    atomic.Pointer[[]netip.AddrPort] // of the others
}

func (w *world) start(secret byte) *instance {
	w.t.Helper()
	return w.startOn(w.store, secret)
}

// startOn is start with a way of its own to the store.
func (w *world) startOn(st Store, secret byte) *instance {
	w.t.Helper()
	i := &instance{hub: &hub{changed: make(chan rooms.RoomID, 16), parted: make(chan rooms.VisitID, 16)}, outdated: make(chan error, 16)}
	began := time.Now()
	c, err := New(w.t.Context(), Config{
		Store: st, Secret: [32]byte{secret}, Listen: "127.0.0.1:0",
		Load:     func() Load { return Load{Peers: int(i.load.Load())} },
		Outdated: func(why error) { i.outdated <- why },
		Media:    []netip.AddrPort{netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), uint16(w.started.Add(1)))},
		Others:   func(media []netip.AddrPort) { i.media.Store(&media) },
		Clock:    func() time.Duration { return time.Since(began) + time.Duration(i.skew.Load()) },
	})
	must(w.t, err)
	i.Cluster = c
	c.Serve(i.hub)
	w.t.Cleanup(func() { must(w.t, c.Close()) })
	return i
}

// own gets the room, which nobody else may have.
func (w *world) own(i *instance) *lease {
	w.t.Helper()
	l, err := i.Own(w.t.Context(), w.room, true)
	must(w.t, err)
	return l.(*lease)
}

// closes waits for the end of a channel.
func closes(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		t.Fatalf("%s does not come", what)
	}
}

// standing is a listener that takes connections and says nothing, as the system does for a process that is stopped.
func standing(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

// hangingUp is a listener that takes connections, reads, and closes them.
func hangingUp(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	var tasks sync.WaitGroup
	tasks.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 1))
			_ = c.Close()
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		tasks.Wait()
	})
	return l.Addr().String()
}

// busyAtFirst passes connections on to an instance, except for the first, which gets no answer. It tells whether there were more.
func busyAtFirst(t *testing.T, to string) (at string, again func() bool) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	var tasks sync.WaitGroup
	var open []net.Conn
	var more atomic.Bool
	tasks.Go(func() {
		for n := 0; ; n++ {
			from, err := l.Accept()
			if err != nil {
				break
			}
			open = append(open, from)
			if n == 0 {
				continue
			}
			more.Store(true)
			next, err := net.Dial("tcp", to)
			if err != nil {
				break
			}
			open = append(open, next)
			tasks.Go(func() { _, _ = io.Copy(next, from) })
			tasks.Go(func() { _, _ = io.Copy(from, next) })
		}
		for _, c := range open {
			_ = c.Close()
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		tasks.Wait()
	})
	return l.Addr().String(), more.Load
}
