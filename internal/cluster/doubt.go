package cluster

import (
	"context"
	"errors"
	"syscall"
	"time"

	"github.com/anteroom/anteroom/rooms"
)

// loneliness is how long an owner whose lease is out goes on though the store is not away for all. An instance that neither answers nor
// refuses may have the rooms by now, and have parted people who still meet here; one that has the store could let people in.
const loneliness = 10 * time.Second

// certain is for how long that has to be so without a break. A store that comes back does not come back for all at once: whoever has it a moment later
// renews what it has, and need not part anybody. Nor does a single answer that was late.
const certain = TTL

// maxDoubted bounds the rooms of one question to another instance.
const maxDoubted = 200

// doubted are rooms whose lease their owner could not renew.
type doubted struct {
	Rooms []rooms.RoomID `json:"rooms"`
}

// epochs are the newest of these rooms that an instance knows of, by itself or from the store.
type epochs struct {
	Epochs map[rooms.RoomID]int64 `json:"epochs"`
	Store  bool                   `json:"store"` // could be asked
}

// doubt asks other instances about rooms whose lease is out. While all are without the store the owner goes on, for nobody takes a
// room from one who answers. If it alone is without it, or cut off from others too, it lets go after a while.
func (c *Cluster) doubt() {
	leases := c.thoseOut()
	if len(leases) == 0 {
		c.aloneFor(false)
		return
	}
	var q doubted
	for _, l := range leases {
		q.Rooms = append(q.Rooms, l.room)
	}
	others := c.some()
	answers := make(chan knowledge, len(others))
	ctx, cancel := c.within()
	defer cancel()
	for _, at := range others {
		go func() { // ends with ctx
			var k knowledge
			k.err = c.call(ctx, at, pathEpochs, q, &k.epochs)
			answers <- k
		}()
	}
	var cutOff, theirs bool
	for range others {
		k := <-answers
		cutOff = cutOff || k.err != nil && !errors.Is(k.err, syscall.ECONNREFUSED)
		theirs = theirs || k.Store
		for _, l := range leases {
			if k.Epochs[l.room] > l.Fence().Epoch {
				l.end("another instance knows of a higher epoch")
			}
		}
	}
	alone := c.aloneFor(cutOff || theirs)
	for _, l := range leases {
		if alone >= certain && l.out() > loneliness {
			l.end("cut off")
		}
	}
}

// aloneFor notes whether this instance is cut off, or another has its rooms, and answers for how long that has been so.
func (c *Cluster) aloneFor(alone bool) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !alone:
		c.alone = nil
		return 0
	case c.alone == nil:
		now := c.now()
		c.alone = &now
	}
	return c.now() - *c.alone
}

type knowledge struct {
	epochs
	err error
}

// thoseOut are leases that are not in force, as many as one question takes: any of them, so that all have their turn.
func (c *Cluster) thoseOut() []*lease {
	all, _ := c.holding()
	var leases []*lease
	for _, l := range all {
		if l.out() > 0 && len(leases) < maxDoubted {
			leases = append(leases, l)
		}
	}
	return leases
}

// know answers another instance's doubt.
func (c *Cluster) know(ctx context.Context, q doubted) (epochs, error) {
	a := epochs{Epochs: map[rooms.RoomID]int64{}, Store: true}
	ctx, cancel := context.WithTimeout(ctx, callTimeout/2) // whoever asks waits twice as long
	defer cancel()
	for _, room := range q.Rooms[:min(len(q.Rooms), maxDoubted)] {
		c.mu.Lock()
		l := c.held[room]
		c.mu.Unlock()
		if l != nil {
			a.Epochs[room] = l.Fence().Epoch
			continue
		}
		if !a.Store {
			continue // it would not answer this time either
		}
		holder, err := c.store.Holder(ctx, room)
		if err == nil {
			a.Epochs[room] = holder.Epoch
		}
		a.Store = err == nil
	}
	return a, nil
}
