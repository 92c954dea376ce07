package cluster

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/signaling"
)

// lease is a signaling.Lease.
type lease struct {
	c       *Cluster
	room    rooms.RoomID
	gone    chan struct{}
	repairs chan struct{}
	durable atomic.Uint64
	until   atomic.Int64 // by the cluster's clock, in ns

	mu      sync.Mutex
	fence   store.Fence
	pending string // nonce of a claim whose answer has not come
	seen    int64  // the highest epoch that anybody has met
	over    bool   // gone is closed, or the lease was released or handed over

	former      string        // who has handed the room over; empty: nobody
	formerUntil time.Duration // by the cluster's clock: media has ended there
}

var _ signaling.Lease = (*lease)(nil)

func (c *Cluster) newLease(room rooms.RoomID, f store.Fence, sent time.Duration) *lease {
	l := &lease{c: c, room: room, gone: make(chan struct{}), repairs: make(chan struct{}, 1), fence: f}
	l.extend(sent)
	return l
}

// extend lets the lease last from when its renewal was sent, by this machine's clock, which the store's may outrun by the margin.
func (l *lease) extend(sent time.Duration) { l.until.Store(int64(sent + TTL - Margin)) }

// out is how long the lease has not been in force; not positive: it is.
func (l *lease) out() time.Duration { return l.c.now() - time.Duration(l.until.Load()) }

// MayOpen implements signaling.Lease.
func (l *lease) MayOpen() bool { return l.out() < 0 && !l.isOver() }

// Gone implements signaling.Lease.
func (l *lease) Gone() <-chan struct{} { return l.gone }

// Repairs implements signaling.Lease.
func (l *lease) Repairs() <-chan struct{} { return l.repairs }

// Durable implements signaling.Lease.
func (l *lease) Durable(seq uint64) { l.durable.Store(seq) }

// Fence implements signaling.Lease.
func (l *lease) Fence() store.Fence {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fence
}

func (l *lease) isOver() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.over
}

// Refused implements signaling.Lease: the renewal finds out what it means.
func (l *lease) Refused(*store.FencedError) { l.c.hurry() }

// Saw implements signaling.Lease. Who has seen a higher epoch may be wrong or lie, so the store is asked at once.
func (l *lease) Saw(epoch int64) {
	l.mu.Lock()
	higher := epoch > l.fence.Epoch && epoch > l.seen
	if higher {
		l.seen = epoch
	}
	l.mu.Unlock()
	if higher {
		l.c.hurry()
	}
}

// hurry has leases renewed now.
func (c *Cluster) hurry() {
	select {
	case c.kick <- struct{}{}:
	default:
	}
}

// repair says that the store has lost something.
func (l *lease) repair() {
	select {
	case l.repairs <- struct{}{}:
	default:
	}
}

// end lets go of a room that somebody else has or may have.
func (l *lease) end(why string) {
	if !l.finish() {
		return
	}
	close(l.gone)
	l.c.counts.fenced.Add(1)
	l.c.log.Warn("lease_lost", zap.String("room", string(l.room)), zap.Int64("epoch", l.Fence().Epoch), zap.String("why", why))
}

// finish takes the lease off those that are held; false if somebody has.
func (l *lease) finish() bool {
	l.mu.Lock()
	was := l.over
	l.over = true
	l.mu.Unlock()
	if was {
		return false
	}
	l.c.mu.Lock()
	defer l.c.mu.Unlock()
	if l.c.held[l.room] == l {
		delete(l.c.held, l.room)
	}
	return true
}

// Release implements signaling.Lease.
func (l *lease) Release(ctx context.Context) error {
	if !l.finish() {
		return nil
	}
	return l.c.store.Release(ctx, store.Held{Room: l.room, Fence: l.Fence()})
}

// renew lets all leases last, with as few exchanges as the store can.
func (c *Cluster) renew() {
	leases, held := c.holding()
	if len(held) == 0 {
		return
	}
	known := make([]uint64, len(leases)) // before the store is asked, so that what becomes durable meanwhile is not missed
	for i, l := range leases {
		known[i] = l.durable.Load()
	}
	ctx, cancel := context.WithTimeout(c.ctx, callTimeout*time.Duration(1+len(held)/500))
	defer cancel()
	sent := c.now()
	for i, r := range c.store.Renew(ctx, held, TTL) {
		l := leases[i]
		var fenced *store.FencedError
		switch {
		case r.Err == nil:
			l.extend(sent)
			if r.Lease.Seq < known[i] {
				l.repair()
			}
		case errors.As(r.Err, &fenced):
			c.contest(l, fenced.Lease)
		}
	}
}

func (c *Cluster) holding() (leases []*lease, held []store.Held) {
	c.mu.Lock()
	for _, l := range c.held {
		leases = append(leases, l)
	}
	c.mu.Unlock()
	for _, l := range leases {
		held = append(held, store.Held{Room: l.room, Fence: l.Fence()})
	}
	return leases, held
}

// contest decides what it means that the store has another lease of a room, or none: a higher one is somebody else's, and this one
// is over. A lower one, or none, is what a store has that has lost the newest claim; then the owner claims again,
// and nobody has to move.
func (c *Cluster) contest(l *lease, there store.Lease) {
	l.mu.Lock()
	fence, pending := l.fence, l.pending
	over := l.over || there.Fence == l.fence // renewed or released meanwhile
	if !over && pending == "" {
		pending = newNonce()
		l.pending = pending
	}
	after := l.seen
	l.mu.Unlock()
	if over {
		return
	}
	if there.Epoch >= fence.Epoch && there.Nonce != pending {
		l.end("a higher epoch")
		return
	}
	ctx, cancel := c.within()
	defer cancel()
	sent := c.now()
	got, err := c.store.Claim(ctx, store.Claim{
		Room: l.room, Owner: c.owner(), Nonce: pending, TTL: TTL, Over: fence, After: bounded(after, c.wall()),
	})
	var fenced *store.FencedError
	switch {
	case errors.As(err, &fenced):
		l.end("claimed by another")
	case err == nil:
		c.regained(l, got.Fence, sent)
		c.lost()
	}
}

func (c *Cluster) regained(l *lease, f store.Fence, sent time.Duration) {
	l.mu.Lock()
	l.fence, l.pending = f, ""
	over := l.over
	l.mu.Unlock()
	if over { // released while it was claimed
		ctx, cancel := c.within()
		defer cancel()
		_ = c.store.Release(ctx, store.Held{Room: l.room, Fence: f}) // else it runs out
		return
	}
	l.extend(sent)
	l.repair()
	c.counts.reclaimed.Add(1)
	c.log.Warn("lease_reclaimed", zap.String("room", string(l.room)), zap.Int64("epoch", f.Epoch))
}

// watch ends leases of an instance that has stood still for longer than they last, without asking anybody: others have had time to
// take the rooms over. A pause shows by its clock.
func (c *Cluster) watch() {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	last := c.now()
	for {
		select {
		case <-ticker.C:
		case <-c.ctx.Done():
			return
		}
		now := c.now()
		stood := now-last > standstill
		last = now
		if stood {
			c.log.Warn("stood_still")
			c.endThoseOut()
		}
	}
}

func (c *Cluster) endThoseOut() {
	leases, _ := c.holding()
	for _, l := range leases {
		if l.out() >= 0 {
			l.end("stood still")
		}
	}
	c.hurry()
}
