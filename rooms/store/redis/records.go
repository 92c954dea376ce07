package redis

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/anteroom/anteroom/rooms/store"
)

// A record is JSON; behind the number of its schema, in decimal, if that is not 1. So a version that does not know the schema cannot
// take a record for one of its own, leave out what it does not know and write the rest.

func (db *DB) encode(value any) ([]byte, error) { return encodeAs(int(db.written.Load()), value) }

func encodeAs(schema int, value any) ([]byte, error) {
	raw, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", store.ErrBadBatch, err)
	}
	if schema > 1 {
		raw = append(strconv.AppendInt(nil, int64(schema), 10), raw...)
	}
	return raw, nil
}

// everyForm is value as each schema up to the newest has it.
func (db *DB) everyForm(value any) ([]any, error) {
	var all []any
	for schema := 1; schema <= db.knows; schema++ {
		raw, err := encodeAs(schema, value)
		if err != nil {
			return nil, err
		}
		all = append(all, raw)
	}
	return all, nil
}

func (db *DB) decode(raw string, value any) error {
	if begin := strings.IndexByte(raw, '{'); begin > 0 {
		schema, err := strconv.Atoi(raw[:begin])
		if err != nil {
			return unavailable(err)
		}
		if err := db.check(schema); err != nil {
			return err
		}
		raw = raw[begin:]
	}
	if err := json.Unmarshal([]byte(raw), value); err != nil {
		return unavailable(err)
	}
	return nil
}

// check refuses a schema that this version does not know.
func (db *DB) check(schema int) error {
	if schema < 1 || schema > db.knows {
		return fmt.Errorf("redis: %w: the data has %d, this version knows up to %d", store.ErrSchema, schema, db.knows)
	}
	return nil
}

// Schema asks Redis, and tells it what it has lost: the schema is never lower than this instance has seen it.
func (db *DB) Schema(ctx context.Context) (store.Schema, error) {
	written, err := db.schema(ctx, 1, false)
	return store.Schema{Written: written, Newest: min(db.knows, db.o.Schema)}, err
}

// Raise has a newer schema written.
func (db *DB) Raise(ctx context.Context, n int) error {
	if err := db.check(n); err != nil {
		return err
	}
	_, err := db.schema(ctx, n, false)
	return err
}

// schema answers what is written, which is least afterwards or more; it tries Redis by writing, if told so.
func (db *DB) schema(ctx context.Context, least int, try bool) (int, error) {
	least = max(least, int(db.written.Load()))
	answer, err := db.run(ctx, db.o.LeaseTimeout, schemaScript, []string{db.keys.schema()}, least, bit(try))
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(textOf(answer))
	if err != nil {
		return 0, fmt.Errorf("redis: %w: %q", store.ErrSchema, textOf(answer))
	}
	if err := db.check(n); err != nil {
		return 0, err
	}
	for seen := db.written.Load(); seen < int64(n) && !db.written.CompareAndSwap(seen, int64(n)); {
		seen = db.written.Load()
	}
	return n, nil
}
