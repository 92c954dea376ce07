package integration

import (
	"context"
	"os/exec"
	"strings"
	"testing"

	"github.com/anteroom/anteroom/signaling/wire"
)

// All instances are replaced by those of a version that writes another schema, one after the other and once back again, under live
// visits. Nothing is written in it before all know it, and nobody who does not know it is there afterwards.
func TestUpgrade_ToAnotherSchema_UnderLiveVisits(t *testing.T) {
	t.Parallel() // it mostly waits
	c := startServers(t, 3)
	movers := newMovers(t, c, *drainVisits)
	away := c.another(t, c.all[0].args) // stands still from before the upgrade until after it
	away.pause(t)
	c.complete(t)

	for _, step := range []struct {
		instance int
		next     bool
	}{{0, true}, {0, false}, {0, true}, {1, true}, {2, true}} {
		c.all[step.instance].next = step.next
		c.restart(t, step.instance, movers)
		converse(t, movers)
		if forms := c.forms(t); forms["2"] > 0 || forms["{"] == 0 {
			t.Fatalf("instance %d is replaced: records begin with %v", step.instance, forms)
		}
	}
	for _, p := range c.all {
		p.eventually(t, `anteroom_schema{what="written"}`, 2)
	}
	converse(t, movers)
	if forms := c.forms(t); forms["2"] == 0 {
		t.Errorf("all know the next schema, and records begin with %v", forms)
	}
	for _, m := range movers { // by what the new version writes and reads
		must(t, m.peer.WaitMark(within(t), m.other.says(callOf), 1))
	}

	before := &process{data: t.TempDir(), web: freeAddress(t), media: freeAddress(t), args: c.all[0].args}
	said, err := runs(t, before.serve(t))
	if err == nil || !strings.Contains(said, "schema") {
		t.Errorf("the version before starts: %v, %q", err, said)
	}
	away.resume(t)
	if err := away.command.Wait(); err == nil || !strings.Contains(away.log.String(), "schema") {
		t.Errorf("the instance that was away: %v, log:\n%s", err, away.log)
	}
	converse(t, movers)
}

// runs lets a command come to its end.
func runs(t *testing.T, command *exec.Cmd) (said string, err error) {
	t.Helper()
	defer context.AfterFunc(within(t), func() { _ = command.Process.Kill() })()
	out, err := command.CombinedOutput()
	return string(out), err
}

// converse has somebody write in every visit, by which its record is written.
func converse(t *testing.T, movers []*mover) {
	t.Helper()
	for _, m := range movers {
		if m.View().Me.Role == wire.RoleClinician {
			_ = get(m.Chat(within(t), wire.Chat{Visit: m.visit, Thread: m.other.seat, Text: "Still here."}))(t)
		}
	}
}

// forms are how records of visits begin, and how many do.
func (c *cluster) forms(t *testing.T) map[string]int {
	t.Helper()
	client, forms := c.redis.Client(), map[string]int{}
	keys := client.Scan(within(t), 0, "anteroom:{*}:visits", 1000).Iterator()
	for keys.Next(within(t)) {
		for id, record := range get(client.HGetAll(within(t), keys.Val()).Result())(t) {
			if id != "" {
				forms[record[:1]]++
			}
		}
	}
	must(t, keys.Err())
	return forms
}
