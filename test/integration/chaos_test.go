package integration

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/anteroom/anteroom/rooms/store/redistest"
)

var (
	chaosSeed   = flag.Uint64("chaos.seed", 0, "choose the commands and faults of the logged seed; 0: others each time")
	chaosFaults = flag.Int("chaos.faults", 5, "faults of a run")
	chaosRooms  = flag.Int("chaos.rooms", 4, "waiting rooms in which people give commands")
	chaosOnly   = flag.String("chaos.only", "", "the faults whose names match; empty: all")
	chaosReport = flag.Bool("chaos.report", false, "print what was done, the last line as JSON")
)

// Of each room. With 30 rooms that is 300 clients, and those of the meetings.
const (
	chaosStaff    = 3
	chaosPatients = 5 // whom staff work with
	chaosWatchers = 2 // who wait all the time
	chaosMeetings = 2 // people who talk, two each, in rooms of their own
	chaosJourneys = 3 // a patient each, who is brought to and fro between two rooms of their own
)

// TestChaos has people give commands in many waiting rooms of three instances while one thing after the other goes wrong, of which any
// alone is to cost nobody anything: see docs/testing.md for what is promised for each. In the end everything is mended and everybody
// looks at what there is.
func TestChaos(t *testing.T) {
	t.Parallel() // it mostly waits
	seed := *chaosSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-chaos.seed=%d -chaos.faults=%d -chaos.rooms=%d", seed, *chaosFaults, *chaosRooms)
	c := newChaos(t, seed)
	for range *chaosRooms {
		c.rooms = append(c.rooms, newBusyRoom(t, c, len(c.rooms)))
	}
	for range chaosMeetings {
		c.meetings = append(c.meetings, newMeeting(t, c))
	}
	for range chaosJourneys {
		c.journeys = append(c.journeys, newJourney(t, c, len(c.journeys)))
	}
	done := c.run(t)
	lost, seatsLost, forbidden, linearizable := 0, 0, 0, true
	for _, r := range c.rooms {
		r.lastLook(t)
	}
	for _, m := range c.meetings {
		forbidden += m.end(t)
	}
	for _, j := range c.journeys {
		seatsLost += j.end(t)
	}
	c.leave()
	for _, r := range c.rooms {
		n, ok := r.judge(t)
		lost, linearizable = lost+n, linearizable && ok
		seatsLost += r.seatsLost(t)
	}
	for _, j := range c.journeys {
		seatsLost += j.linkLost(t)
	}
	c.leavesNothing(t)
	if lost+seatsLost+forbidden > 0 || !linearizable {
		t.Errorf("lost %d, seats lost %d, forbidden packets %d, linearizable %t", lost, seatsLost, forbidden, linearizable)
	}
	t.Logf("%d commands, %v", done, c.happened)
	if *chaosReport {
		fmt.Fprintf(os.Stdout, "Three instances, one Redis, %d waiting rooms with %d people each and %d meetings and %d journeys; faults: %v.\n",
			*chaosRooms, chaosStaff+chaosPatients+chaosWatchers, chaosMeetings, chaosJourneys, c.happened)
		must(t, json.NewEncoder(os.Stdout).Encode(map[string]any{
			"bench": "chaos", "seed": seed, "faults": *chaosFaults, "commands": done, "lost": lost, "seats_lost": seatsLost,
			"forbidden_packets": forbidden, "linearizable": linearizable && !t.Failed(),
		}))
	}
}

// chaos is a cluster in which each connection can be cut, and the people on it.
type chaos struct {
	*cluster
	seed     uint64
	random   *rand.Rand
	toRedis  []*cable // of each instance
	hops     []*cable // to each instance
	standby  *redistest.Server
	rooms    []*busyRoom
	meetings []*meeting
	journeys []*journey
	begin    time.Time
	happened map[string]int
	leave    func() // has all pages stay away
	order    []int  // of faults
}

func (c *chaos) randomOf(n int) *rand.Rand {
	return rand.New(rand.NewPCG(c.seed, uint64(n))) //nolint:gosec // a test repeats it
}

// run has everybody at work until all faults are over, and answers how many commands were given.
func (c *chaos) run(t *testing.T) (commands int) {
	t.Helper()
	c.begin = time.Now()
	ctx, stop := context.WithCancel(t.Context())
	there, leave := context.WithCancel(t.Context())
	var work, pages sync.WaitGroup
	c.leave = sync.OnceFunc(func() {
		leave()
		pages.Wait()
	})
	t.Cleanup(c.leave)
	for _, r := range c.rooms {
		r.keep(there, t, &pages)
		r.work(ctx, t, &work)
	}
	for _, m := range c.meetings {
		m.keep(there, t, &pages)
		work.Go(func() { m.work(ctx, t) })
	}
	for _, j := range c.journeys {
		j.keep(there, t, &pages)
		work.Go(func() { j.work(ctx, t) })
	}
	c.calm(mending) // until all have read of rooms and staff
	for n := range *chaosFaults {
		c.fault(t, n)
	}
	c.calm(time.Second)
	for _, r := range c.rooms {
		r.ended = time.Since(r.begin)
	}
	stop()
	work.Wait()
	for _, r := range c.rooms {
		commands += len(r.history)
	}
	for _, j := range c.journeys {
		commands += j.trips
	}
	return commands
}

// calm lets some time pass in which nothing goes wrong.
func (*chaos) calm(d time.Duration) { <-time.After(d) }
