package store

import "context"

// Schema numbers the form of what is kept.
type Schema struct {
	Written int // of what is written now; whoever is at work can read it
	Newest  int // that this version of the program can write, or may
}

// Schemas let several versions of the program share a store while one replaces the other: a version reads every schema up to
// the newest that it knows, and writes the one that the store says.
type Schemas interface {
	// Schema answers what is written now: ErrSchema if this version does not know it.
	Schema(ctx context.Context) (Schema, error)
	// Raise has schema n written from now on by all who ask for Schema; one that is not above what is written changes nothing.
	// Versions that do not know it have to be gone. There is no way back.
	Raise(ctx context.Context, n int) error
}
