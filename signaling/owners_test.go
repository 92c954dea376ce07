package signaling

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/anteroom/anteroom/internal/auth"
	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/rooms/store/bolt"
	"github.com/anteroom/anteroom/sfu"
	"github.com/anteroom/anteroom/sfu/transport"
	"github.com/anteroom/anteroom/signaling/wire"
)

// instances are hubs that share a store; a test says which of them has the rooms.
type instances struct {
	t     *testing.T
	store store.Store
	hubs  []*world

	mu     sync.Mutex
	owner  int // of all rooms but those of others
	others map[rooms.RoomID]int
	cut    bool // between instances, once the next command has got through
	apart  bool // they are
	leases []*testLease
	hops   []string    // addresses, by hub
	failed int         // sockets that did not get through
	stuck  atomic.Bool // the store takes nothing
	lost   atomic.Bool // the store has lost who works here, and where
}

// stuckStore is a store as the hubs see it.
type stuckStore struct {
	store.Store
	all *instances
}

func (s stuckStore) Commit(ctx context.Context, b store.Batch) error {
	if s.all.stuck.Load() {
		return store.ErrUnavailable
	}
	return s.Store.Commit(ctx, b)
}

func (s stuckStore) Staff(ctx context.Context, id rooms.StaffID) (rooms.Staff, error) {
	if s.all.lost.Load() {
		return rooms.Staff{}, store.ErrNotFound
	}
	return s.Store.Staff(ctx, id)
}

func (s stuckStore) Clinic(ctx context.Context, id rooms.ClinicID) (rooms.Clinic, error) {
	if s.all.lost.Load() {
		return rooms.Clinic{}, store.ErrNotFound
	}
	return s.Store.Clinic(ctx, id)
}

func (s stuckStore) Room(ctx context.Context, id rooms.RoomID) (rooms.WaitingRoom, error) {
	if s.all.lost.Load() {
		return rooms.WaitingRoom{}, store.ErrNotFound
	}
	return s.Store.Room(ctx, id)
}

func (s stuckStore) Rooms(ctx context.Context, clinic rooms.ClinicID) ([]rooms.WaitingRoom, error) {
	if s.all.lost.Load() {
		return nil, nil
	}
	return s.Store.Rooms(ctx, clinic)
}

func (s stuckStore) Visit(ctx context.Context, id rooms.VisitID) (*rooms.Visit, error) {
	if s.all.areApart() {
		return nil, store.ErrUnavailable
	}
	return s.Store.Visit(ctx, id)
}

// testLease is a lease of the store's of which a test says whether it is in force.
type testLease struct {
	db      store.Store
	room    rooms.RoomID
	in      atomic.Bool
	gone    chan struct{}
	repairs chan struct{}
	durable atomic.Uint64
	seen    atomic.Int64
	give    func()             // has another hub own the rooms
	parted  chan rooms.VisitID // of which the test may read

	mu    sync.Mutex
	fence store.Fence
}

func (l *testLease) Fence() store.Fence {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fence
}
func (l *testLease) MayOpen() bool              { return l.in.Load() }
func (l *testLease) Gone() <-chan struct{}      { return l.gone }
func (l *testLease) Repairs() <-chan struct{}   { return l.repairs }
func (l *testLease) Durable(seq uint64)         { l.durable.Store(seq) }
func (l *testLease) Refused(*store.FencedError) {}
func (l *testLease) Saw(epoch int64)            { l.seen.Store(max(l.seen.Load(), epoch)) }
func (l *testLease) Parted(visit rooms.VisitID) {
	select {
	case l.parted <- visit:
	default:
	}
}

func (l *testLease) HandOver(ctx context.Context) error {
	l.give()
	return l.Release(ctx)
}

func (l *testLease) Release(ctx context.Context) error {
	return l.db.Release(ctx, store.Held{Room: l.room, Fence: l.Fence()})
}

// seat at the table of one hub.
type owners struct {
	all *instances
	hub int
}

func (o *owners) Own(ctx context.Context, room rooms.RoomID, _ bool) (Lease, error) {
	o.all.mu.Lock()
	defer o.all.mu.Unlock()
	owner, other := o.all.others[room]
	if !other {
		owner = o.all.owner
	}
	if owner != o.hub {
		return nil, &Elsewhere{At: o.all.hops[owner]}
	}
	holder, _ := o.all.store.Holder(ctx, room)
	got, err := o.all.store.Claim(ctx, store.Claim{Room: room, Owner: "test", Nonce: newID(), TTL: time.Minute, Over: holder.Fence})
	if err != nil {
		return nil, err
	}
	l := &testLease{
		db: o.all.store, room: room, gone: make(chan struct{}), repairs: make(chan struct{}, 1), fence: got.Fence,
		give: o.all.handOver, parted: make(chan rooms.VisitID, 8),
	}
	l.in.Store(true)
	o.all.leases = append(o.all.leases, l)
	return l, nil
}

// handOver has the other of two hubs own the rooms.
func (i *instances) handOver() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.owner = 1 - i.owner
}

func (o *owners) Failed(rooms.RoomID, string, error) {
	o.all.mu.Lock()
	defer o.all.mu.Unlock()
	o.all.failed++
}

func (o *owners) Do(ctx context.Context, room rooms.RoomID, cmd rooms.Command) (rooms.Outcome, error) {
	if o.all.areApart() {
		return rooms.Outcome{}, ErrRetry
	}
	for _, w := range o.all.hubs {
		out, err := w.hub.Here().Do(ctx, room, cmd)
		if isElsewhere(err) {
			continue
		}
		o.all.mu.Lock()
		defer o.all.mu.Unlock()
		if o.all.apart = o.all.cut; o.all.apart {
			return rooms.Outcome{}, ErrRetry
		}
		return out, err
	}
	return rooms.Outcome{}, ErrRetry
}

func (o *owners) Dial(ctx context.Context, at string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "tcp", at)
}

// lease is the newest.
func (i *instances) lease() *testLease {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.leases[len(i.leases)-1]
}

// leaseOf is the newest of a room.
func (i *instances) leaseOf(room rooms.RoomID) *testLease {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, l := range slices.Backward(i.leases) {
		if l.room == room {
			return l
		}
	}
	return nil
}

// give has a hub own one room, be it not the one that has the others.
func (i *instances) give(room rooms.RoomID, hub int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.others[room] = hub
}

// cutAfterNext has the next command between instances done and its answer lost, and nothing heard of anything after it.
func (i *instances) cutAfterNext() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.cut = true
}

func (i *instances) mend() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.cut, i.apart = false, false
}

func (i *instances) areApart() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.apart
}

// moveTo has another hub own what nobody has.
func (i *instances) moveTo(hub int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.owner = hub
}

// newInstances starts hubs of which the first has the rooms.
func newInstances(t *testing.T, n int) *instances {
	t.Helper()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "anteroom.db"), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	i := &instances{t: t, store: db, others: map[rooms.RoomID]int{}}
	base := world{t: t, store: db}
	base.keys, err = auth.New([]byte(strings.Repeat("secret ", 8)))
	base.must(err)
	base.furnish()
	for n := range n {
		w := base
		port, err := transport.Listen(transport.Config{Listen: netip.MustParseAddrPort("127.0.0.1:0"), Loopback: true})
		w.must(err)
		t.Cleanup(func() { _ = port.Close() })
		media := sfu.New(sfu.Config{Transport: port})
		t.Cleanup(media.Close)
		w.hub, err = NewHub(Config{
			Store: stuckStore{db, i}, SFU: media, Keys: w.keys, Owners: &owners{all: i, hub: n},
			PublicURL:  func(*http.Request) string { return "https://visits.example" },
			ICEServers: func(string) []wire.ICEServer { return []wire.ICEServer{} },
		})
		w.must(err)
		w.server = httptest.NewServer(w.hub)
		hop := httptest.NewServer(w.hub.Here())
		i.hubs, i.hops = append(i.hubs, &w), append(i.hops, hop.Listener.Addr().String())
		t.Cleanup(func() {
			_ = w.hub.Close()
			w.server.Close()
			hop.Close()
		})
	}
	return i
}

func TestPass_SocketsOfAnotherInstancesRoom_AreAsIfTheyWereThere(t *testing.T) {
	i := newInstances(t, 2)
	owner, other := i.hubs[0], i.hubs[1]
	id := owner.visit("Ana Santos")
	patient, welcome := other.open(id)
	if welcome.View.Epoch != i.lease().Fence().Epoch {
		t.Errorf("the view is of epoch %d", welcome.View.Epoch)
	}
	doctor, _ := other.open(other.staff())
	other.must(nilOf(patient.ask(wire.TypeCheckIn, wire.Empty{}, nil)))
	patient.waitView(func(v wire.View) bool { return v.Me.State == wire.SeatWaiting })
	if err := patient.ask(wire.TypePing, wire.Ping{}, nil); err != nil {
		t.Error(err)
	}
	long := strings.Repeat("x", wire.MaxChatRunes)
	other.must(nilOf(patient.ask(wire.TypeChat, wire.Chat{Text: long}, nil)))
	other.must(nilOf(doctor.ask(wire.TypeAdmit, wire.Target{Visit: string(id.Visit), Seat: string(id.Seat)}, nil)))
	patient.waitView(func(v wire.View) bool { return v.Me.State == wire.SeatAdmitted && v.Send })
	other.must(nilOf(doctor.ask(wire.TypeEnd, wire.End{Visit: string(id.Visit), Disposition: wire.DispositionDone}, nil)))
	if got := patient.closeCode(); got != wire.CloseOver {
		t.Errorf("closed with %d", got)
	}
}

func TestPass_WhatIsNoMessage_IsClosedAsByTheOwner(t *testing.T) {
	i := newInstances(t, 2)
	id := i.hubs[0].visit("Ana Santos")
	patient, _ := i.hubs[1].open(id)
	i.hubs[1].must(patient.ws.WriteMessage(1, []byte(strings.Repeat("x", wire.MaxMessageBytes+1))))
	if got := patient.closeCode(); got != wire.CloseBadMessage {
		t.Errorf("closed with %d", got)
	}
}

func TestPass_APageThatEnds_IsGoneAtTheOwner(t *testing.T) {
	i := newInstances(t, 2)
	id := i.hubs[0].visit("Ana Santos")
	patient, _ := i.hubs[1].open(id)
	doctor, _ := i.hubs[0].open(i.hubs[0].staff())
	i.hubs[1].must(patient.ws.Close())
	for {
		m, err := doctor.next()
		i.hubs[0].must(err)
		if m.T == wire.EventList && strings.Contains(string(m.D), `"link":"reconnecting"`) {
			return
		}
	}
}

func TestPass_TheOwnerStops_PagesAreToldToComeBack(t *testing.T) {
	i := newInstances(t, 2)
	id := i.hubs[0].visit("Ana Santos")
	patient, _ := i.hubs[1].open(id)
	_ = i.hubs[0].hub.Close()
	if got := patient.closeCode(); got != wire.CloseRestart {
		t.Errorf("closed with %d", got)
	}
	i.moveTo(1)
	if _, welcome := i.hubs[1].open(id); welcome.View.Me.Seat != string(id.Seat) {
		t.Errorf("back as %+v", welcome.View.Me)
	}
}

func TestPass_ThisInstanceStops_PagesAreToldToComeBack(t *testing.T) {
	i := newInstances(t, 2)
	patient, _ := i.hubs[1].open(i.hubs[0].visit("Ana Santos"))
	_ = i.hubs[1].hub.Close()
	if got := patient.closeCode(); got != wire.CloseRestart {
		t.Errorf("closed with %d", got)
	}
}

// socketPair is both ends of a WebSocket.
func socketPair(t *testing.T) (near, far *websocket.Conn) {
	t.Helper()
	ends := make(chan *websocket.Conn, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
		}
		ends <- ws
	}))
	t.Cleanup(server.Close)
	near, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(server.URL, "http"), nil)
	if err != nil {
		t.Fatal(err)
	}
	far = <-ends
	t.Cleanup(func() { _, _ = near.Close(), far.Close() })
	return near, far
}

// An instance stops while a message passes: the deadline that stopping has set is replaced when the next one is waited for.
func TestPass_ThisInstanceStopsWhileAMessagePasses_NothingMoreIsWaitedFor(t *testing.T) {
	client, _ := socketPair(t)
	owner, _ := socketPair(t)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	c := &conn{hub: &Hub{ctx: ctx}, ws: client, hop: &hop{ws: owner, kind: websocket.TextMessage, first: strings.NewReader("x")}}
	if code := c.passDown(); code != wire.CloseRestart {
		t.Errorf("closed with %d", code)
	}
}

func TestPass_NobodyIsThere_TheClientComesBackLater(t *testing.T) {
	i := newInstances(t, 2)
	id := i.hubs[0].visit("Ana Santos")
	i.mu.Lock()
	i.hops[0] = "127.0.0.1:1" // which refuses
	i.mu.Unlock()
	p := i.hubs[1].dial(id)
	if err := p.ask(wire.TypeHello, p.hello(), nil); code(err) != wire.CodeRetry {
		t.Errorf("answered %v", err)
	}
	if got := p.closeCode(); got != wire.CloseBusy {
		t.Errorf("closed with %d", got)
	}
	if i.failed != maxReaches {
		t.Errorf("%d tries", i.failed)
	}
}

func TestLease_IsLost_EverybodyIsSentAway_AndNothingIsWritten(t *testing.T) {
	i := newInstances(t, 2)
	w := i.hubs[0]
	id := w.visit("Ana Santos")
	patient, _ := w.open(id)
	passed, _ := i.hubs[1].open(w.staff())
	a, err := w.hub.actorOf(t.Context(), w.room.ID)
	w.must(err)
	lost := i.lease()
	i.moveTo(1)
	if _, err := i.hubs[1].do(id.Visit, rooms.Lock{On: true}); err != nil {
		t.Fatal(err)
	}
	close(lost.gone)
	for _, p := range []*page{patient, passed} {
		if got := p.closeCode(); got != wire.CloseMoved {
			t.Errorf("closed with %d", got)
		}
	}
	if a.saver.save(t.Context(), nil, 1); !errors.Is(a.saver.commit(t.Context(), store.Batch{Room: w.room.ID}), errMovedAway) {
		t.Error("something was written")
	}
	if _, welcome := w.open(id); welcome.View.Epoch <= lost.fence.Epoch {
		t.Errorf("back at epoch %d, which was %d", welcome.View.Epoch, lost.fence.Epoch)
	}
}

func TestLease_IsOut_ClosingGoesOn_OpeningWaits(t *testing.T) {
	i := newInstances(t, 1)
	w := i.hubs[0]
	id, late := w.visit("Ana Santos"), w.visit("Bo Lind")
	patient, _ := w.open(id)
	second, _ := w.open(late)
	doctor, _ := w.open(w.staff())
	for _, p := range []*page{patient, second} {
		w.must(nilOf(p.ask(wire.TypeCheckIn, wire.Empty{}, nil)))
	}
	w.must(nilOf(doctor.ask(wire.TypeAdmit, wire.Target{Visit: string(id.Visit), Seat: string(id.Seat)}, nil)))
	patient.waitView(func(v wire.View) bool { return v.Send })

	i.lease().in.Store(false)
	admit := wire.Target{Visit: string(late.Visit), Seat: string(late.Seat)}
	if err := doctor.ask(wire.TypeAdmit, admit, nil); code(err) != wire.CodeRetry {
		t.Errorf("an admission: %v", err)
	}
	hold := doctor.send(wire.TypeHold, wire.Target{Visit: string(id.Visit), Seat: string(id.Seat)})
	patient.waitView(func(v wire.View) bool { return v.Me.State == wire.SeatHeld && !v.Send })

	i.lease().in.Store(true)
	for m, err := doctor.next(); m.Re != hold; m, err = doctor.next() {
		w.must(err)
	}
	if err := doctor.ask(wire.TypeAdmit, admit, nil); err != nil {
		t.Errorf("later: %v", err)
	}
	second.waitView(func(v wire.View) bool { return v.Send })
}

func TestLease_TheStoreHasLostAll_TheOwnerFillsIt(t *testing.T) {
	i := newInstances(t, 1)
	w := i.hubs[0]
	id := w.visit("Ana Santos")
	l := i.lease()
	// The newest claim is lost with what was written under it, and made again.
	again, err := w.store.Claim(t.Context(), store.Claim{Room: w.room.ID, Owner: "test", Nonce: newID(), TTL: time.Minute, Over: l.Fence()})
	w.must(err)
	l.mu.Lock()
	l.fence = again.Fence
	l.mu.Unlock()
	l.repairs <- struct{}{}
	_, err = w.do(id.Visit, rooms.Lock{On: true})
	w.must(err)
	held, err := w.store.Holder(t.Context(), w.room.ID)
	w.must(err)
	if held.Fence != again.Fence || held.Seq == 0 || held.Seq != l.durable.Load() {
		t.Errorf("the store has %+v, the owner knows of %d", held, l.durable.Load())
	}
}

// nilOf is nil for no error of the wire.
func nilOf(err *wire.Error) error {
	if err == nil {
		return nil
	}
	return errors.New(string(err.Code))
}
