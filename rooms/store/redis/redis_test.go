package redis

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/rooms/store/redistest"
	"github.com/anteroom/anteroom/rooms/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// prefixes keep tests apart that share a Redis.
var prefixes atomic.Int32

func open(t *testing.T, o Options) *DB {
	t.Helper()
	o.Prefix = fmt.Sprint("test", prefixes.Add(1))
	return reopen(t, o)
}

// reopen opens what another has under the same prefix.
func reopen(t *testing.T, o Options) *DB {
	t.Helper()
	if o.Timeout == 0 { // machines that test are busy, and what is slow is not what is wrong
		o.Timeout, o.LeaseTimeout = 10*time.Second, 10*time.Second
	}
	db, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestConformance(t *testing.T) {
	o := Options{Addresses: []string{redistest.Start(t).Addr()}}
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, o) })
}

// halfway holds all tests of the suite in their middle, until all are there, or have ended, and something was done.
type halfway struct {
	here chan struct{} // closed when all are there
	gate chan struct{} // closed when they may go on

	mu   sync.Mutex
	away int // tests that have not come here; then below nothing, for those that were held end too
}

func (h *halfway) change(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.away -= n; h.away == 0 {
		close(h.here)
	}
}

func (h *halfway) wait() {
	h.change(1)
	<-h.gate
}

func (h *halfway) ended() { h.change(1) }

// exchanges watches those of one client: it holds them from the n-th on until pass returns, which is called once, when none is
// under way.
type exchanges struct {
	n    int
	pass func()

	mu      sync.Mutex
	begun   int
	ended   int
	settled sync.Once
}

func (e *exchanges) DialHook(next redis.DialHook) redis.DialHook { return next }

func (e *exchanges) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		defer e.begin(cmd)()
		return next(ctx, cmd)
	}
}

func (e *exchanges) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		defer e.begin(cmds[0])()
		return next(ctx, cmds)
	}
}

// begin counts no part of another exchange: what is said first on a new connection.
func (e *exchanges) begin(cmd redis.Cmder) (end func()) {
	if slices.Contains([]string{"hello", "auth", "select", "client"}, cmd.Name()) {
		return func() {}
	}
	e.mu.Lock()
	e.begun++
	held := e.begun >= e.n
	e.mu.Unlock()
	if held {
		e.settled.Do(func() {
			for !e.quiet() {
				runtime.Gosched()
			}
			e.pass()
		})
		return func() {}
	}
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.ended++
	}
}

func (e *exchanges) quiet() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.ended == e.n-1
}

// runHalfway runs the whole suite at once, each test on a store of its own, and does something in the middle of all of them.
func runHalfway(t *testing.T, o Options, do func()) {
	o.Timeout, o.LeaseTimeout = 20*time.Second, 20*time.Second // a held call's time runs
	tests := storetest.Tests()
	h := &halfway{here: make(chan struct{}), gate: make(chan struct{}), away: len(tests)}
	var wg sync.WaitGroup
	defer wg.Wait()
	for name, test := range tests {
		wg.Go(func() {
			defer h.ended()
			t.Run(name, func(t *testing.T) {
				db := open(t, o)
				db.client.AddHook(&exchanges{n: 3, pass: h.wait})
				test(t, db)
			})
		})
	}
	defer close(h.gate)
	<-h.here
	do()
}

func TestConformance_Sentinel_FailoverInTheMiddle(t *testing.T) {
	f := redistest.StartFailover(t)
	runHalfway(t, Options{Addresses: f.Addrs(), Master: redistest.MasterName}, f.Fail)
}

func TestConformance_Cluster_SlotsMoveInTheMiddle(t *testing.T) {
	c := redistest.StartCluster(t, 3)
	var moving sync.WaitGroup
	moved := 0
	runHalfway(t, Options{Addresses: c.Addrs()}, func() {
		type move struct{ slot, from, to int }
		var moves []move
		for from := range 3 {
			for _, slot := range c.Used(from) {
				moves = append(moves, move{slot, from, (from + 1) % 3})
			}
		}
		for _, m := range moves {
			c.BeginMove(m.slot, m.from, m.to, 1) // a room has three keys: its scripts find some here and some there
		}
		moved = len(moves)
		moving.Go(func() {
			for _, m := range moves {
				c.EndMove(m.slot, m.from, m.to)
			}
		})
	})
	moving.Wait()
	if moved < 20 {
		t.Errorf("only %d slots were moved", moved)
	}
}

func TestModel(t *testing.T) {
	o := Options{Addresses: []string{redistest.Start(t).Addr()}, Timeout: 10 * time.Second, LeaseTimeout: 10 * time.Second}
	storetest.RunModel(t, func() (store.Store, func()) {
		o := o
		o.Prefix = fmt.Sprint("test", prefixes.Add(1))
		db, err := Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		return db, func() { db.Close() }
	})
}
