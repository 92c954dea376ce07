package cluster

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/signaling"
)

const (
	takeTimeout = 2 * time.Second // to load a room and answer
	maxGiving   = 32              // rooms that are handed over at one time
	maxPartings = 1024            // that wait to be told to former owners
)

// ErrAlone says that no other instance could take what this one has.
var ErrAlone = errors.New("cluster: there is no other instance")

// gift is a room that its owner hands over.
type gift struct {
	Room rooms.RoomID `json:"room"`
	store.Fence
	From string `json:"from"` // where media of the room may go on for a moment
}

// Leave gives nothing more to this instance, by its own or others' doing. What it has stays until it is handed over.
func (c *Cluster) Leave(ctx context.Context) {
	c.mu.Lock()
	c.leaving = true
	c.mu.Unlock()
	if err := c.store.Withdraw(ctx, c.id); err != nil {
		c.log.Info("not_withdrawn", zap.Error(err)) // it is forgotten a little later
	}
}

// Return takes Leave back.
func (c *Cluster) Return() {
	c.mu.Lock()
	c.leaving = false
	c.mu.Unlock()
	c.meet()
}

// Alone tells whether there is no other instance, by the store or, if that does not answer, when it last did.
func (c *Cluster) Alone() bool {
	c.meet()
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.listed()) == 0
}

// HandOver implements signaling.Lease: another instance claims the room over this ownership, so that nobody else comes between, and
// loads it. If that one cannot, the room is there for whoever comes first.
func (l *lease) HandOver(ctx context.Context) error {
	if !l.finish() {
		return nil
	}
	c := l.c
	select {
	case c.giving <- struct{}{}:
		defer func() { <-c.giving }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if at := c.successor(); at != "" {
		limited, cancel := context.WithTimeout(ctx, takeTimeout)
		defer cancel()
		err := c.call(limited, at, pathTake, gift{l.room, l.Fence(), c.at}, &struct{}{})
		if err == nil {
			_ = c.found(l.room, at) // those who still come here are passed on
			c.counts.handedOver.Add(1)
			c.log.Info("room_handed_over", zap.String("room", string(l.room)), zap.Int64("epoch", l.Fence().Epoch))
			return nil
		}
		c.log.Info("room_not_taken", zap.String("room", string(l.room)), zap.Error(err))
	}
	return c.store.Release(ctx, store.Held{Room: l.room, Fence: l.Fence()})
}

// accept takes a room that another instance hands over.
func (c *Cluster) accept(ctx context.Context, g gift) error {
	if c.isLeaving() {
		return signaling.ErrRetry
	}
	c.mu.Lock()
	c.gifts[g.Room] = g
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.gifts[g.Room] == g {
			delete(c.gifts, g.Room)
		}
	}()
	return c.hub.Take(ctx, g.Room)
}

// given answers the room that is being handed over to this instance, or none.
func (c *Cluster) given(room rooms.RoomID) (gift, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	g, ok := c.gifts[room]
	return g, ok
}

// takeGift claims a room that was handed over.
func (c *Cluster) takeGift(ctx context.Context, g gift) (signaling.Lease, error) {
	l, err := c.claim(ctx, g.Room, g.Fence)
	if err != nil {
		return nil, err
	}
	l.succeeds(g.From)
	return l, nil
}

// succeeds notes where media of the room may go on for a moment.
func (l *lease) succeeds(from string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.former, l.formerUntil = from, l.c.now()+signaling.Linger+takeTimeout
}

// parting is what a former owner is to hear.
type parting struct {
	asked
	at    string
	until time.Duration // by the cluster's clock; media has ended there by then
}

// Parted implements signaling.Lease.
func (l *lease) Parted(visit rooms.VisitID) {
	l.mu.Lock()
	p := parting{asked{l.room, visit}, l.former, l.formerUntil}
	l.mu.Unlock()
	if p.at == "" || l.c.now() >= p.until {
		return
	}
	select {
	case l.c.partings <- p:
	default: // media there ends by itself
		l.c.log.Warn("parting_not_told", zap.String("room", string(l.room)))
	}
}

// part tells former owners who is parted, until the cluster closes.
func (c *Cluster) part() {
	var telling sync.WaitGroup
	defer telling.Wait()
	for {
		select {
		case p := <-c.partings:
			telling.Go(func() { c.partAt(p) })
		case <-c.ctx.Done():
			return
		}
	}
}

func (c *Cluster) partAt(p parting) {
	for c.ctx.Err() == nil && c.now() < p.until {
		ctx, cancel := c.within()
		err := c.call(ctx, p.at, pathParted, p.asked, &struct{}{})
		cancel()
		if err == nil || unsent(err) { // or its process is gone, and the media with it
			return
		}
		select {
		case <-time.After(watchEvery):
		case <-c.ctx.Done():
		}
	}
}
