package cluster

import (
	"context"
	"time"

	"go.uber.org/zap"
)

const (
	// balanceEvery is between rooms that an instance gives away because it carries much more than others: six a minute. Announced loads are
	// a second old at most, and media of a room that has gone has ended, when it looks again.
	balanceEvery = 10 * time.Second
	// spareTimeout bounds how long one may take to go.
	spareTimeout = 8 * time.Second
	// maxSpared bounds the pages that come to another instance at one time.
	maxSpared = 500
)

// lopsided is how much more than the others on average an instance carries from which on it gives rooms away: as a ratio, and beside that.
type lopsided struct {
	percent int
	more    int // of Load.score
}

// It begins where an instance clearly carries more, and ends later, so that it does not begin again at once.
var (
	begins = lopsided{percent: 150, more: 400}
	ends   = lopsided{percent: 120, more: 200}
)

// surplus is what an instance carries more than the others on average if that is so much that rooms are to go, else 0.
func surplus(mine int, others []int, going bool) int {
	if len(others) == 0 {
		return 0
	}
	sum := 0
	for _, o := range others {
		sum += o
	}
	mean, limit := sum/len(others), begins
	if going {
		limit = ends
	}
	if mine <= limit.percent*mean/100+limit.more {
		return 0
	}
	return mine - mean
}

// balance gives one room away, in which nobody is in a visit, if this instance carries much more than the others.
func (c *Cluster) balance() {
	over := c.surplus()
	if over == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(c.ctx, spareTimeout)
	defer cancel()
	gone := c.hub.Spare(ctx, func(peers, sockets int) bool {
		return sockets <= maxSpared && (Load{Peers: peers, Sockets: sockets}).score() <= over/2 // so that who takes it does not carry more than this one after it
	})
	if gone {
		c.counts.balanced.Add(1)
		c.log.Info("room_given_for_balance", zap.Int("more_than_others", over))
	}
}

// surplus is that of this instance by the newest list, or 0 if that is old.
func (c *Cluster) surplus() int {
	mine := c.load().score()
	c.mu.Lock()
	defer c.mu.Unlock()
	var over int
	if listed, ok := c.met[c.at]; ok && !c.leaving && c.now()-listed.last <= 2*Every {
		var others []int
		for _, m := range c.members {
			if m.ID != c.id {
				others = append(others, m.score())
			}
		}
		over = surplus(mine, others, c.balancing)
	}
	c.balancing = over > 0
	return over
}
