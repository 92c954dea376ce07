package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"github.com/anteroom/anteroom/internal/config"
	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/rooms/store/sealed"
)

// sealEvery is how often the file of keys is looked at.
const sealEvery = 10 * time.Second

// sealStore wraps a store with the keys of a file. With own, a file that is not there is made, and what the store has from the
// time before there was sealing is sealed at once.
func sealStore(ctx context.Context, below store.Store, path string, own bool) (*sealed.DB, error) {
	if _, err := os.Stat(path); own && errors.Is(err, fs.ErrNotExist) {
		if err := sealFirst(ctx, below, path); err != nil {
			return nil, err
		}
	}
	return sealed.New(below, sealed.Options{Source: reading(path)})
}

func reading(path string) func() ([]byte, error) {
	return func() ([]byte, error) { return os.ReadFile(path) }
}

// sealFirst makes the file. It has another name until all is sealed, so that a process that ends in between goes on
// with the same key, and what is not sealed is never taken later.
func sealFirst(ctx context.Context, below store.Store, path string) error {
	fresh := path + ".new"
	text, err := os.ReadFile(fresh)
	if _, bad := sealed.ParseKeys(text); err != nil || bad != nil { // half a file has sealed nothing
		if err := makeKeys(fresh); err != nil {
			return err
		}
	}
	db, err := sealed.New(below, sealed.Options{Source: reading(fresh), Plain: true})
	if err != nil {
		return err
	}
	if _, err := db.Reseal(ctx); err != nil {
		return err
	}
	return errors.Join(os.Rename(fresh, path), syncFolder(filepath.Dir(path)))
}

// makeKeys writes a file with one key, and returns when it is on disk.
func makeKeys(path string) error {
	line, err := sealed.NewKey(rand.Reader, time.Now())
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(line)
	return errors.Join(err, f.Sync(), f.Close(), syncFolder(filepath.Dir(path)))
}

func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// startSealing follows the file of keys: at the start, and when another key seals, what is sealed by an earlier one is sealed anew.
func (s *server) startSealing(context.Context) error {
	ctx, cancel := context.WithCancel(context.Background())
	ticker := time.NewTicker(sealEvery)
	s.tasks.Go(func() { s.keepSealed(ctx, ticker.C) })
	s.onStop(func(context.Context) error {
		ticker.Stop()
		cancel()
		return nil
	})
	return nil
}

func (s *server) keepSealed(ctx context.Context, tick <-chan time.Time) {
	done := ""
	for {
		if key := s.sealed.Sealing(); key != done {
			n, err := s.sealed.Reseal(ctx)
			switch {
			case ctx.Err() != nil:
			case err != nil:
				s.log.Warn("not_sealed_anew", zap.String("key", key), zap.Int("records", n), zap.Error(err))
			default:
				done = key
				s.log.Info("all_sealed_by_newest_key", zap.String("key", key), zap.Int("records", n))
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick:
		}
		if _, err := s.sealed.Reload(); err != nil {
			s.log.Warn("seal_keys_not_read", zap.Error(err))
		}
	}
}

type storeKey struct {
	After time.Duration `default:"2m" help:"When it begins to seal; by then every instance has to have read the file. Default: ${default}."`
}

// Run prints a line for the file of keys.
func (c *storeKey) Run(o output) error {
	line, err := sealed.NewKey(rand.Reader, time.Now().Add(c.After))
	if err == nil {
		_, err = fmt.Fprint(o.out, line)
	}
	return err
}

type storeSeal struct {
	Store    string       `default:"file" enum:"file,redis" help:"One of ${enum}. Default: ${default}."`
	Data     string       `default:"data" placeholder:"DIR" help:"Data folder. Default: ${default}."`
	SealKeys string       `name:"seal-keys" placeholder:"FILE" help:"File of keys. Default: seal-keys of --data."`
	Redis    config.Redis `embed:""`
}

// Validate refuses what does not go together.
func (c *storeSeal) Validate() error {
	if c.Store == inFile {
		return nil
	}
	return errors.Join(c.Redis.Check()...)
}

// Run seals everything by the newest key.
func (c *storeSeal) Run(ctx context.Context, o output) (err error) {
	below, _, err := openStore(ctx, c.Store, c.Data, &c.Redis)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, below.Close()) }()
	path := c.SealKeys
	if path == "" {
		path = filepath.Join(c.Data, sealFile)
	}
	db, err := sealed.New(below, sealed.Options{Source: reading(path), Plain: true})
	if err != nil {
		return fmt.Errorf("--seal-keys: %w", err)
	}
	n, err := db.Reseal(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(o.out, "%d records were sealed by key %s\n", n, db.Sealing())
	return err
}
