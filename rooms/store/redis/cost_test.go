package redis

import (
	"strconv"
	"strings"
	"testing"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/rooms/store/redistest"
)

// cost is what a server has done and moved since another time, without what asking costs.
type cost struct{ exchanges, commands, in, out int }

type meter struct {
	t      *testing.T
	s      *redistest.Server
	before map[string]int
}

// read reads the server's counters. The calls of a script's own commands count as commands.
func (m *meter) read() map[string]int {
	m.t.Helper()
	c := m.s.Client()
	info, err := c.Info(m.t.Context(), "commandstats", "stats").Result()
	must(m.t, err)
	must(m.t, c.Close())
	n := map[string]int{}
	for line := range strings.Lines(info) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if command, ok := strings.CutPrefix(name, "cmdstat_"); ok {
			calls, _, _ := strings.Cut(strings.TrimPrefix(value, "calls="), ",")
			value = calls
			if command == "info" || command == "hello" {
				continue
			}
			name = "command"
			if strings.HasPrefix(command, "eval") {
				name = "exchange"
			}
			count, _ := strconv.Atoi(value)
			n[name] += count
			continue
		}
		n[name], _ = strconv.Atoi(value)
	}
	return n
}

func (m *meter) since() cost {
	m.t.Helper()
	now := m.read()
	diff := func(name string) int { return now[name] - m.before[name] }
	c := cost{diff("exchange"), diff("command"), diff("total_net_input_bytes"), diff("total_net_output_bytes")}
	m.before = now
	return c
}

// An admission writes one visit: its cost must not depend on who else waits.
func TestCost_OfAnAdmission_IsTheSameHoweverManyWait(t *testing.T) {
	s := redistest.Start(t)
	db := open(t, Options{Addresses: []string{s.Addr()}})
	l := own(t, db)
	admitted := func(n int, version uint64) *rooms.Visit {
		v := visit(n, version)
		v.Phase, v.Reason = rooms.PhaseActive, strings.Repeat("x", 80)
		v.Seats = []rooms.Seat{{ID: "seat", Role: rooms.Patient, Name: "Alex Morgan", State: rooms.SeatAdmitted}}
		return v
	}
	waiting, seq := 0, uint64(0)
	commit := func(visits ...*rooms.Visit) {
		t.Helper()
		seq++
		must(t, db.Commit(t.Context(), store.Batch{Room: about.ID, Fence: l.Fence, Seq: 100_000 + seq, Visits: visits}))
	}
	var costs []cost
	m := &meter{t: t, s: s}
	for _, want := range []int{10, 100, 1000, 10_000} {
		for waiting < want {
			var batch []*rooms.Visit
			for ; waiting < want && len(batch) < 500; waiting++ {
				batch = append(batch, visit(100_000+waiting, 1))
			}
			commit(batch...)
		}
		const times = 200
		commit(admitted(100_000, uint64(10_000*waiting))) // the script is there, and so is the connection
		m.before = m.read()
		idle := m.since()
		for n := range times {
			commit(admitted(100_000, uint64(10_000*waiting+1+n)))
		}
		c := m.since()
		c.in, c.out = (c.in-idle.in)/times, (c.out-idle.out)/times
		c.exchanges, c.commands = c.exchanges/times, c.commands/times
		costs = append(costs, c)
		t.Logf("%6d waiting: %d exchange, %d commands of the script, %d bytes in, %d bytes out", want, c.exchanges, c.commands, c.in, c.out)
	}
	for _, c := range costs {
		// A version has more digits where more wait.
		if c.exchanges != 1 || c.commands != costs[0].commands || c.out != costs[0].out || c.in-costs[0].in > 12 {
			t.Errorf("%+v, and with 10 waiting %+v", c, costs[0])
		}
	}
}
