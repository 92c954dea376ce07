package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/anteroom/anteroom/rooms/store"
)

// Options of Open. Addresses are needed; of the rest the zero value is good.
type Options struct {
	// Addresses, host:port, are of one server; of some nodes of a Cluster; or with Master of the Sentinels.
	Addresses []string
	Master    string // the master's name at the Sentinels
	Cluster   bool   // a single address is a node of a Cluster; several without Master always are

	Username, Password                 string // of the servers; without a name it is the user default
	SentinelUsername, SentinelPassword string
	TLS                                *tls.Config // nil: none; for servers and Sentinels

	Prefix       string        // of all keys; empty: anteroom
	Timeout      time.Duration // of one call of a script; 0: 1 s
	LeaseTimeout time.Duration // of a call about a lease; 0: 500 ms
	Connections  int           // to each server, at most; 0: 32
	// Schema is the newest that is to be written, as long as none newer is; 0: the newest that this version knows. With it an
	// earlier version can take over again.
	Schema int
}

func (o *Options) defaults() error {
	if len(o.Addresses) == 0 {
		return errors.New("redis: no addresses")
	}
	if o.Prefix == "" {
		o.Prefix = "anteroom"
	}
	if strings.ContainsAny(o.Prefix, "{}") {
		return errors.New("redis: braces in the prefix of keys")
	}
	for _, d := range []struct {
		value *time.Duration
		usual time.Duration
	}{{&o.Timeout, time.Second}, {&o.LeaseTimeout, 500 * time.Millisecond}} {
		if *d.value == 0 {
			*d.value = d.usual
		}
	}
	if o.Connections == 0 {
		o.Connections = 32
	}
	switch {
	case o.Schema == 0:
		o.Schema = newest
	case o.Schema < 0 || o.Schema > newest:
		return fmt.Errorf("redis: this version can write schemas from 1 to %d, not %d", newest, o.Schema)
	}
	return nil
}

// DB is a store.Store in Redis. What was acknowledged is as durable as Redis is set up for; owners repair what it loses.
type DB struct {
	o       Options
	keys    keys
	client  redis.UniversalClient
	wires   *wires
	knows   int          // the newest schema that it can read
	written atomic.Int64 // the schema that is written
	closed  atomic.Bool
	close   func() error
}

var _ store.Store = (*DB)(nil)

// Open connects and looks at the schema. A Redis that cannot be reached or written is ErrUnavailable, one that a newer
// version has written ErrSchema.
func Open(ctx context.Context, o Options) (*DB, error) {
	if err := o.defaults(); err != nil {
		return nil, err
	}
	quietLibrary()
	db := &DB{o: o, keys: keys{o.Prefix}, wires: newWires(o.TLS), knows: newest}
	db.client = redis.NewUniversalClient(db.universal())
	db.close = sync.OnceValue(func() error {
		db.closed.Store(true)
		return db.client.Close()
	})
	if err := db.Ping(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// quietLibrary keeps go-redis from writing to standard error by itself: what goes wrong is answered to callers.
var quietLibrary = sync.OnceFunc(func() { redis.SetLogger(quiet{}) })

type quiet struct{}

// Printf writes nothing.
func (quiet) Printf(context.Context, string, ...any) {}

// universal are the client's options. It never repeats what may have been done: that is for the caller, who knows
// what a repetition means.
func (db *DB) universal() *redis.UniversalOptions {
	o := &db.o
	return &redis.UniversalOptions{
		Addrs: o.Addresses, MasterName: o.Master, IsClusterMode: o.Cluster && o.Master == "",
		Username: o.Username, Password: o.Password,
		SentinelUsername: o.SentinelUsername, SentinelPassword: o.SentinelPassword,
		Dialer: db.wires.dial, DialTimeout: o.LeaseTimeout, DialerRetries: 1, MaxRetries: -1, MaxRedirects: 8,
		ContextTimeoutEnabled: true, ReadTimeout: o.Timeout, WriteTimeout: o.Timeout, PoolTimeout: o.Timeout,
		Protocol: 2, // nothing is said unasked, so that what comes on an idle connection is its end
		PoolSize: o.Connections, ConnMaxIdleTime: time.Minute, FailingTimeoutSeconds: 1,
		MinRetryBackoff: 8 * time.Millisecond, MaxRetryBackoff: 100 * time.Millisecond,
		ReadBufferSize: 8 << 10, WriteBufferSize: 8 << 10, PipelinePoolSize: -1,
		DisableIdentity:          true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
}

// Close lets the connections go. Later calls of any method answer ErrUnavailable.
func (db *DB) Close() error { return db.close() }

// Ping looks at the schema, and writes it, which an empty Redis lacks.
func (db *DB) Ping(ctx context.Context) error {
	_, err := db.schema(ctx, 1, true)
	return err
}

// Advice says what about the set-up of the servers may lose data: persistence that is off, keys that are evicted. It
// answers ErrUnavailable if they cannot be asked, or do not say.
func (db *DB) Advice(ctx context.Context) ([]string, error) {
	var mu sync.Mutex
	advice := map[string]bool{}
	look := func(ctx context.Context, c *redis.Client) error {
		info, err := c.Info(ctx, "memory", "persistence", "replication").Result()
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		for line := range strings.Lines(info) {
			switch name, value, _ := strings.Cut(strings.TrimSpace(line), ":"); {
			case name == "aof_enabled" && value == "0":
				advice["appendonly is off: what was acknowledged is lost when Redis stops"] = true
			case name == "maxmemory_policy" && value != "noeviction":
				advice["maxmemory-policy is "+value+": Redis may throw data away; it has to be noeviction"] = true
			case name == "connected_slaves" && value != "0" && !strings.Contains(info, "min_slaves_good_slaves:"):
				advice["min-replicas-to-write is 0: a master that is cut off goes on taking what will be lost"] = true
			}
		}
		return nil
	}
	err := db.call(ctx, db.o.Timeout, func(ctx context.Context) error {
		switch c := db.client.(type) {
		case *redis.ClusterClient:
			return c.ForEachMaster(ctx, look)
		case *redis.Client:
			return look(ctx, c)
		}
		return nil
	})
	list := make([]string, 0, len(advice))
	for text := range advice {
		list = append(list, text)
	}
	return list, err
}
