package integration

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/anteroom/anteroom/signaling"
	"github.com/anteroom/anteroom/signaling/wire"
	"github.com/anteroom/anteroom/test/client"
)

var (
	drainTimes  = flag.Int("drain.times", 1, "how often all instances are restarted, one after the other")
	drainVisits = flag.Int("drain.visits", 4, "how many visits are live then, in four waiting rooms")
	drainReport = flag.Bool("drain.report", false, "print figures, the last line as JSON")
)

// overlap bounds how long a page sends through two media connections.
const overlap = 2 * time.Second

// TestDrain restarts every instance in good order under live visits, again and again. No visit ends, nobody is admitted again, and
// everybody hears and sees the other all the time.
func TestDrain(t *testing.T) {
	t.Parallel() // it mostly waits
	c := startServers(t, 3)
	movers := newMovers(t, c, *drainVisits)
	var gaps []time.Duration
	for round := range *drainTimes {
		for i := range c.all {
			t.Logf("round %d, instance %d restarts", round, i)
			gaps = append(gaps, c.restart(t, i, movers)...)
		}
	}
	if len(gaps) == 0 {
		t.Fatal("nobody had to move")
	}
	t.Logf("%d times somebody moved; longest gaps %v (median, 95th percentile)", len(gaps), spread(gaps))
	if *drainReport && !t.Failed() { // a visit that ends or an admission fails: no figure is said of such a run
		fmt.Fprintf(os.Stdout, "%d rolling restarts (SIGTERM, then started anew, one after the other) of three instances behind a balancer, one Redis, under %d live visits of two in four rooms; Go clients\n"+
			"that come back as pages do and keep their media connection until there is another. The longest time without a packet of the other, of each person at each move: ms, median and 95th percentile of %d.\n",
			*drainTimes, *drainVisits, len(gaps))
		must(t, json.NewEncoder(os.Stdout).Encode(map[string]any{
			"bench": "drain", "n": len(gaps), "restarts": 3 * *drainTimes, "visits": *drainVisits, "gap_ms": spread(gaps), "ended": 0, "readmissions": 0,
		}))
	}
}

// restart stops an instance in good order and starts it again. It answers the longest silence of each who had to move.
func (c *cluster) restart(t *testing.T, i int, movers []*mover) (gaps []time.Duration) {
	t.Helper()
	before := c.admissions(t, i)
	for _, m := range movers {
		m.listen()
	}
	c.all[i].terminate(t)
	ended := time.Now()
	for _, m := range movers {
		gap, moved, err := m.settled(within(t), ended)
		if err != nil {
			t.Fatalf("%s: %v", m.name, err)
		}
		if moved {
			gaps = append(gaps, gap)
		}
	}
	if after := c.admissions(t, i); after != before {
		t.Errorf("%d admissions by the others, %d before", after, before)
	}
	c.all[i].start(t)
	c.complete(t)
	return gaps
}

// terminate asks a process to stop and waits until it has.
func (p *process) terminate(t *testing.T) {
	t.Helper()
	must(t, p.command.Process.Signal(syscall.SIGTERM))
	if err := p.command.Wait(); err != nil {
		t.Errorf("stopped with %v; log:\n%s", err, p.log)
	}
}

// admissions are those of all instances but one.
func (c *cluster) admissions(t *testing.T, but int) (n uint64) {
	t.Helper()
	for i, p := range c.all {
		if i != but {
			n += p.metric(t, admitted)
		}
	}
	return n
}

// complete waits until every instance knows of all.
func (c *cluster) complete(t *testing.T) {
	t.Helper()
	ctx := within(t)
	pace := time.NewTicker(50 * time.Millisecond)
	defer pace.Stop()
	for _, p := range c.all {
		for p.metric(t, "anteroom_instances") != uint64(len(c.all)) {
			select {
			case <-pace.C:
			case <-ctx.Done():
				t.Fatal("an instance does not know of all")
			}
		}
	}
}

// mover is a person of a live visit whose page comes back by itself, and hears when media is missing.
type mover struct {
	*survivor

	mu      sync.Mutex
	heard   time.Time     // the newest packet of the other
	longest time.Duration // without one, since listen
	moved   bool          // to another media connection, since listen
	busy    bool          // coming back
	wrong   error
	changed chan struct{} // holds a value when something has changed
}

const callOf = "before" // what survivors say all the time

func newMovers(t *testing.T, c *cluster, visits int) []*mover {
	t.Helper()
	const rooms = 4
	var movers []*mover
	for range rooms {
		for _, s := range newLiveVisits(t, c, visits/rooms).people {
			movers = append(movers, &mover{survivor: s, changed: make(chan struct{}, 1)})
		}
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var pages sync.WaitGroup
	for _, m := range movers {
		m.peer.OnPacket(m.hear)
		pages.Go(func() { m.live(ctx) })
	}
	t.Cleanup(func() {
		stop()
		pages.Wait()
	})
	return movers
}

func (m *mover) listen() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.heard, m.longest, m.moved = time.Now(), 0, false
}

func (m *mover) hear(client.Mark) {
	m.change(func() {
		now := time.Now()
		m.longest = max(m.longest, now.Sub(m.heard))
		m.heard = now
	})
}

func (m *mover) change(what func()) {
	m.mu.Lock()
	what()
	m.mu.Unlock()
	select {
	case m.changed <- struct{}{}:
	default:
	}
}

// settled waits until the page is where it should be and has heard something after a moment.
func (m *mover) settled(ctx context.Context, after time.Time) (gap time.Duration, moved bool, err error) {
	for {
		m.mu.Lock()
		done := m.wrong != nil || !m.busy && m.Connected() && m.heard.After(after)
		gap, moved, err = m.longest, m.moved, m.wrong
		m.mu.Unlock()
		if done {
			return gap, moved, err
		}
		select {
		case <-m.changed:
		case <-ctx.Done():
			return gap, moved, fmt.Errorf("does not settle: %w", ctx.Err())
		}
	}
}

// live comes back whenever the line ends.
func (m *mover) live(ctx context.Context) {
	for {
		code, err := m.WaitClosed(ctx)
		if err != nil {
			return
		}
		m.change(func() { m.busy = true })
		err = m.back(ctx, code)
		m.change(func() { m.busy = false; m.wrong = errors.Join(m.wrong, err) })
		if err != nil {
			return
		}
	}
}

func (m *mover) back(ctx context.Context, code wire.CloseCode) error {
	for pause := atOnce; ; pause = nextTries {
		select {
		case <-time.After(rand.N(pause)):
		case <-ctx.Done():
			return ctx.Err()
		}
		err := m.ConnectAs(ctx, client.Hello{Offer: code == wire.CloseHandedOver})
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return err
		}
	}
	view := m.View()
	if view.Me.Seat != m.seat || view.Me.State != wire.SeatAdmitted || view.Visit == nil || view.Visit.ID != m.visit || view.Visit.StartedAt != m.startedAt {
		return fmt.Errorf("is back as %+v in %+v", view.Me, view.Visit)
	}
	if m.Peer() == m.peer {
		return nil
	}
	return m.move(ctx)
}

// move has the person send through both media connections until the other comes through the new one, or has had their time.
func (m *mover) move(ctx context.Context) error {
	next, err := m.Media(ctx)
	if err != nil {
		return fmt.Errorf("media: %w", err)
	}
	next.OnPacket(m.hear)
	before := m.hush
	m.hush, m.peer = nil, next
	sending, hush := context.WithCancel(context.WithoutCancel(ctx))
	m.hush = hush
	mark := m.says(callOf)
	m.sending.Go(func() { _ = next.Stream(sending, func() client.Mark { return mark }) })
	both, enough := context.WithTimeout(ctx, overlap)
	defer enough()
	_ = next.WaitMark(both, m.other.says(callOf), 1)
	before()
	m.PartFormer()
	m.change(func() { m.moved = true })
	return nil
}

// drain has an operator empty a server or, with undo, fill it again, and answers what the command says.
func (p *process) drain(t *testing.T, more ...string) (string, error) {
	t.Helper()
	address := get(url.Parse(p.admin))(t).Host
	args := append([]string{"drain", "--admin", address, "--data", p.data}, more...)
	said, err := exec.CommandContext(within(t), get(binary())(t), args...).CombinedOutput()
	return string(said), err
}

// A room is handed over while everybody is in a visit. Their pages keep the media connections of the former owner, and go on sending there, as
// no page of ours would: when the new owner parts them, nothing reaches anybody by the old way either.
func TestDrain_ByCommand_WhoIsPartedAfterwards_IsPartedAtTheFormerOwner(t *testing.T) {
	c := startServers(t, 3)
	e := newEncounter(t, c)
	talkAll(t, "before", e.patient, e.doctor)
	former := c.all[e.owner]
	old := []*client.Peer{e.patient.peer, e.doctor.peer}
	drained := make(chan error, 1)
	go func() {
		said, err := former.drain(t)
		if err == nil && said != "drained\n" {
			err = errors.New(said)
		}
		drained <- err
	}()
	for _, p := range []*person{e.patient, e.doctor} {
		if code := get(p.WaitClosed(within(t)))(t); code != wire.CloseHandedOver {
			t.Fatalf("%s was closed with %d", p.name, code)
		}
		must(t, p.ConnectAs(within(t), client.Hello{}))
	}
	talkAll(t, "by the former owner", e.patient, e.doctor) // its peers are those that the people here have
	must(t, e.doctor.Hold(within(t), e.visit.ID, e.seat))
	held := time.Now()
	former.loses(t, `anteroom_media{what="peers"}`)
	t.Logf("%v after the hold nothing is left at the former owner; by itself it would end after %v", time.Since(held).Round(time.Millisecond), signaling.Linger)
	must(t, <-drained)
	for _, p := range []*person{e.patient, e.doctor} {
		must(t, p.peer.Send(p.says("behind the new owner's back"), enough))
	}
	if owner, _ := c.owner(t); owner == e.owner {
		t.Error("the room is where it was")
	}
	e.patient.PartFormer()
	e.doctor.PartFormer()
	must(t, e.doctor.Resume(within(t), e.visit.ID, e.seat))
	connect(t, e.patient, e.doctor)
	talkAll(t, "afterwards", e.patient, e.doctor)
	for i, other := range []*person{e.doctor, e.patient} {
		if tally := old[i].Tally(); tally.Of(client.Audio, other.says("behind the new owner's back")) > 0 {
			t.Error("something came by the former owner")
		}
	}

	if status := former.health(t, "/readyz"); status != http.StatusServiceUnavailable {
		t.Errorf("a drained server answers %d", status)
	}
	if said, err := former.drain(t, "--undo"); err != nil || said != "in use\n" {
		t.Errorf("%q, %v", said, err)
	}
	if status := former.health(t, "/readyz"); status != http.StatusOK {
		t.Errorf("a server in use answers %d", status)
	}
	c.complete(t)
	stranger := get(http.NewRequestWithContext(within(t), http.MethodPost, former.admin+"/drain", http.NoBody))(t)
	resp := get((&http.Transport{DisableKeepAlives: true}).RoundTrip(stranger))(t)
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("without the key: %s", resp.Status)
	}
}

// loses waits until a gauge is zero.
func (p *process) loses(t *testing.T, gauge string) {
	t.Helper()
	ctx := within(t)
	pace := time.NewTicker(2 * time.Millisecond)
	defer pace.Stop()
	for p.metric(t, gauge) > 0 {
		select {
		case <-pace.C:
		case <-ctx.Done():
			t.Fatal(gauge, " does not come to zero")
		}
	}
}

// health is what an address of the admin port answers.
func (p *process) health(t *testing.T, path string) int {
	t.Helper()
	r := get(http.NewRequestWithContext(within(t), http.MethodGet, p.admin+path, http.NoBody))(t)
	resp := get((&http.Transport{DisableKeepAlives: true}).RoundTrip(r))(t)
	_ = resp.Body.Close()
	return resp.StatusCode
}

func TestDrain_NobodyElseIsThere_IsRefused(t *testing.T) {
	c := startServers(t, 1)
	e := newClinic(t, &c.server)
	patient := arrive(t, e.visit(t, "Maria Santos").Seats[0].Link)
	if said, err := c.all[0].drain(t); err == nil || !strings.Contains(said, "no other instance") {
		t.Errorf("%q, %v", said, err)
	}
	if status := c.all[0].health(t, "/readyz"); status != http.StatusOK || !patient.Connected() {
		t.Errorf("the server answers %d, the patient is connected: %v", status, patient.Connected())
	}
	lists := get(c.redis.Client().Keys(within(t), "*:instances").Result())(t)
	if len(lists) != 1 {
		t.Fatalf("Redis has the lists %v", lists)
	}
	c.all[0].terminate(t)
	if n := get(c.redis.Client().HLen(within(t), lists[0]).Result())(t); n != 0 {
		t.Error("an instance that has stopped is still listed")
	}
}
