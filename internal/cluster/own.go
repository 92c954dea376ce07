package cluster

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"go.uber.org/zap"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/signaling"
)

// maxRoutes bounds what is remembered of where rooms are.
const maxRoutes = 100_000

// errSilent is why a room cannot be had: its owner's lease is in force, or it lives, and cannot be reached.
var errSilent = fmt.Errorf("cluster: the owner does not answer: %w", signaling.ErrRetry)

// Own implements signaling.Owners.
func (c *Cluster) Own(ctx context.Context, room rooms.RoomID, here bool) (signaling.Lease, error) {
	if g, ok := c.given(room); ok && here {
		return c.takeGift(ctx, g)
	}
	if at, ok := c.route(room); ok && !here {
		return nil, &signaling.Elsewhere{At: at}
	}
	for began := c.now(); ; {
		holder, err := c.store.Holder(ctx, room)
		switch {
		case errors.Is(err, store.ErrNotFound):
		case err != nil:
			return nil, c.askOthers(ctx, room, err)
		case holder.Nonce != "":
			l, err := c.succeed(ctx, room, holder, here)
			if errors.Is(err, errSilent) && c.now()-began <= TTL && outlast(ctx, holder.Left) {
				continue // all who wait for the room wait here, and not by coming again and again
			}
			return l, err
		}
		return c.take(ctx, room, store.Fence{}, here)
	}
}

// outlast waits until a lease has run out, or for a moment after which its owner may answer again: it was only busy. False if nobody
// waits for that any more.
func outlast(ctx context.Context, left time.Duration) bool {
	select {
	case <-time.After(min(left+watchEvery, callTimeout)):
		return true
	case <-ctx.Done():
		return false
	}
}

// succeed gets a room that somebody has, or had until lately.
func (c *Cluster) succeed(ctx context.Context, room rooms.RoomID, holder store.Lease, here bool) (signaling.Lease, error) {
	id, at := parseOwner(holder.Owner)
	if id == c.id { // a claim whose answer was lost
		return c.take(ctx, room, holder.Fence, true)
	}
	if holder.Left > 0 && !c.isSuspect(at) {
		return nil, c.found(room, at)
	}
	switch c.probe(ctx, room, id, at) {
	case owns:
		return nil, c.found(room, at)
	case dead:
		return c.take(ctx, room, holder.Fence, here)
	}
	if holder.Left > 0 {
		return nil, errSilent
	}
	return c.take(ctx, room, store.Fence{}, here)
}

// take claims a room, or names who should. Of over it is known that it is over.
func (c *Cluster) take(ctx context.Context, room rooms.RoomID, over store.Fence, here bool) (signaling.Lease, error) {
	if c.isLeaving() {
		if at := c.successor(); at != "" {
			return nil, &signaling.Elsewhere{At: at}
		}
		return nil, fmt.Errorf("%w: %w", signaling.ErrRetry, ErrAlone)
	}
	if !here {
		if at := c.place(); at != "" {
			return nil, &signaling.Elsewhere{At: at} // no route: it may not be had there
		}
	}
	if at := c.ownerAmongOthers(ctx, room); at != "" {
		return nil, c.found(room, at)
	}
	l, err := c.claim(ctx, room, over)
	if err != nil {
		return nil, err
	}
	if !over.IsZero() {
		c.counts.takenOver.Add(1)
	}
	return l, nil
}

// claim gets a room for this instance.
func (c *Cluster) claim(ctx context.Context, room rooms.RoomID, over store.Fence) (*lease, error) {
	defer c.claims(room)()
	sent := c.now()
	got, err := c.store.Claim(ctx, store.Claim{Room: room, Owner: c.owner(), Nonce: newNonce(), TTL: TTL, Over: over})
	var fenced *store.FencedError
	switch {
	case errors.As(err, &fenced):
		_, at := parseOwner(fenced.Lease.Owner)
		return nil, c.found(room, at)
	case err != nil:
		return nil, err
	}
	l := c.newLease(room, got.Fence, sent)
	c.mu.Lock()
	c.held[room] = l
	delete(c.routes, room)
	c.mu.Unlock()
	c.counts.claimed.Add(1)
	c.log.Info("room_claimed", zap.String("room", string(room)), zap.Int64("epoch", got.Epoch), zap.Bool("taken_over", !over.IsZero()))
	return l, nil
}

// claims notes that a claim is under way until the answered function is called.
func (c *Cluster) claims(room rooms.RoomID) (done func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.claiming[room]++
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.claiming[room]--; c.claiming[room] == 0 {
			delete(c.claiming, room)
		}
	}
}

// has tells whether this instance has a room, or may have it in a moment.
func (c *Cluster) has(room rooms.RoomID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.held[room] != nil || c.claiming[room] > 0
}

func (c *Cluster) route(room rooms.RoomID) (at string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, ok = c.routes[room]
	return at, ok
}

// found remembers where a room is.
func (c *Cluster) found(room rooms.RoomID, at string) error {
	if at == "" || at == c.at {
		return errSilent
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.routes) >= maxRoutes {
		for other := range c.routes {
			delete(c.routes, other) // any
			break
		}
	}
	c.routes[room] = at
	return &signaling.Elsewhere{At: at}
}

// Failed implements signaling.Owners.
func (c *Cluster) Failed(room rooms.RoomID, at string, why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.routes, room)
	c.suspects[at] = c.now()
	c.log.Debug("instance_failed", zap.String("at", at), zap.Error(why))
}

// isSuspect tells whether an instance is to be asked before it is believed to have what the store says.
func (c *Cluster) isSuspect(at string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	since, ok := c.suspects[at]
	return ok && c.now()-since <= TTL
}

// life is what a probe has found.
type life int

const (
	silent life = iota // no answer: it may be stopped, or cut off
	owns               // it lives and has the room
	dead               // its process is gone, or it knows nothing of the room
)

// probe asks an instance itself whether it has a room.
func (c *Cluster) probe(ctx context.Context, room rooms.RoomID, id, at string) life {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var answer presence
	switch err := c.call(ctx, at, pathOwns, asked{Room: room}, &answer); {
	case errors.Is(err, syscall.ECONNREFUSED):
		return dead
	case err != nil:
		return silent
	case answer.ID == id && answer.Owns:
		return owns
	}
	return dead
}

// askOthers finds a room without the store.
func (c *Cluster) askOthers(ctx context.Context, room rooms.RoomID, why error) error {
	if at := c.ownerAmongOthers(ctx, room); at != "" {
		return c.found(room, at)
	}
	return fmt.Errorf("%w: %w", signaling.ErrRetry, why)
}

// ownerAmongOthers asks the others themselves who has a room; empty: none that answers. A store that has lost a claim says that nobody
// has the room, or names an earlier owner, until the owner finds out; who claimed it in that second would not know what only
// the owner still knows.
func (c *Cluster) ownerAmongOthers(ctx context.Context, room rooms.RoomID) string {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	others := c.some()
	answers := make(chan string, len(others))
	for _, at := range others {
		go func() { // ends with ctx
			var answer presence
			if c.call(ctx, at, pathOwns, asked{Room: room}, &answer) != nil || !answer.Owns {
				at = ""
			}
			answers <- at
		}()
	}
	for range others {
		if at := <-answers; at != "" {
			return at
		}
	}
	return ""
}

// wall is the system clock in ms, as epochs are.
func (c *Cluster) wall() int64 { return time.Now().UnixMilli() }

// bounded keeps an epoch that somebody claims to have seen from reaching far into the future.
func bounded(epoch, now int64) int64 {
	if epoch > now+int64(time.Hour/time.Millisecond) {
		return 0
	}
	return epoch
}
