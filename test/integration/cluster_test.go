package integration

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/anteroom/anteroom/internal/auth"
	"github.com/anteroom/anteroom/rooms/store/redistest"
	"github.com/anteroom/anteroom/rooms/store/sealed"
	"github.com/anteroom/anteroom/signaling/wire"
	"github.com/anteroom/anteroom/test/client"
)

// cluster is several servers on one Redis behind a balancer.
type cluster struct {
	server // through the balancer
	redis  *redistest.Server
	all    []*process
	front  *balancer
}

// startServers starts n instances, which are killed when the test ends.
func startServers(t *testing.T, n int) *cluster {
	t.Helper()
	return startServersOn(t, redistest.Start(t, "--appendonly", "yes"), n, func(_ int, redis string) []string {
		return []string{"--redis", redis, "--hop", "127.0.0.1:0"}
	})
}

// startServersOn is startServers with a Redis, and a say in how each finds it and the others.
func startServersOn(t *testing.T, redis *redistest.Server, n int, ways func(i int, redis string) []string) *cluster {
	t.Helper()
	c := &cluster{redis: redis}
	shared := t.TempDir()
	secret, seal := filepath.Join(shared, "secret"), filepath.Join(shared, "seal-keys")
	raw := make([]byte, auth.SecretSize)
	_, _ = rand.Read(raw) // never fails, see crypto/rand
	must(t, os.WriteFile(secret, []byte(base64.StdEncoding.EncodeToString(raw)), 0o600))
	must(t, os.WriteFile(seal, []byte(get(sealed.NewKey(rand.Reader, time.Now().Add(-time.Hour)))(t)), 0o600))
	var addresses []string
	for i := range n {
		p := c.another(t, append([]string{"--store", "redis", "--secret", secret, "--seal-keys", seal}, ways(i, c.redis.Addr())...))
		c.all, addresses = append(c.all, p), append(addresses, p.web)
	}
	c.front = startBalancer(t, addresses...)
	c.server = server{url: c.front.url(), key: c.all[0].key}
	return c
}

// another starts an instance, which is killed when the test ends.
func (c *cluster) another(t *testing.T, args []string) *process {
	t.Helper()
	p := &process{data: t.TempDir(), web: freeAddress(t), media: freeAddress(t), args: args}
	if len(c.all) > 0 { // one key works everywhere
		must(t, os.WriteFile(filepath.Join(p.data, "dev-key"), []byte(c.all[0].key), 0o600))
	}
	t.Cleanup(func() { p.resume(t); p.kill(t) })
	p.start(t)
	p.key = strings.TrimSpace(string(get(os.ReadFile(filepath.Join(p.data, "dev-key")))(t)))
	return p
}

// pause stops a process without its knowledge.
func (p *process) pause(t *testing.T) {
	t.Helper()
	must(t, p.command.Process.Signal(syscall.SIGSTOP))
}

// resume lets it go on, if it is there.
func (p *process) resume(t *testing.T) {
	t.Helper()
	if p.command != nil && p.command.ProcessState == nil {
		must(t, p.command.Process.Signal(syscall.SIGCONT))
	}
}

// owner is the instance that has the one room of a test; the others follow.
func (c *cluster) owner(t *testing.T) (owner int, others []int) {
	t.Helper()
	owner = -1
	for i, p := range c.all {
		if p.command.ProcessState == nil && p.metric(t, "anteroom_leases") > 0 {
			if owner >= 0 {
				t.Fatal("two instances have a room")
			}
			owner = i
		} else {
			others = append(others, i)
		}
	}
	if owner < 0 {
		t.Fatal("nobody has the room")
	}
	return owner, others
}

// encounter is a patient and a clinician in a visit, whose pages go through two instances to the owner.
type encounter struct {
	*clinic
	cluster         *cluster
	visit           visit
	seat            string
	patient, doctor *person
	owner           int
	others          []int
}

func newEncounter(t *testing.T, c *cluster) *encounter {
	t.Helper()
	e := &encounter{clinic: newClinic(t, &c.server), cluster: c}
	e.visit = e.clinic.visit(t, "Maria Santos")
	e.seat = e.visit.Seats[0].ID
	e.owner, e.others = c.owner(t)
	c.front.pin(e.others[0])
	e.patient = &person{Client: arrive(t, e.visit.Seats[0].Link), name: "patient"}
	c.front.pin(e.others[1])
	e.doctor = &person{Client: e.clinician(t, "Dr. Ada Byron"), name: "doctor"}
	c.front.pin(-1)
	connect(t, e.patient, e.doctor)
	must(t, e.doctor.Admit(within(t), e.visit.ID, e.seat))
	return e
}

// comeBack has a page connect again until it is in, as pages do, and answers how long that took.
func comeBack(t *testing.T, p *person) time.Duration {
	t.Helper()
	began := time.Now()
	ctx := within(t)
	pace := time.NewTicker(50 * time.Millisecond)
	defer pace.Stop()
	for {
		err := p.Connect(ctx)
		if err == nil {
			return time.Since(began)
		}
		select {
		case <-pace.C:
		case <-ctx.Done():
			t.Fatalf("%s does not come back: %v", p.name, err)
		}
	}
}

func TestCluster_AnySocketAtAnyInstance_MediaGoesToTheOwner(t *testing.T) {
	c := startServers(t, 3)
	e := newEncounter(t, c)
	talkAll(t, "in the visit", e.patient, e.doctor)
	for i, p := range c.all {
		peers := p.metric(t, `anteroom_media{what="peers"}`)
		if (i == e.owner) != (peers == 2) || i != e.owner && peers != 0 {
			t.Errorf("instance %d, of which the owner is %d, has %d media connections", i, e.owner, peers)
		}
	}
	must(t, e.doctor.Hold(within(t), e.visit.ID, e.seat))
	e.patient.mayNotSend(t)
	must(t, e.doctor.Resume(within(t), e.visit.ID, e.seat))
	talkAll(t, "again", e.patient, e.doctor)
	if v := e.read(t, e.visit.ID); v.Phase != "active" {
		t.Errorf("the visit is %q", v.Phase)
	}
	// Somebody's sign-in ends wherever that is said.
	id, link := e.staffLink(t, "Dr. Lee", wire.RoleClinician)
	c.front.pin(e.others[0])
	other := open(t, link, wire.DeviceDesktop)
	c.front.pin(e.others[1])
	_ = call[struct{}](t, &c.server, http.MethodDelete, "/v1/staff/"+id+"/link", nil)
	if code := get(other.WaitClosed(within(t)))(t); code != wire.CloseNoSession {
		t.Errorf("closed with %d", code)
	}
}

func TestCluster_TheOwnerIsKilled_EverybodyIsBackInTheirSeat(t *testing.T) {
	c := startServers(t, 3)
	e := newEncounter(t, c)
	var line []string
	waiting := []*client.Client{}
	for _, name := range []string{"Omar Haddad", "Bo Lind", "Ana Ruiz"} {
		v := e.clinic.visit(t, name)
		line = append(line, v.Seats[0].ID)
		waiting = append(waiting, arrive(t, v.Seats[0].Link))
	}
	inLine(t, e.doctor.Client, line...)
	talkAll(t, "before", e.patient, e.doctor)
	started := e.doctor.View().Visit.StartedAt

	killed := time.Now()
	c.all[e.owner].kill(t)
	for _, p := range []*person{e.patient, e.doctor} {
		before := p.peer
		if code := get(p.WaitClosed(within(t)))(t); code != wire.CloseMoved {
			t.Errorf("%s was closed with %d", p.name, code)
		}
		comeBack(t, p)
		if p.Peer() == before {
			t.Errorf("%s has a media connection that cannot be", p.name)
		}
	}
	seats := time.Since(killed)
	connect(t, e.patient, e.doctor)
	talkAll(t, "after", e.patient, e.doctor)
	media := time.Since(killed)
	t.Logf("after the kill seats are back after %v, media of both ways after %v", seats.Round(time.Millisecond), media.Round(time.Millisecond))
	for i, page := range waiting {
		_ = get(page.WaitClosed(within(t)))(t)
		comeBack(t, &person{Client: page, name: "who waits"})
		if me := page.View().Me; me.State != wire.SeatWaiting || me.Seat != line[i] {
			t.Errorf("number %d is back as %+v", i, me)
		}
	}
	inLine(t, e.doctor.Client, line...)
	if view := e.doctor.View(); view.Visit == nil || view.Visit.ID != e.visit.ID || view.Visit.StartedAt != started {
		t.Errorf("the doctor is in %+v", view.Visit)
	}
	now, _ := c.owner(t)
	if n := c.all[now].metric(t, admitted); n != 0 {
		t.Errorf("%d admissions after the kill", n)
	}
}

func TestCluster_TheOwnerStandsStill_ItDoesNothingMoreWhenItGoesOn(t *testing.T) {
	c := startServers(t, 3)
	e := newEncounter(t, c)
	talkAll(t, "before", e.patient, e.doctor)
	stale := c.all[e.owner]
	old := []*client.Peer{e.patient.peer, e.doctor.peer}

	stale.pause(t)
	c.front.pin(e.others[0])
	// New pages of the same people; the old ones keep their media connections to the stale owner and go on sending, as no page of
	// ours would.
	fresh := []*person{{Client: e.patient.Refreshed(), name: "patient"}, {Client: e.doctor.Refreshed(), name: "doctor"}}
	for _, p := range fresh {
		t.Cleanup(p.Close)
		t.Logf("%s is at a new owner after %v", p.name, comeBack(t, p).Round(time.Millisecond))
	}
	must(t, fresh[1].Hold(within(t), e.visit.ID, e.seat))
	if now, _ := c.ownerBeside(t, e.owner); now == e.owner {
		t.Fatal("the owner is the one that stands still")
	}
	// What comes while it stands still waits in its sockets; more comes until it has let go.
	meanwhile := e.patient.says("held, meanwhile")
	ctx, hush := context.WithCancel(within(t))
	var streaming sync.WaitGroup
	streaming.Go(func() { _ = old[0].Stream(ctx, func() client.Mark { return meanwhile }) })
	must(t, old[0].Send(meanwhile, enough))
	resumed := time.Now()
	stale.resume(t)
	stale.eventually(t, `anteroom_leases_total{what="lost"}`, 1)
	stale.eventuallyNone(t, `anteroom_media{what="peers"}`)
	t.Logf("let go %v after it went on", time.Since(resumed).Round(time.Millisecond))
	hush()
	streaming.Wait()
	t.Logf("%d packets that came meanwhile were forwarded before", tallyOf(old[1], meanwhile))
	strangers := stale.strangers(t)
	was := strangers()
	must(t, old[0].Send(e.patient.says("held"), enough))
	stale.awaitMore(t, strangers, was+2*enough)
	if n := tallyOf(old[1], e.patient.says("held")); n != 0 {
		t.Errorf("%d packets of somebody on hold were forwarded", n)
	}
	if v := e.read(t, e.visit.ID); v.Phase != "held" {
		t.Errorf("the visit is %q", v.Phase)
	}
	must(t, fresh[1].Resume(within(t), e.visit.ID, e.seat))
	connect(t, fresh...)
	talkAll(t, "after", fresh...)
}

func TestCluster_TheOwnerIsStopped_ItsRoomGoesOnElsewhereAtOnce(t *testing.T) {
	c := startServers(t, 3)
	e := newEncounter(t, c)
	talkAll(t, "before", e.patient, e.doctor)
	stopped := time.Now()
	must(t, c.all[e.owner].command.Process.Signal(syscall.SIGTERM))
	for _, p := range []*person{e.patient, e.doctor} {
		if code := get(p.WaitClosed(within(t)))(t); code != wire.CloseHandedOver && code != wire.CloseMoved {
			t.Errorf("%s was closed with %d", p.name, code)
		}
		comeBack(t, p)
	}
	seats := time.Since(stopped)
	connect(t, e.patient, e.doctor)
	talkAll(t, "after", e.patient, e.doctor)
	t.Logf("seats are back after %v, media of both ways after %v", seats.Round(time.Millisecond), time.Since(stopped).Round(time.Millisecond))
	must(t, c.all[e.owner].command.Wait())
	if n := c.all[e.others[0]].metric(t, takenOver) + c.all[e.others[1]].metric(t, takenOver); n != 0 {
		t.Error("the room was taken, and not given")
	}
}

const takenOver = `anteroom_leases_total{what="taken_over"}`

// ownerBeside is owner among those that do not stand still.
func (c *cluster) ownerBeside(t *testing.T, still int) (owner int, others []int) {
	t.Helper()
	beside := &cluster{all: slices.Delete(slices.Clone(c.all), still, still+1)}
	owner, others = beside.owner(t)
	if owner >= still {
		owner++
	}
	return owner, others
}

// inLine waits until staff see these seats wait, in this order.
func inLine(t *testing.T, staff *client.Client, seats ...string) {
	t.Helper()
	var got []string
	_, err := staff.WaitList(within(t), func(rows []wire.Row) bool {
		got = got[:0]
		for _, r := range rows {
			if r.State == wire.SeatWaiting && r.Link == wire.LinkConnected {
				got = append(got, r.Seat)
			}
		}
		return slices.Equal(got, seats)
	})
	if err != nil {
		t.Fatalf("in line are %v instead of %v: %v", got, seats, err)
	}
}

func tallyOf(p *client.Peer, mark client.Mark) int {
	tally := p.Tally()
	return tally.Of(client.Audio, mark) + tally.Of(client.Video, mark)
}

// eventually waits until a metric is as high.
func (p *process) eventually(t *testing.T, name string, least uint64) {
	t.Helper()
	p.awaitMore(t, func() uint64 { return p.metric(t, name) }, least)
}

// eventuallyNone waits until a metric is 0.
func (p *process) eventuallyNone(t *testing.T, name string) {
	t.Helper()
	p.awaitMore(t, func() uint64 {
		if p.metric(t, name) == 0 {
			return 1
		}
		return 0
	}, 1)
}

func (p *process) awaitMore(t *testing.T, count func() uint64, least uint64) {
	t.Helper()
	ctx := within(t)
	beat := time.NewTicker(5 * time.Millisecond)
	defer beat.Stop()
	for n := count(); n < least; n = count() {
		select {
		case <-beat.C:
		case <-ctx.Done():
			t.Fatalf("%d instead of %d", n, least)
		}
	}
}

// freeAddress is one of loopback at which a server can be started, and again after it was killed.
func freeAddress(t *testing.T) string {
	t.Helper()
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(redistest.FreePort(t)))
}
