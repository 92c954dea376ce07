package integration

import (
	"errors"
	"flag"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/anteroom/anteroom/signaling/wire"
)

var costWaiting = flag.Int("cost.waiting", 1000, "how many wait at the most")

// costAdmissions is how many are counted together, so that what instances do each second matters little.
const costAdmissions = 30

// TestCost_OfAnAdmission_IsTheSameHoweverManyWait counts what Redis is asked while people are admitted, and their visits ended, one after the other, in
// a room where few wait and in one where many do.
func TestCost_OfAnAdmission_IsTheSameHoweverManyWait(t *testing.T) {
	c := startServers(t, 1)
	few, many := c.admissionCost(t, 10), c.admissionCost(t, *costWaiting)
	t.Logf("of an admission and an end, with 10 and with %d waiting: %+v, %+v", *costWaiting, few, many)
	// What instances say each second falls in as well. Of what grew with who waits there would be more by then: a byte each is twice this.
	const commands, bytes = 5, 500
	if many.commands > few.commands+commands || many.in > few.in+bytes || many.out > few.out+bytes {
		t.Errorf("with many %v, with few %v", many, few)
	}
}

// redisCost is what Redis has done and moved, by its own count.
type redisCost struct{ commands, in, out float64 }

func (c *cluster) redisCost(t *testing.T) (r redisCost) {
	t.Helper()
	info := get(c.redis.Client().InfoMap(t.Context(), "stats").Result())(t)["Stats"]
	number := func(name string) float64 { return get(strconv.ParseFloat(info[name], 64))(t) }
	return redisCost{number("total_commands_processed"), number("total_net_input_bytes"), number("total_net_output_bytes")}
}

func (c *cluster) admissionCost(t *testing.T, waiting int) redisCost {
	t.Helper()
	room := newClinic(t, &c.server)
	visits := make([]visit, waiting+costAdmissions)
	indices := make(chan int, len(visits))
	for i := range visits {
		visits[i] = room.visit(t, fmt.Sprint("Patient ", i))
		indices <- i
	}
	close(indices)
	errs := make([]error, len(visits))
	var hands sync.WaitGroup
	for range stormHands {
		hands.Go(func() {
			for i := range indices {
				page, err := waitAt(t.Context(), visits[i].Seats[0].Link, addressOf(i))
				if errs[i] = err; page != nil {
					page.Close() // they wait all the same
				}
			}
		})
	}
	hands.Wait()
	must(t, errors.Join(errs...))
	desk := room.clinician(t, "Dr. Ada Byron")
	before := c.redisCost(t)
	for _, v := range visits[:costAdmissions] {
		must(t, desk.Admit(within(t), v.ID, v.Seats[0].ID))
		must(t, desk.End(within(t), v.ID, wire.DispositionDone))
	}
	after := c.redisCost(t)
	each := func(a, b float64) float64 { return (b - a) / costAdmissions }
	return redisCost{each(before.commands, after.commands), each(before.in, after.in), each(before.out, after.out)}
}

// String is short.
func (r redisCost) String() string {
	return fmt.Sprintf("%.1f commands, %.0f B in, %.0f B out", r.commands, r.in, r.out)
}
