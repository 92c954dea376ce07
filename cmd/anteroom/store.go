package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/anteroom/anteroom/internal/config"
	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/rooms/store/bolt"
	"github.com/anteroom/anteroom/rooms/store/redis"
)

// Kinds of stores: values of --store, --from and --to.
const (
	inFile  = "file"
	inRedis = "redis"
)

// openStore opens a store of a kind, and says what about its set-up may lose data.
func openStore(ctx context.Context, kind, data string, r *config.Redis) (db store.Store, advice []string, err error) {
	if kind == inFile {
		db, err := bolt.Open(filepath.Join(data, storeFile), bolt.Options{})
		if err != nil {
			return nil, nil, fmt.Errorf("--data: %w", err)
		}
		return db, nil, nil
	}
	o, err := redisOptions(r)
	if err != nil {
		return nil, nil, err
	}
	remote, err := redis.Open(ctx, o)
	if err != nil {
		return nil, nil, fmt.Errorf("--redis: %w", err)
	}
	if advice, err = remote.Advice(ctx); err != nil { // it works all the same
		advice = []string{"the set-up of Redis is not known: " + err.Error()}
	}
	return remote, advice, nil
}

func redisOptions(r *config.Redis) (redis.Options, error) {
	o := redis.Options{
		Addresses: r.Addresses(), Master: r.RedisMaster, Cluster: r.RedisCluster, Prefix: r.RedisPrefix, Schema: r.RedisSchema,
		Username: r.RedisUser, SentinelUsername: r.RedisSentinelUser,
	}
	var err1, err2, err3 error
	o.Password, err1 = password("redis-password-file", r.RedisPasswordFile)
	o.SentinelPassword, err2 = password("redis-sentinel-password-file", r.RedisSentinelPasswordFile)
	if r.RedisTLS {
		o.TLS, err3 = redisTLS(r)
	}
	return o, errors.Join(err1, err2, err3)
}

func password(name, file string) (string, error) {
	if file == "" {
		return "", nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("--%s: %w", name, err)
	}
	if text = bytes.TrimRight(text, "\r\n"); len(text) == 0 {
		return "", fmt.Errorf("--%s: %s is empty", name, file)
	}
	return string(text), nil
}

func redisTLS(r *config.Redis) (*tls.Config, error) {
	t := &tls.Config{MinVersion: tls.VersionTLS12}
	if r.RedisCA != "" {
		text, err := os.ReadFile(r.RedisCA)
		if err != nil {
			return nil, fmt.Errorf("--redis-ca: %w", err)
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("--redis-ca: %s has no certificate in PEM", r.RedisCA)
		}
	}
	if r.RedisCert != "" {
		c, err := tls.LoadX509KeyPair(r.RedisCert, r.RedisKey)
		if err != nil {
			return nil, fmt.Errorf("--redis-cert, --redis-key: %w", err)
		}
		t.Certificates = []tls.Certificate{c}
	}
	return t, nil
}

type storeCmd struct {
	Copy storeCopy `cmd:"" help:"Copy clinics from a file to Redis or back, with everything that belongs to them, while no server is at work."`
	Key  storeKey  `cmd:"" help:"Print a new line for the file of keys that seal the store."`
	Seal storeSeal `cmd:"" help:"Seal everything by the newest key, what is not sealed yet too, while no server is at work."`
}

type storeCopy struct {
	From   string       `required:"" enum:"file,redis" help:"One of ${enum}."`
	To     string       `required:"" enum:"file,redis" help:"One of ${enum}."`
	Clinic string       `placeholder:"ID" help:"The clinic; without it all."`
	Data   string       `default:"data" placeholder:"DIR" help:"Data folder with the file. Default: ${default}."`
	JSON   bool         `name:"json" help:"Print what was copied as JSON, a value for each clinic."`
	Redis  config.Redis `embed:""`
}

// Validate refuses what does not go together.
func (c *storeCopy) Validate() error {
	if c.From == c.To {
		return errors.New("--to: has to differ from --from")
	}
	return errors.Join(c.Redis.Check()...)
}

// copied is what --json prints.
type copied struct {
	Clinic rooms.ClinicID `json:"clinic"`
	store.Inventory
}

// Run copies. It may be repeated: what is there already is left as it is.
func (c *storeCopy) Run(ctx context.Context, o output) (err error) {
	var stores [2]store.Store
	for i, kind := range []string{c.From, c.To} {
		s, _, err := openStore(ctx, kind, c.Data, &c.Redis)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.Close()) }()
		stores[i] = s
	}
	from, to := stores[0], stores[1]
	ids := []rooms.ClinicID{rooms.ClinicID(c.Clinic)}
	if c.Clinic == "" {
		all, err := from.Clinics(ctx)
		if err != nil {
			return err
		}
		ids = ids[:0]
		for _, clinic := range all {
			ids = append(ids, clinic.ID)
		}
	}
	for _, id := range ids {
		n, err := store.Copy(ctx, from, to, id)
		if err != nil {
			return fmt.Errorf("clinic %s: %w", id, err)
		}
		if c.JSON {
			err = printJSON(o.out, copied{id, n})
		} else {
			_, err = fmt.Fprintf(o.out, "%s: %d rooms, %d staff, %d keys, %d visits, %d reservations; both read %s\n",
				id, n.Rooms, n.Staff, n.Keys, n.Visits, n.Reservations, n.Digest)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
