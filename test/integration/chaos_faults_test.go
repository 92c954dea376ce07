package integration

import (
	"maps"
	"regexp"
	"slices"
	"testing"
	"time"

	leases "github.com/anteroom/anteroom/internal/cluster"
	"github.com/anteroom/anteroom/rooms/store/redistest"
)

// mending is how long owners may take to see that the store has lost something, and to write it again: what they have
// acknowledged is in their memory alone until then.
const mending = 2*leases.Every + time.Second

// owning is how long it may take until every room has an owner again, whose hop a cable keeps from refusing: then a lease has to run out. Before,
// what only a dead owner and Redis knew would be lost with Redis.
const owning = leases.TTL + time.Second

// faults are what goes wrong. Each ends with everything mended, but for what the promise leaves to time.
var faults = map[string]func(t *testing.T, c *chaos){
	"instance killed": func(t *testing.T, c *chaos) {
		p := c.anyInstance()
		p.kill(t)
		c.calm(c.upTo(3 * time.Second))
		p.start(t)
	},
	"instance restarted in good order": func(t *testing.T, c *chaos) {
		p := c.anyInstance()
		p.terminate(t)
		c.calm(c.upTo(time.Second))
		p.start(t)
	},
	"instance stands still": func(t *testing.T, c *chaos) {
		p := c.anyInstance()
		p.pause(t)
		c.calm(c.upTo(2 * leases.TTL))
		p.resume(t)
	},
	"instance cut from Redis": func(_ *testing.T, c *chaos) { c.cut(c.toRedis) },
	"instance hears nothing of Redis": func(_ *testing.T, c *chaos) {
		c.toRedis[c.random.IntN(len(c.toRedis))].clog() // its connections; it has to notice, and to open others
		c.calm(c.upTo(leases.TTL))
	},
	"instance cut from others": func(_ *testing.T, c *chaos) { c.cut(c.hops) },
	"Redis stands still": func(_ *testing.T, c *chaos) {
		c.redis.Pause()
		c.calm(c.upTo(2 * leases.TTL))
		c.redis.Resume()
	},
	"Redis killed": func(_ *testing.T, c *chaos) {
		c.redis.Kill()
		c.calm(c.upTo(leases.TTL))
		c.redis.Restart()
	},
	"Redis emptied": func(t *testing.T, c *chaos) {
		c.calm(owning)
		must(t, c.redis.Client().FlushAll(t.Context()).Err())
		c.calm(mending)
	},
	"Redis failed over, writes lost": func(_ *testing.T, c *chaos) {
		c.calm(owning)
		c.redis.Followed()
		c.standby.Lead() // and lags from here on
		c.calm(c.upTo(time.Second))
		for _, i := range c.random.Perm(len(c.toRedis)) { // one after the other they find the new master
			c.toRedis[i].lead(c.standby.Addr())
			c.calm(c.upTo(500 * time.Millisecond))
		}
		c.redis, c.standby = c.standby, c.redis
		c.standby.Follow(c.redis)
		c.calm(mending)
	},
	"Redis' clock set": func(_ *testing.T, c *chaos) {
		c.redis.SetClock(c.upTo(time.Hour) - time.Hour/2)
		c.calm(mending)
	},
	"Redis comes back older": func(_ *testing.T, c *chaos) {
		c.calm(owning)
		back := c.redis.Remember()
		c.calm(c.upTo(time.Second))
		c.redis.Kill()
		back()
		c.redis.Restart()
		c.calm(mending)
	},
}

// fault has something go wrong and be mended.
func (c *chaos) fault(t *testing.T, n int) {
	t.Helper()
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(faults)), func(name string) bool { return !regexp.MustCompile(*chaosOnly).MatchString(name) })
	if n == 0 { // all in turn, in an order of chance
		c.order = c.random.Perm(len(names))
	}
	name := names[c.order[n%len(names)]]
	c.calm(c.upTo(time.Second))
	c.happened[name]++
	began := time.Now()
	faults[name](t, c)
	t.Logf("%s, for %v", name, time.Since(began).Round(10*time.Millisecond))
}

func (c *chaos) anyInstance() *process { return c.all[c.random.IntN(len(c.all))] }

func (c *chaos) upTo(d time.Duration) time.Duration { return time.Duration(c.random.Int64N(int64(d))) }

// cut severs one of several ways for a while.
func (c *chaos) cut(ways []*cable) {
	way := ways[c.random.IntN(len(ways))]
	way.sever()
	c.calm(c.upTo(2 * leases.TTL))
	way.mend()
}

// newChaos starts instances whose ways to Redis and to each other can be cut.
func newChaos(t *testing.T, seed uint64) *chaos {
	t.Helper()
	c := &chaos{seed: seed, happened: map[string]int{}}
	c.random = c.randomOf(0)
	durable := []string{"--appendonly", "yes", "--appendfsync", "always", "--repl-diskless-sync-delay", "0"}
	redis := redistest.StartWithClock(t, durable...)
	c.standby = redistest.StartWithClock(t, durable...)
	c.standby.Follow(redis)
	c.cluster = startServersOn(t, redis, 3, func(i int, redis string) []string {
		toRedis := newCable(t, "http://"+redis)
		hop := freeAddress(t)
		way := newCable(t, "http://"+hop)
		c.toRedis, c.hops = append(c.toRedis, toRedis), append(c.hops, way)
		return []string{"--redis", toRedis.listen.Addr().String(), "--hop", hop, "--hop-advertise", way.listen.Addr().String()}
	})
	return c
}
