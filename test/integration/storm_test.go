package integration

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/anteroom/anteroom/signaling/wire"
	"github.com/anteroom/anteroom/test/client"
)

var (
	stormSockets = flag.Int("storm.sockets", 150, "how many people wait when an instance is killed")
	stormRooms   = flag.Int("storm.rooms", 6, "in how many waiting rooms")
	stormReport  = flag.Bool("storm.report", false, "print figures, the last line as JSON")
)

const (
	stormHands = 16                     // that open links at the same time
	stormLook  = 100 * time.Millisecond // between two looks at Redis
	perAddress = 100                    // people behind one address
	// Pages that wait come back within atOnceWaiting, and then in steps that double, as web/client/line/backoff.ts says.
	atOnceWaiting = 250 * time.Millisecond
	mostBackoff   = 15 * time.Second
)

// TestStorm kills one of three instances on which many people wait. All come back to their seats, each once.
func TestStorm(t *testing.T) {
	c := startServers(t, 3)
	c.balanceElsewhere(t)
	waiting := newWaitingPeople(t, c, *stormSockets, *stormRooms)
	watch := watchRedis(t, c.redis.Counter())
	before := watch.peak(time.Second)

	killed := time.Now()
	c.all[0].kill(t)
	<-time.After(wire.PingTimeoutMS * time.Millisecond) // longer than a page believes in a dead connection
	waiting.check(t)
	peak := watch.peak(0)
	back := waiting.backSince(killed)
	if len(back) == 0 {
		t.Fatal("nobody was concerned")
	}
	times := spread(back)
	times["p99"] = quantile(back, 0.99)
	t.Logf("%d of %d came back after %v; at most %d commands a second in Redis, %d before", len(back), *stormSockets, times, peak, before)
	if *stormReport && !t.Failed() { // a lost or doubled seat fails: no figure is said of such a run
		fmt.Fprintf(os.Stdout, "%d people wait in %d waiting rooms on three instances behind a balancer; kill -9 of one. %d lose their connection, since it or the owner of their room was there, and\n"+
			"come back as pages do, within %v and then in steps. From the kill to the view with the seat, ms. Commands are what Redis counts each %v, as a second.\n",
			*stormSockets, *stormRooms, len(back), atOnceWaiting, stormLook)
		must(t, json.NewEncoder(os.Stdout).Encode(map[string]any{
			"bench": "storm", "sockets": *stormSockets, "lost_connections": len(back), "seat_ms": times, "lost_seats": 0,
			"redis_commands_per_second": map[string]int64{"before": before, "peak": peak},
		}))
	}
}

// waitingPeople wait, each at a seat, with pages that come back by themselves.
type waitingPeople struct {
	people  []*waiter
	clinics []*clinic
	desks   []*client.Client
}

// waiter is a page that waits.
type waiter struct {
	*client.Client
	seat string

	mu    sync.Mutex
	lost  []loss
	wrong error // why it does not come back any more
}

// loss is a connection that ended.
type loss struct {
	code     wire.CloseCode
	at, back time.Time // the latter zero: not yet
}

func newWaitingPeople(t *testing.T, c *cluster, n, rooms int) *waitingPeople {
	t.Helper()
	w := &waitingPeople{people: make([]*waiter, n)}
	for range rooms {
		w.clinics = append(w.clinics, newClinic(t, &c.server))
	}
	links := make(chan int, n)
	visits := make([]visit, n)
	for i := range n {
		visits[i] = w.clinics[i%rooms].visit(t, fmt.Sprint("Patient ", i))
		links <- i
	}
	close(links)
	var pages sync.WaitGroup
	t.Cleanup(func() { // the test's context has ended
		pages.Wait()
		for _, p := range w.people {
			if p != nil {
				p.Close()
			}
		}
	})
	errs := make([]error, n)
	var hands sync.WaitGroup
	for range stormHands {
		hands.Go(func() {
			for i := range links {
				page, err := waitAt(t.Context(), visits[i].Seats[0].Link, addressOf(i))
				if errs[i] = err; page == nil {
					continue
				}
				p := &waiter{Client: page, seat: visits[i].Seats[0].ID}
				w.people[i] = p
				pages.Go(func() { p.live(t.Context()) })
			}
		})
	}
	hands.Wait()
	must(t, errors.Join(errs...))
	for i, room := range w.clinics {
		w.desks = append(w.desks, room.clinician(t, fmt.Sprint("Doctor ", i)))
	}
	w.check(t)
	return w
}

// live comes back whenever the connection ends.
func (p *waiter) live(ctx context.Context) {
	for {
		code, err := p.WaitClosed(ctx)
		if err != nil {
			return
		}
		p.mu.Lock()
		p.lost = append(p.lost, loss{code: code, at: time.Now()})
		p.mu.Unlock()
		err = comeBackAsPagesDo(ctx, p.Client, always)
		p.mu.Lock()
		p.lost[len(p.lost)-1].back, p.wrong = time.Now(), err
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// losses are all so far.
func (p *waiter) losses() ([]loss, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.lost), p.wrong
}

// here says what is wrong with somebody who ought to wait.
func (p *waiter) here() error {
	lost, err := p.losses()
	view := p.View()
	switch {
	case err != nil:
		return err
	case !p.Connected() || len(lost) > 0 && lost[len(lost)-1].back.IsZero():
		return errors.New("has no connection")
	case view.Me.Seat != p.seat || view.Me.State != wire.SeatWaiting:
		return fmt.Errorf("is %+v", view.Me)
	}
	return nil
}

// backSince answers after what time those were back whose connection has ended since a moment.
func (w *waitingPeople) backSince(moment time.Time) (back []time.Duration) {
	for _, p := range w.people {
		lost, _ := p.losses()
		for _, l := range lost {
			if l.at.After(moment) {
				back = append(back, l.back.Sub(moment))
				break
			}
		}
	}
	return back
}

// addressOf puts people behind addresses, as clinics and telephone companies do.
func addressOf(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{127, 2, byte(i / perAddress / 250), byte(i/perAddress%250 + 1)})
}

func waitAt(ctx context.Context, link string, from netip.Addr) (*client.Client, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	p, err := client.Join(ctx, link, client.Options{Device: wire.DevicePhone, From: from})
	if err != nil {
		return nil, err
	}
	if err := p.Connect(ctx); err != nil {
		return p, err
	}
	return p, p.CheckIn(ctx)
}

func always(error) bool { return true }

// comeBackAsPagesDo tries until a page is in, or again says no of an error.
func comeBackAsPagesDo(ctx context.Context, p *client.Client, again func(error) bool) error {
	pause, least := atOnceWaiting, time.Duration(0)
	for try := 0; ; try++ {
		select {
		case <-time.After(least + rand.N(pause)):
		case <-ctx.Done():
			return ctx.Err()
		}
		err := p.Connect(ctx)
		if err == nil || ctx.Err() != nil || !again(err) {
			return err
		}
		ceiling := min(nextTries<<min(try, 10), mostBackoff)
		pause, least = ceiling/2, ceiling/2
	}
}

// check waits until everybody waits at their seat, and staff see each of them once.
func (w *waitingPeople) check(t *testing.T) {
	t.Helper()
	ctx := within(t)
	pace := time.NewTicker(20 * time.Millisecond)
	defer pace.Stop()
	for i, p := range w.people {
		for err := p.here(); err != nil; err = p.here() {
			select {
			case <-pace.C:
				continue
			case <-ctx.Done():
				t.Errorf("number %d %v", i, err)
			}
			break
		}
	}
	for k, desk := range w.desks {
		if !desk.Connected() {
			must(t, desk.Connect(within(t)))
		}
		want := map[string]bool{}
		for i := k; i < len(w.people); i += len(w.clinics) {
			want[w.people[i].seat] = true
		}
		var seen, once int
		_, err := desk.WaitList(within(t), func(rows []wire.Row) bool {
			seen, once = 0, 0
			got := map[string]bool{}
			for _, r := range rows {
				if r.State != wire.SeatWaiting || r.Link != wire.LinkConnected {
					continue
				}
				seen++
				if want[r.Seat] && !got[r.Seat] {
					got[r.Seat] = true
					once++
				}
			}
			return seen == len(want) && once == len(want)
		})
		if err != nil {
			t.Errorf("in room %d staff see %d wait, %d of them once, of %d: %v", k, seen, once, len(want), err)
		}
	}
}

// redisWatch counts what Redis is asked.
type redisWatch struct {
	mu     sync.Mutex
	counts []int64 // commands between two looks
}

func watchRedis(t *testing.T, count func(context.Context) (int64, error)) *redisWatch {
	t.Helper()
	w := &redisWatch{}
	ctx, cancel := context.WithCancel(t.Context())
	var looking sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		looking.Wait()
	})
	looking.Go(func() {
		tick := time.NewTicker(stormLook)
		defer tick.Stop()
		var last int64
		for {
			if n, err := count(ctx); err == nil {
				w.mu.Lock()
				if last != 0 {
					w.counts = append(w.counts, n-last)
				}
				w.mu.Unlock()
				last = n
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	})
	return w
}

// peak waits, and answers the most commands there were since it was last asked, as a second.
func (w *redisWatch) peak(after time.Duration) int64 {
	<-time.After(after)
	w.mu.Lock()
	defer w.mu.Unlock()
	var most int64
	for _, n := range w.counts {
		most = max(most, n)
	}
	w.counts = nil
	return most * int64(time.Second/stormLook)
}
