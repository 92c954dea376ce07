package integration

import (
	"context"
	"flag"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/anteroom/anteroom/signaling/wire"
	"github.com/anteroom/anteroom/test/client"
)

// redisAway is for how long a test takes Redis away: longer than leases last, and than an owner goes on whom others have left alone.
var redisAway = flag.Duration("redis.away", 13*time.Second, "for how long Redis is away under live visits")

func TestCluster_RedisIsAway_VisitsGoOn_ClosingWorks_OpeningWaits(t *testing.T) {
	for how, away := range map[string]struct{ begin, end func(*cluster) }{
		"silent": {func(c *cluster) { c.redis.Pause() }, func(c *cluster) { c.redis.Resume() }},
		"killed": {func(c *cluster) { c.redis.Kill() }, func(c *cluster) { c.redis.Restart() }},
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			c := startServers(t, 3)
			e := newEncounter(t, c)
			second := e.clinic.visit(t, "Omar Haddad")
			c.front.pin(e.others[1])
			colleague := &person{Client: e.clinician(t, "Dr. Lee"), name: "colleague"}
			newcomer := &person{Client: arrive(t, second.Seats[0].Link), name: "newcomer"}
			c.front.pin(-1)
			interpreter := &person{Client: arrive(t, get(e.doctor.Invite(within(t), wire.Invite{Visit: e.visit.ID, Role: wire.RoleInterpreter, Name: "Iva"}))(t).Link), name: "interpreter"}
			connect(t, colleague, newcomer, interpreter)
			must(t, e.doctor.Admit(within(t), e.visit.ID, interpreter.View().Me.Seat))
			talkAll(t, "before", e.patient, e.doctor, interpreter)
			epoch := e.doctor.View().Epoch

			stop := talkOn(t, "meanwhile", e.patient, e.doctor)
			away.begin(c)
			gone := time.NewTimer(*redisAway)
			inside := make(chan error, 1)
			go func() { inside <- colleague.Admit(t.Context(), second.ID, second.Seats[0].ID) }() // repeats itself while it is told to
			said := make(chan error, 2)
			for _, p := range []*person{e.patient, e.doctor} {
				go func() {
					_, err := p.Chat(t.Context(), wire.Chat{Visit: e.visit.ID, Thread: e.seat, Text: p.name + " writes meanwhile"})
					said <- err
				}()
			}
			// Parting waits for nobody.
			removed := make(chan error, 1)
			go func() { removed <- e.doctor.Remove(t.Context(), e.visit.ID, interpreter.View().Me.Seat) }()
			interpreter.mayNotSend(t)
			stray := c.all[e.owner].strangers(t)
			dropped := c.all[e.owner].forbidden(t)
			shout(t, interpreter, "removed", func() uint64 { return stray() + dropped() })
			neverHeard(t, interpreter.says("removed"), e.patient, e.doctor)
			// Who loses the connection comes back, through another instance.
			newcomer.Cut()
			t.Logf("somebody who waits is back after %v", comeBack(t, newcomer).Round(time.Millisecond))
			<-gone.C
			if n := c.all[e.owner].metric(t, `anteroom_commands_total{action="admit",result="retry"}`); n == 0 {
				t.Error("the admission was never told to wait")
			}
			if state := newcomer.View().Me.State; state != wire.SeatWaiting {
				t.Errorf("the newcomer is %q", state)
			}
			stop()
			for _, p := range []*person{e.patient, e.doctor} {
				for key, flow := range p.peer.Tally() {
					if flow.Missing() != 0 {
						t.Errorf("%s misses %d packets of %v", p.name, flow.Missing(), key)
					}
				}
			}
			held := make(chan error, 1)
			go func() { held <- e.doctor.Hold(t.Context(), e.visit.ID, e.seat) }()
			e.patient.mayNotSend(t)
			shout(t, e.patient, "held", c.all[e.owner].forbidden(t))

			away.end(c)
			back := time.Now()
			for _, done := range []chan error{inside, held, removed, said, said} {
				must(t, result(t, done))
			}
			newcomer.maySend(t)
			saidOnce(t, e.patient, e.doctor)
			t.Logf("admitted %v after Redis is back", time.Since(back).Round(time.Millisecond))
			talkAll(t, "later", colleague, newcomer)
			neverHeard(t, e.patient.says("held"), e.doctor)
			if now, _ := c.owner(t); now != e.owner {
				t.Errorf("the room has moved from %d to %d", e.owner, now)
			}
			// What was told to wait has been decided, and when it came again it was answered.
			done, repeated := c.all[e.owner].metric(t, admitted), c.all[e.owner].metric(t, `anteroom_commands_total{action="admit",result="repeated"}`)
			if done+repeated != 3 {
				t.Errorf("%d admissions and %d repeated instead of 3", done, repeated)
			}
			if is := e.doctor.View().Epoch; is != epoch && how == "silent" {
				t.Errorf("epoch %d after %d", is, epoch)
			}
		})
	}
}

func TestCluster_RedisIsEmptied_TheOwnersFillIt(t *testing.T) {
	c := startServers(t, 3)
	e := newEncounter(t, c)
	talkAll(t, "before", e.patient, e.doctor)
	epoch := e.doctor.View().Epoch
	stop := talkOn(t, "meanwhile", e.patient, e.doctor)
	must(t, c.redis.Client().FlushAll(t.Context()).Err())
	began := time.Now()
	c.all[e.owner].eventually(t, `anteroom_leases_total{what="claimed_again"}`, 1)
	must(t, e.doctor.Hold(within(t), e.visit.ID, e.seat))
	must(t, e.doctor.Resume(within(t), e.visit.ID, e.seat))
	t.Logf("saved again %v after it was emptied", time.Since(began).Round(time.Millisecond))
	stop()
	c.all[e.owner].awaitMore(t, func() uint64 { // the directory, to which the key belongs
		status, _ := c.request(t, http.MethodGet, "/v1/visits/"+e.visit.ID, nil)
		return 600 - uint64(status) //nolint:gosec // of three digits
	}, 600-http.StatusOK)
	if v := e.read(t, e.visit.ID); v.Phase != "active" {
		t.Errorf("the visit is %q", v.Phase)
	}
	if now, _ := c.owner(t); now != e.owner {
		t.Errorf("the room has moved from %d to %d", e.owner, now)
	}
	if is := e.doctor.View().Epoch; is <= epoch {
		t.Errorf("epoch %d after %d", is, epoch)
	}
	for _, p := range []*person{e.patient, e.doctor} { // the new claim sends nobody away
		if !p.Connected() {
			t.Errorf("%s was sent away", p.name)
		}
	}
	arrive(t, e.clinic.visit(t, "Bo Lind").Seats[0].Link)
}

// saidOnce waits until what people wrote meanwhile has come to each of them, and holds that it came once.
func saidOnce(t *testing.T, people ...*person) {
	t.Helper()
	for _, p := range people {
		for _, by := range people {
			text := by.name + " writes meanwhile"
			_ = get(p.WaitMessage(within(t), text))(t)
			n := 0
			for _, m := range p.Messages() {
				if m.Text == text {
					n++
				}
			}
			if n != 1 {
				t.Errorf("%s reads %q %d times", p.name, text, n)
			}
		}
	}
}

func result(t *testing.T, done <-chan error) error {
	t.Helper()
	select {
	case err := <-done:
		return err
	case <-within(t).Done():
		t.Fatal("no answer")
		return nil
	}
}

// talkOn has people stream to each other until the answered function is called, and everything has come.
func talkOn(t *testing.T, when string, people ...*person) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var streaming sync.WaitGroup
	for _, p := range people {
		streaming.Go(func() { _ = p.peer.Stream(ctx, func() client.Mark { return p.says(when) }) })
	}
	return sync.OnceFunc(func() {
		cancel()
		streaming.Wait()
		talkAll(t, when+", the end", people...) // packets keep their order on a path
	})
}
