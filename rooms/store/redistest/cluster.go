package redistest

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
)

const slots = 16384

// Cluster is some masters that share the slots, in order.
type Cluster struct {
	Nodes []*Server
	t     testing.TB
	ids   []string
	c     []*redis.Client
}

// StartCluster starts one.
func StartCluster(t testing.TB, masters int) *Cluster {
	t.Helper()
	c := &Cluster{t: t}
	buses := make([]int, masters)
	var wg sync.WaitGroup
	for n := range masters {
		buses[n] = FreePort(t)
		s := newServer(t, "--save", "", "--appendonly", "no", "--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf",
			"--cluster-node-timeout", "5000", "--cluster-port", strconv.Itoa(buses[n]))
		c.Nodes = append(c.Nodes, s)
		wg.Go(s.start)
	}
	wg.Wait()
	for n, s := range c.Nodes {
		c.c = append(c.c, s.Client())
		c.ids = append(c.ids, fmt.Sprint(c.do(n, "cluster", "myid")))
		c.do(n, "cluster", "set-config-epoch", n+1)
		c.do(n, "cluster", "addslotsrange", n*slots/masters, (n+1)*slots/masters-1)
	}
	for n := 1; n < masters; n++ {
		c.do(0, "cluster", "meet", "127.0.0.1", c.Nodes[n].Port, buses[n])
	}
	for n, s := range c.Nodes {
		if !s.eventually(func() bool {
			info := fmt.Sprint(c.do(n, "cluster", "info"))
			return strings.Contains(info, "cluster_state:ok") && strings.Contains(info, fmt.Sprintf("cluster_size:%d", masters))
		}) {
			t.Fatal("the nodes do not become a cluster")
		}
	}
	return c
}

func (c *Cluster) do(n int, args ...any) any {
	c.t.Helper()
	return c.Nodes[n].do(c.c[n], args...)
}

// Addrs are the nodes'.
func (c *Cluster) Addrs() []string {
	var list []string
	for _, s := range c.Nodes {
		list = append(list, s.Addr())
	}
	return list
}

// Slot is a key's.
func (c *Cluster) Slot(key string) int {
	c.t.Helper()
	n, _ := c.do(0, "cluster", "keyslot", key).(int64)
	return int(n)
}

// Used are the slots with keys of one node.
func (c *Cluster) Used(n int) []int {
	c.t.Helper()
	found := map[int]bool{}
	iter := c.c[n].Scan(context.Background(), 0, "", 1000).Iterator()
	for iter.Next(context.Background()) {
		found[c.Slot(iter.Val())] = true
	}
	list := make([]int, 0, len(found))
	for slot := range found {
		list = append(list, slot)
	}
	return list
}

// BeginMove has a slot be moved, with so many of its keys at most gone over. Its other keys stay until EndMove.
func (c *Cluster) BeginMove(slot, from, to, keys int) {
	c.t.Helper()
	c.do(to, "cluster", "setslot", slot, "importing", c.ids[from])
	c.do(from, "cluster", "setslot", slot, "migrating", c.ids[to])
	c.moveKeys(slot, from, to, keys)
}

// EndMove brings over what is left of a slot, and gives it to its new node.
func (c *Cluster) EndMove(slot, from, to int) {
	c.t.Helper()
	for c.moveKeys(slot, from, to, 100) > 0 {
	}
	c.do(to, "cluster", "setslot", slot, "node", c.ids[to])
	for n := range c.Nodes {
		if n != to {
			c.do(n, "cluster", "setslot", slot, "node", c.ids[to])
		}
	}
}

func (c *Cluster) moveKeys(slot, from, to, most int) int {
	c.t.Helper()
	keys, _ := c.do(from, "cluster", "getkeysinslot", slot, most).([]any)
	if len(keys) > 0 {
		c.do(from, append([]any{"migrate", "127.0.0.1", c.Nodes[to].Port, "", 0, 5000, "keys"}, keys...)...)
	}
	return len(keys)
}
