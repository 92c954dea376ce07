package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/anteroom/anteroom/rooms/store"
)

// Between two tries of what was refused and so not done.
const (
	backoffMin = 5 * time.Millisecond
	backoffMax = 100 * time.Millisecond
)

// call has one exchange with Redis, with a deadline. What a server has refused because it is between two states is
// repeated until then: that was not done. Whatever failed on the way is not: it may have been done.
func (db *DB) call(ctx context.Context, timeout time.Duration, do func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if db.closed.Load() {
		return unavailable(redis.ErrClosed)
	}
	begin := time.Now()
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err := do(limited)
	for backoff := backoffMin; refusedForNow(err); backoff = min(2*backoff, backoffMax) {
		select {
		case <-time.After(backoff):
			err = do(limited)
			continue
		case <-limited.Done():
		}
		break
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, redis.Nil):
		return store.ErrNotFound
	case over(ctx) != nil:
		return over(ctx)
	}
	if silent(err) {
		db.wires.cut(begin)
	}
	return unavailable(err)
}

// over is why the caller's context has ended, or nil. A connection's deadline can come a moment before the context's own timer.
func over(ctx context.Context) error {
	if end, ok := ctx.Deadline(); ok && ctx.Err() == nil && !time.Now().Before(end) {
		return context.DeadlineExceeded
	}
	return ctx.Err()
}

// run has one script run on keys of one slot. A server that does not have the script yet gets it with a second exchange.
func (db *DB) run(
	ctx context.Context, timeout time.Duration, s *redis.Script, keys []string, args ...any,
) (answer any, err error) {
	err = db.call(ctx, timeout, func(ctx context.Context) error {
		answer, err = s.Run(ctx, db.client, keys, args...).Result()
		return err
	})
	return answer, err
}

// runAll has one script run for each of many, in as few exchanges as there are servers, and answers what became of each.
func (db *DB) runAll(
	ctx context.Context, timeout time.Duration, s *redis.Script, keys [][]string, args func(i int) []any,
) ([]any, []error) {
	answers, errs := make([]any, len(keys)), make([]error, len(keys))
	var cmds []*redis.Cmd
	err := db.call(ctx, timeout, func(ctx context.Context) error {
		pipe := db.client.Pipeline()
		cmds = cmds[:0]
		for i := range keys {
			cmds = append(cmds, s.EvalSha(ctx, pipe, keys[i], args(i)...))
		}
		_, _ = pipe.Exec(ctx) // each command has its own error
		if len(cmds) > 0 && cmds[0].Err() != nil && !redis.HasErrorPrefix(cmds[0].Err(), "NOSCRIPT") {
			return cmds[0].Err()
		}
		return nil
	})
	for i := range keys {
		switch own := ownError(err, cmds, i); {
		case own == nil:
			answers[i] = cmds[i].Val()
		case refusedForNow(own) || redis.HasErrorPrefix(own, "NOSCRIPT"):
			answers[i], errs[i] = db.run(ctx, timeout, s, keys[i], args(i)...)
		case over(ctx) != nil:
			errs[i] = over(ctx)
		case errors.Is(own, store.ErrUnavailable):
			errs[i] = own
		default:
			errs[i] = unavailable(own)
		}
	}
	return answers, errs
}

// ownError is what became of one command; the call's error is that of those that were never sent.
func ownError(call error, cmds []*redis.Cmd, i int) error {
	if i < len(cmds) {
		return cmds[i].Err()
	}
	return call
}

// refusedForNow tells whether a server said that it did not do it, and will in a moment, or another: a slot that moves, a
// master that is being replaced, data that is being read, a Cluster whose nodes do not agree yet.
func refusedForNow(err error) bool {
	var refused redis.Error
	if err == nil || !errors.As(err, &refused) {
		return false
	}
	for _, prefix := range []string{"TRYAGAIN", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "READONLY", "MOVED", "ASK"} {
		if strings.HasPrefix(refused.Error(), prefix+" ") {
			return true
		}
	}
	return false
}

// silent tells whether nothing came in time.
func silent(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

func unavailable(err error) error { return fmt.Errorf("redis: %w: %w", store.ErrUnavailable, err) }

// errAnswer is of a script that did not answer as it should.
var errAnswer = errors.New("unexpected answer of a script")
