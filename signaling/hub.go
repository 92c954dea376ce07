package signaling

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/anteroom/anteroom/internal/auth"
	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/sfu"
	"github.com/anteroom/anteroom/signaling/wire"
)

const (
	defaultWarm    = 10
	defaultSockets = 20_000
	loadTimeout    = 5 * time.Second
	reloadEvery    = time.Second // while the directory cannot be read
)

// Config is what a hub works with. Store, SFU, Keys, PublicURL and ICEServers are needed.
type Config struct {
	Store store.Store
	SFU   *sfu.SFU
	Keys  *auth.Keys
	// PublicURL is what links begin with: scheme, host and port, no slash at the end. The request, from which a
	// development server reads it, may be nil.
	PublicURL func(*http.Request) string
	// ICEServers are a session's way out where UDP is blocked.
	ICEServers func(session string) []wire.ICEServer
	// Origins are other sites, scheme, host and port, whose pages may open the socket.
	Origins []string
	// Warm is how many waiting visits, counted from the head of the queue, have a media connection before they are
	// admitted; 0 means 10.
	Warm int
	// Admit tells whether the server may take on more for a visit that is not under way yet, and if not, after how long to ask
	// again; connection says that it is a media connection more. Visits under way are not asked about. nil: always.
	Admit func(connection bool) (again time.Duration, ok bool)
	// MaxSockets bounds the connections of the hub; 0 means 20,000.
	MaxSockets int
	// Owners share the waiting rooms among several instances; nil: this one owns all that it is asked for.
	Owners Owners
	// Now is the system clock: what visits keep and people read comes from it, and when cookies expire. Nothing waits by it, since it
	// may be set. nil: time.Now.
	Now        func() time.Time
	Logger     *zap.Logger           // nil: none
	Registerer prometheus.Registerer // nil: metrics are counted and shown nowhere
}

// Hub owns waiting rooms and the sockets of the people in them. It serves the signaling endpoint and is safe for
// concurrent use.
type Hub struct {
	store      store.Store
	sfu        *sfu.SFU
	keys       *auth.Keys
	publicURL  func(*http.Request) string
	iceServers func(session string) []wire.ICEServer
	origins    []string
	warm       int
	admit      func(connection bool) (time.Duration, bool)
	maxSockets int
	owners     Owners // nil: none but this hub
	now        func() time.Time
	log        *zap.Logger
	metrics    *metrics
	meters     meters
	epoch      int64         // when it was made, in milliseconds since 1970: greater than before unless the clock was set back
	began      time.Time     // the same by the clock that nobody sets
	idleAfter  time.Duration // for how long a room that nobody needs is kept
	unsaved    atomic.Int32  // rooms whose changes the store does not take now
	opened     atomic.Uint64 // sockets so far

	ctx   context.Context // ends when rooms are to stop
	stop  context.CancelFunc
	tasks sync.WaitGroup // actors, savers and reloads

	reload sync.Mutex // held from reading a directory to handing it over, so that an older one never comes later

	mu    sync.Mutex
	rooms map[rooms.RoomID]*ownedRoom
	// lingering are rooms that were handed over and whose media still goes through here.
	lingering map[rooms.RoomID]*actor
	sockets   int
	closing   bool
	quiet     sync.Cond // signals on mu when the last socket is gone
}

// ownedRoom is an actor that runs or is being loaded.
type ownedRoom struct {
	ready chan struct{} // closed when actor or err is set
	here  bool          // of Owners.Own
	over  chan struct{} // closed when the room is forgotten because it is not here any more, or not needed
	actor *actor
	err   error
}

// NewHub makes a hub. Rooms are loaded when they are first needed. Close it.
func NewHub(cfg Config) (*Hub, error) {
	if cfg.Store == nil || cfg.SFU == nil || cfg.Keys == nil || cfg.PublicURL == nil || cfg.ICEServers == nil {
		return nil, errors.New("signaling: Store, SFU, Keys, PublicURL and ICEServers are needed")
	}
	h := &Hub{
		store: cfg.Store, sfu: cfg.SFU, keys: cfg.Keys, publicURL: cfg.PublicURL, iceServers: cfg.ICEServers,
		origins: slices.Clone(cfg.Origins), warm: cfg.Warm, maxSockets: cfg.MaxSockets, owners: cfg.Owners, admit: cfg.Admit, now: cfg.Now,
		log: cfg.Logger, rooms: map[rooms.RoomID]*ownedRoom{},
		lingering: map[rooms.RoomID]*actor{},
	}
	h.quiet.L = &h.mu
	if h.now == nil {
		h.now = time.Now
	}
	h.epoch, h.began, h.idleAfter = h.now().UnixMilli(), time.Now(), idleAfter
	if h.warm == 0 {
		h.warm = defaultWarm
	}
	if h.admit == nil {
		h.admit = func(bool) (time.Duration, bool) { return 0, true }
	}
	if h.maxSockets == 0 {
		h.maxSockets = defaultSockets
	}
	if h.log == nil {
		h.log = zap.NewNop()
	}
	h.metrics = newMetrics(h)
	if cfg.Registerer != nil {
		if err := cfg.Registerer.Register(h.metrics); err != nil {
			return nil, fmt.Errorf("signaling: %w", err)
		}
	}
	h.ctx, h.stop = context.WithCancel(context.Background())
	return h, nil
}

// Drain refuses new sockets and rooms, tells everybody to come back, and waits until what was decided is durable and
// the sockets are closed, or ctx ends.
func (h *Hub) Drain(ctx context.Context) {
	h.mu.Lock()
	h.closing = true
	h.mu.Unlock()
	h.stop()
	done := make(chan struct{})
	go func() { // ends with the sockets, whose writers have deadlines
		defer close(done)
		h.tasks.Wait()
		h.mu.Lock()
		defer h.mu.Unlock()
		for h.sockets > 0 {
			h.quiet.Wait()
		}
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// Close is Drain without a limit of time. It may be called more than once.
func (h *Hub) Close() error {
	h.Drain(context.Background())
	return nil
}

// errUnsaved is why a hub is not ready whose store seems to be.
var errUnsaved = fmt.Errorf("signaling: changes of a waiting room cannot be saved: %w", store.ErrUnavailable)

// Ready tells whether the store can be written now: nil, or why not. A disk that is all but full takes the little that
// is written to find out; so what the rooms could not save counts too.
func (h *Hub) Ready() error {
	if h.unsaved.Load() > 0 {
		return errUnsaved
	}
	ctx, cancel := context.WithTimeout(h.ctx, time.Second)
	defer cancel()
	return h.store.Ping(ctx)
}

// Do applies a command in a waiting room and returns once what it did is durable. It answers the errors of package
// rooms, store.ErrNotFound for an unknown room, ErrRetry if the change is not durable yet, ErrClosed, or an *Elsewhere.
func (h *Hub) Do(ctx context.Context, room rooms.RoomID, cmd rooms.Command) (rooms.Outcome, error) {
	return h.do(ctx, room, cmd, false)
}

func (h *Hub) do(ctx context.Context, room rooms.RoomID, cmd rooms.Command, here bool) (rooms.Outcome, error) {
	e := given{cmd: cmd, result: make(chan givenResult, 1)}
	got, err := askOwner(ctx, h, room, here, e, e.result)
	if err != nil {
		return rooms.Outcome{}, err
	}
	return got.out, got.err
}

// Visit answers a visit as its room's owner has it now: rooms.ErrNoVisit if it is not there, else as Do.
func (h *Hub) Visit(ctx context.Context, room rooms.RoomID, id rooms.VisitID) (*rooms.Visit, error) {
	return h.visit(ctx, room, id, false)
}

func (h *Hub) visit(ctx context.Context, room rooms.RoomID, id rooms.VisitID, here bool) (*rooms.Visit, error) {
	e := look{visit: id, result: make(chan looked, 1)}
	got, err := askOwner(ctx, h, room, here, e, e.result)
	if err != nil {
		return nil, err
	}
	return got.visit, got.err
}

// askOwner is ask of whoever has the room. An event that comes to an actor which has just left its room was not heard, and is given again.
func askOwner[T any](ctx context.Context, h *Hub, room rooms.RoomID, here bool, e event, result <-chan T) (T, error) {
	var none T
	for {
		a, err := h.actorAt(ctx, room, here)
		if err != nil {
			return none, err
		}
		if got, ok := ask(a, e, result); ok {
			return got, nil
		}
		if !a.hasLeft() {
			return none, ErrClosed
		}
	}
}

// RoomChanged says that a room's directory data, or that of its staff or clinic, was changed in the store. The room
// follows soon; while the store cannot be read it is tried again.
func (h *Hub) RoomChanged(room rooms.RoomID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	owned := h.rooms[room]
	if owned == nil || h.closing {
		return
	}
	h.tasks.Go(func() {
		select {
		case <-owned.ready:
		case <-h.ctx.Done():
			return
		}
		for owned.actor != nil && h.ctx.Err() == nil && !h.refresh(owned.actor, room) {
			select {
			case <-time.After(reloadEvery):
			case <-h.ctx.Done():
			}
		}
	})
}

func (h *Hub) refresh(a *actor, room rooms.RoomID) (done bool) {
	defer func() {
		if p := recover(); p != nil {
			h.metrics.panicked(h.log, "room_panic", p)
			done = true // again would be the same
		}
	}()
	h.reload.Lock()
	defer h.reload.Unlock()
	ctx, cancel := context.WithTimeout(h.ctx, loadTimeout)
	defer cancel()
	about, err := h.store.Room(ctx, room)
	if err != nil {
		h.log.Warn("room_not_reloaded", zap.String("room", string(room)), zap.Error(err))
		return false
	}
	d, err := h.directoryOf(ctx, about)
	if err != nil {
		h.log.Warn("room_not_reloaded", zap.String("room", string(room)), zap.Error(err))
		return false
	}
	a.post(d)
	return true
}

func (h *Hub) directoryOf(ctx context.Context, about rooms.WaitingRoom) (directory, error) {
	clinic, err := h.store.Clinic(ctx, about.Clinic)
	if err != nil {
		return directory{}, err
	}
	staff, err := h.store.StaffOf(ctx, about.Clinic)
	return directory{about: about, clinic: clinic, staff: staff}, err
}

// actorOf is actorAt for a client or a caller of this instance.
func (h *Hub) actorOf(ctx context.Context, room rooms.RoomID) (*actor, error) {
	return h.actorAt(ctx, room, false)
}

// actorAt answers a room's actor, which it loads and starts if there is none. here is that of Owners.Own.
func (h *Hub) actorAt(ctx context.Context, room rooms.RoomID, here bool) (*actor, error) {
	for {
		h.mu.Lock()
		owned := h.rooms[room]
		if owned == nil {
			if h.closing {
				h.mu.Unlock()
				return nil, ErrClosed
			}
			owned = &ownedRoom{ready: make(chan struct{}), here: here, over: make(chan struct{})}
			h.rooms[room] = owned
			h.tasks.Go(func() { h.load(room, owned) })
		}
		h.mu.Unlock()
		select {
		case <-owned.ready:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if elsewhere := (*Elsewhere)(nil); here && !owned.here && errors.As(owned.err, &elsewhere) {
			continue // others have asked, who left it open where the room is to be
		}
		if owned.actor == nil || !isGone(owned.actor.lease) && !owned.actor.hasLeft() {
			return owned.actor, owned.err
		}
		select {
		case <-owned.over: // and ask again where it is
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// load makes a room's actor, or forgets the room so that the next who needs it tries again.
func (h *Hub) load(room rooms.RoomID, owned *ownedRoom) {
	defer close(owned.ready)
	lease, err := h.own(room, owned.here)
	var a *actor
	if err == nil {
		a, err = h.read(room)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err == nil && h.closing {
		err = ErrClosed
	}
	if err != nil {
		owned.err = err
		delete(h.rooms, room)
		h.tasks.Go(func() { h.release(lease) })
		return
	}
	owned.actor = a.under(lease)
	h.start(a)
}

func (h *Hub) read(room rooms.RoomID) (a *actor, err error) {
	defer func() {
		if p := recover(); p != nil {
			h.metrics.panicked(h.log, "room_panic", p)
			a, err = nil, errInternal
		}
	}()
	ctx, cancel := context.WithTimeout(h.ctx, loadTimeout)
	defer cancel()
	about, visits, err := h.store.LoadRoom(ctx, room)
	if err != nil {
		return nil, err
	}
	d, err := h.directoryOf(ctx, about)
	if err != nil {
		return nil, err
	}
	return newActor(h, d, visits), nil
}

// start runs an actor and its saver. The saver outlives the actor, so that the last decisions are saved, and the lease both.
func (h *Hub) start(a *actor) {
	saving, stopSaving := context.WithCancel(context.WithoutCancel(h.ctx))
	h.tasks.Go(func() {
		defer close(a.letGo)
		a.saver.run(saving)
		h.letGo(a)
	})
	h.tasks.Go(func() {
		defer close(a.ended)
		a.run(h.ctx)
		if !a.isHanded() {
			stopSaving()
			<-a.letGo
			return
		}
		h.lingers(a, true)
		defer h.lingers(a, false)
		stopSaving()
		<-a.letGo
		a.linger(h.ctx)
	})
}

// Sockets is how many are open now.
func (h *Hub) Sockets() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sockets
}

// seatLink is the link that a guest gets. Its token cannot fail: the identity is complete.
func (h *Hub) seatLink(id auth.Identity) string {
	token, err := h.keys.SeatToken(id)
	if err != nil {
		panic("signaling: " + err.Error())
	}
	return auth.Link(h.publicURL(nil), token)
}

// newID makes an identifier.
func newID() string { return rooms.NewID(time.Now(), rand.Reader) }
