package integration

import (
	"fmt"
	"strings"
	"testing"

	"github.com/anteroom/anteroom/test/client"
)

// At most so many goroutines does an instance have that nobody is at: its own, connections to Redis and to the others, which are kept for a
// while, and an actor and a saver a room.
const (
	quietGoroutines = 60
	roomGoroutines  = 3
)

// leavesNothing has all pages close, and holds that no instance has anything of them left, nor met a defect of its own. Media connections are not looked
// at: one whose page is gone without a word is kept for two minutes.
func (c *chaos) leavesNothing(t *testing.T) {
	t.Helper()
	for _, page := range c.pages() {
		page.Close()
	}
	for i, p := range c.all {
		await(t, fmt.Sprintf("instance %d keeps something", i), func() string {
			m := p.metrics(t)
			for name, n := range m {
				if strings.HasPrefix(name, "anteroom_panics_total") && n > 0 {
					t.Errorf("instance %d: %s %v", i, name, n)
				}
			}
			if n, ok := m["anteroom_sockets"]; n != 0 || !ok {
				return fmt.Sprintf("%v sockets", n)
			}
			if n, most := m["go_goroutines"], quietGoroutines+roomGoroutines*m["anteroom_rooms"]; n > most {
				return fmt.Sprintf("%v goroutines, of which %v may be", n, most)
			}
			return ""
		})
	}
}

// pages are all that were opened before the last look.
func (c *chaos) pages() (all []*client.Client) {
	for _, r := range c.rooms {
		all = append(append(all, r.patients...), r.watchers...)
		for _, who := range r.staff {
			all = append(all, who.Client)
		}
	}
	for _, m := range c.meetings {
		for _, p := range m.people {
			all = append(all, p.Client)
		}
	}
	for _, j := range c.journeys {
		all = append(all, j.patient, j.desks[0], j.desks[1])
	}
	return all
}
