package api

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/anteroom/anteroom/internal/auth"
	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
)

const bearer = "key" // the security scheme's name in the description

// access says which keys an operation takes.
type access int

const (
	anybody   access = iota // no key: the pages
	rootOnly                // the root key
	clinicKey               // an API key; it reaches its own clinic only
	anyKey                  // either
)

// caller is whom a key belongs to. The zero value sees nothing.
type caller struct {
	root   bool
	clinic rooms.ClinicID
}

// sees tells whether the caller may know of a clinic's things. What it may not know of is answered like what is not
// there.
func (c caller) sees(clinic rooms.ClinicID) bool {
	return c.root || (clinic != "" && c.clinic == clinic)
}

type callerKey struct{}

func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

// require lets only the right keys through.
func (s *server) require(a huma.API, who access) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		if who == anybody {
			next(ctx)
			return
		}
		c, err := s.authenticate(ctx.Context(), ctx.Header("Authorization"))
		switch {
		case errors.Is(err, store.ErrNotFound):
			ctx.SetHeader("WWW-Authenticate", "Bearer")
			_ = huma.WriteErr(a, ctx, http.StatusUnauthorized, "an API key is needed: Authorization: Bearer KEY")
		case err != nil:
			var p *Problem
			errors.As(s.explain(ctx.Context(), err), &p)
			ctx.SetHeader("Retry-After", p.retryAfter)
			_ = huma.WriteErr(a, ctx, p.Status, p.Detail)
		case who == rootOnly && !c.root:
			_ = huma.WriteErr(a, ctx, http.StatusForbidden, "the root key is needed")
		case who == clinicKey && c.root:
			_ = huma.WriteErr(a, ctx, http.StatusForbidden, "an API key of a clinic is needed, not the root key")
		default:
			next(huma.WithValue(ctx, callerKey{}, c))
		}
	}
}

func (s *server) authenticate(ctx context.Context, header string) (caller, error) {
	scheme, key, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") || key == "" {
		return caller{}, store.ErrNotFound
	}
	hash := auth.HashAPIKey(key)
	if subtle.ConstantTimeCompare(hash[:], s.RootKey[:]) == 1 {
		return caller{root: true}, nil
	}
	k, err := s.Store.KeyByHash(ctx, hash)
	if err != nil {
		return caller{}, err
	}
	if k.Disabled {
		return caller{}, store.ErrNotFound
	}
	return caller{clinic: k.Clinic}, nil
}
