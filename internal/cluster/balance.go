package cluster

import (
	"time"

	"go.uber.org/zap"
)

// An instance that carries half as much again as the others on average, and some more, gives a room away, one each time: placement spreads
// rooms well, but not those that grow, nor those of instances that have come since.
const (
	balanceEvery  = 10 * time.Second
	balanceFactor = 1.5
	balanceMargin = 400 // of Load.score: 20 media connections, or 400 sockets
)

// balance has a room without a visit under way go to another instance while this one carries much more than the others.
func (c *Cluster) balance() {
	if c.isLeaving() || !c.isBurdened() {
		return
	}
	ctx, cancel := c.within()
	defer cancel()
	if c.hub.Spare(ctx) {
		c.log.Info("room_spared", zap.Int("load", c.load().score()))
	}
}

func (c *Cluster) isBurdened() bool {
	others := c.candidates(nil)
	if len(others) == 0 {
		return false
	}
	sum := 0
	for _, m := range others {
		sum += m.score()
	}
	return float64(c.load().score()) > balanceFactor*float64(sum)/float64(len(others))+balanceMargin
}
