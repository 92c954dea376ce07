package cluster

import (
	"context"
	crand "crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
)

// Times of leases. See docs/architecture.md for what follows from them.
const (
	TTL    = 3 * time.Second // of a lease, and of what an instance says of itself
	Every  = time.Second     // between renewals
	Margin = 500 * time.Millisecond
	// callTimeout bounds one exchange with the store or with another instance.
	callTimeout = 500 * time.Millisecond
	watchEvery  = 100 * time.Millisecond
	// standstill is how long nothing can have run here without the process having been stopped or the machine suspended.
	standstill = time.Second
)

// Load is what an instance carries.
type Load struct {
	Peers   int `json:"peers"`
	Sockets int `json:"sockets"`
}

// score compares loads: a media connection is worth many sockets.
func (l Load) score() int { return 20*l.Peers + l.Sockets }

// Store is what a cluster needs of store.Store.
type Store interface {
	store.Leases
	store.Schemas
}

// Config is what a cluster works with. Store, Secret, Listen and Load are needed.
type Config struct {
	Store  Store
	Secret [32]byte // the same at all instances, from which each proves itself
	Listen string   // HOST:PORT of the hop
	// Advertise is the HOST:PORT at which others reach Listen; empty: Listen's own.
	Advertise string
	Load      func() Load
	Lost      func() // is told when the store has lost a lease of this instance; it must not wait; nil: nobody is
	Changed   func() // is told when the directory has changed; it must not wait; nil: nobody is
	// Media are the media addresses of this instance, of which 16 at most are told to the others.
	Media []netip.AddrPort
	// Others is told the media addresses of the other instances each time that the list is read; it must not wait. nil: nobody is.
	Others func([]netip.AddrPort)
	// Outdated is told, maybe more than once, that the store is written in a schema that this version does not know, so that it has to
	// stop; it must not wait. nil: nobody is.
	Outdated func(error)
	Logger   *zap.Logger // nil: none
	// Clock counts since some moment, suspension of the machine included; nil: since boot.
	Clock func() time.Duration
}

// Cluster is this instance among others. It is safe for concurrent use. It implements signaling.Owners.
type Cluster struct {
	store    Store
	id       string
	at       string // how others reach the hop
	load     func() Load
	lost     func()
	news     func()
	outdated func(error)
	media    []netip.AddrPort
	others   func([]netip.AddrPort)
	log      *zap.Logger
	now      func() time.Duration
	lot      func(n int) int // a number below n

	identity tls.Certificate
	sessions tls.ClientSessionCache // of the hop, by address
	socket   net.Listener
	http     *http.Client
	hub      Hub

	ctx   context.Context
	stop  context.CancelFunc
	tasks sync.WaitGroup
	kick  chan struct{} // holds a value when renewals are not to wait

	changed changes

	giving   chan struct{} // holds a value for each room that is being handed over
	partings chan parting

	mu      sync.Mutex
	members []member           // the newest list, this instance included
	met     map[string]meeting // instances that are or were listed, by address
	leaving bool
	// balancing tells that rooms go because this instance carries much more than others.
	balancing bool
	held      map[rooms.RoomID]*lease
	claiming  map[rooms.RoomID]int    // claims under way
	routes    map[rooms.RoomID]string // where rooms were found
	suspects  map[string]time.Duration
	gifts     map[rooms.RoomID]gift // rooms that are being handed over to this instance

	schema schema
	alone  *time.Duration // since when: see doubt; nil: it is not

	counts counts
}

// counts are since the start.
type counts struct{ claimed, takenOver, handedOver, balanced, reclaimed, fenced atomic.Uint64 }

// Stats says how the cluster is doing.
type Stats struct {
	Members, Held                                               int // now
	Schema                                                      store.Schema
	Claimed, TakenOver, HandedOver, Balanced, Reclaimed, Fenced uint64 // leases, since the start
}

var errConfig = errors.New("cluster: Store, Secret, Listen and Load are needed")

// New opens the hop. Serve joins the others; Close ends it.
func New(ctx context.Context, cfg Config) (*Cluster, error) {
	if cfg.Store == nil || cfg.Secret == [32]byte{} || cfg.Listen == "" || cfg.Load == nil {
		return nil, errConfig
	}
	c := &Cluster{
		store: cfg.Store, id: newNonce(), load: cfg.Load, lost: cfg.Lost, news: cfg.Changed, outdated: cfg.Outdated, others: cfg.Others, media: reachable(cfg.Media), log: cfg.Logger, now: cfg.Clock, lot: rand.IntN, kick: make(chan struct{}, 1),
		held: map[rooms.RoomID]*lease{}, claiming: map[rooms.RoomID]int{}, routes: map[rooms.RoomID]string{}, suspects: map[string]time.Duration{}, met: map[string]meeting{},
		sessions: tls.NewLRUClientSessionCache(maxSessions), changed: newChanges(), giving: make(chan struct{}, maxGiving), partings: make(chan parting, maxPartings), gifts: map[rooms.RoomID]gift{},
	}
	if c.lost == nil {
		c.lost = func() {}
	}
	if c.news == nil {
		c.news = func() {}
	}
	if c.others == nil {
		c.others = func([]netip.AddrPort) {}
	}
	if c.outdated == nil {
		c.outdated = func(error) {}
	}
	if c.log == nil {
		c.log = zap.NewNop()
	}
	if c.now == nil {
		c.now = bootTime
	}
	var err error
	if c.identity, err = newIdentity(cfg.Secret); err != nil {
		return nil, err
	}
	if c.socket, err = net.Listen("tcp", cfg.Listen); err != nil {
		return nil, fmt.Errorf("cluster: %w", err)
	}
	if c.at = cfg.Advertise; c.at == "" {
		c.at = c.socket.Addr().String()
	}
	c.http = c.newClient()
	c.ctx, c.stop = context.WithCancel(context.WithoutCancel(ctx))
	return c, nil
}

// Address is where others reach this instance.
func (c *Cluster) Address() string { return c.at }

// Close ends the hop and the renewal of leases. The hub has to be closed before, which releases them.
func (c *Cluster) Close() error {
	c.stop()
	err := c.socket.Close()
	c.tasks.Wait()
	c.http.CloseIdleConnections()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Stats answers what a dashboard shows.
func (c *Cluster) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Stats{
		Members: len(c.members), Held: len(c.held), Schema: c.schema.Schema, Claimed: c.counts.claimed.Load(), TakenOver: c.counts.takenOver.Load(),
		HandedOver: c.counts.handedOver.Load(), Balanced: c.counts.balanced.Load(), Reclaimed: c.counts.reclaimed.Load(), Fenced: c.counts.fenced.Load(),
	}
}

// every does something now and then, and at once when kicked, until the cluster closes.
func (c *Cluster) every(pace time.Duration, kick <-chan struct{}, do func()) {
	ticker := time.NewTicker(pace)
	defer ticker.Stop()
	for {
		do()
		select {
		case <-ticker.C:
		case <-kick:
		case <-c.ctx.Done():
			return
		}
	}
}

// within bounds an exchange.
func (c *Cluster) within() (context.Context, context.CancelFunc) {
	return context.WithTimeout(c.ctx, callTimeout)
}

// newNonce is 128 random bits, for what is to be unlike everything before.
func newNonce() string {
	var b [16]byte
	_, _ = crand.Read(b[:]) // never fails, see crypto/rand
	return hex.EncodeToString(b[:])
}
