package cluster

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/anteroom/anteroom/rooms/store"
)

// agreed is how long all who are listed have to know a schema before it is written: longer than one that is stopped, and so is not
// listed any more, takes to bring its rooms to others.
const agreed = remembered

// schema is what is known of the store's.
type schema struct {
	store.Schema
	next  int           // what all who are there know, if that is newer than what is written
	since time.Duration // when that began
}

// learnSchema asks what is written. An instance that does not know it has to stop: others have agreed on it while this one was away.
func (c *Cluster) learnSchema(ctx context.Context) error {
	s, err := c.store.Schema(ctx)
	switch {
	case errors.Is(err, store.ErrSchema):
		c.outdated(err)
		return err
	case err != nil:
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.schema.Schema = s
	return nil
}

// newest is what this instance can write.
func (c *Cluster) newest() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.schema.Newest
}

// agree has a newer schema written once all have known it for a while. Each of the instances may do that, and one does. In a Redis Cluster the schema may be at
// another master than the list: that one is there and the other is not has no bearing on either.
func (c *Cluster) agree() {
	ctx, cancel := c.within()
	defer cancel()
	if err := c.learnSchema(ctx); err != nil {
		c.log.Debug("schema_not_known", zap.Error(err))
		return
	}
	next, ripe := c.common()
	if !ripe || !c.First() {
		return
	}
	if err := c.store.Raise(ctx, next); err != nil {
		c.log.Warn("schema_not_raised", zap.Int("to", next), zap.Error(err))
		return
	}
	c.log.Info("schema_raised", zap.Int("to", next))
}

// common is the newest schema that all know, and whether it is time to have it written.
func (c *Cluster) common() (next int, ripe bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	next = c.schema.Newest
	for _, m := range c.members {
		next = min(next, max(m.Schema, 1))
	}
	if next <= c.schema.Written || len(c.members) == 0 {
		c.schema.next = 0
		return 0, false
	}
	if next != c.schema.next {
		c.schema.next, c.schema.since = next, c.now()
	}
	return next, c.now()-c.schema.since >= agreed
}
