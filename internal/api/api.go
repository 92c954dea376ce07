// Package api is the REST API: what a clinic's own systems and the pages call over HTTP, its OpenAPI description and
// a page to read that.
//
// It owns the shapes of requests and answers, who may call what, and idempotency. Whatever changes a visit goes
// through the Hub, which owns the rooms; the directory (clinics, rooms, staff, keys) is written here. It knows
// nothing of sockets and media.
package api

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"go.uber.org/zap"

	"github.com/anteroom/anteroom/internal/auth"
	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
)

// Bounds of a request.
const (
	MaxBody        = 64 << 10        // bytes
	CommandTimeout = 5 * time.Second // for the hub and the store
)

// Limit names one of the bounds of requests, for metrics.
type Limit string

// The limits that Config.Limited is told of.
const (
	LimitBody  Limit = "rest_body_bytes"
	LimitJoins Limit = "joins_per_address"
	LimitTime  Limit = "rest_seconds"
)

// Hub is what the API needs of the owner of the rooms.
type Hub interface {
	// Do applies a command and returns once what it did is durable.
	Do(ctx context.Context, room rooms.RoomID, cmd rooms.Command) (rooms.Outcome, error)
	// Visit answers a visit as the room's owner has it now.
	Visit(ctx context.Context, room rooms.RoomID, id rooms.VisitID) (*rooms.Visit, error)
	// RoomChanged says that a room's directory data, or that of its staff or clinic, was changed.
	RoomChanged(room rooms.RoomID)
}

// Config is what an API works with. All fields but Dev and Logger are needed.
type Config struct {
	Store   store.Store
	Hub     Hub
	Keys    *auth.Keys
	RootKey [32]byte // hash of the key that may make clinics

	// PublicURL is what links begin with: scheme, host and port, no slash at the end.
	PublicURL func(*http.Request) string
	// ClientAddr is who sent a request, for limits. It looks through proxies.
	ClientAddr func(*http.Request) netip.Addr

	// Origins are other sites, scheme, host and port, whose pages may use POST /v1/join.
	Origins []string

	Now     func() time.Time
	Random  io.Reader
	Logger  *zap.Logger // nil: none
	Limited func(Limit) // is told when a limit was met; nil: nobody is
	// Panicked is told of a request over which this process panicked, and which was answered with 500; nil: nobody is.
	Panicked func()
	Version  string
	Dev      bool // answers GET /v1/demo, for which PrepareDemo has been called
}

// server answers requests.
type server struct {
	Config
	joins *limiter
	sites *http.CrossOriginProtection

	// directory keeps reading and writing back one entry together. It is held across calls of the store: changes of
	// the directory are rare, and one that was lost could bring a revoked staff link back.
	directory sync.Mutex
}

// New makes the handler of /v1/ (signaling excepted), /openapi.json, /docs and /docs.css.
func New(cfg Config) (http.Handler, error) {
	if cfg.Logger == nil {
		cfg.Logger = zap.NewNop()
	}
	if cfg.Limited == nil {
		cfg.Limited = func(Limit) {}
	}
	if cfg.Panicked == nil {
		cfg.Panicked = func() {}
	}
	s := &server{Config: cfg, joins: newLimiter(cfg.Now), sites: http.NewCrossOriginProtection()}
	for _, o := range cfg.Origins {
		if err := s.sites.AddTrustedOrigin(o); err != nil {
			return nil, fmt.Errorf("api: %w", err)
		}
	}
	mux := http.NewServeMux()
	description := huma.DefaultConfig("Anteroom", cfg.Version)
	description.Info.Description = "Waiting rooms and visits of a clinic. Signaling is described apart, in the protocol document."
	description.OpenAPIPath, description.DocsPath, description.SchemasPath = "", "", "" // served below
	description.CreateHooks = nil                                                       // no $schema in answers
	description.Transformers = []huma.Transformer{toProblem}
	description.RejectUnknownQueryParameters = true
	description.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		bearer: {Type: "http", Scheme: "bearer", Description: "An API key of a clinic, or the root key."},
	}
	a := humago.New(mux, description)
	s.clinics(a)
	s.rooms(a)
	s.staff(a)
	s.visits(a)
	s.commands(a)
	s.join(a)
	if cfg.Dev {
		s.demo(a)
	}
	describeProblems(a.OpenAPI())
	if err := docs(mux, a.OpenAPI()); err != nil {
		return nil, err
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		writeProblem(w, problem(http.StatusNotFound, codeNotFound, ""))
	})
	mux.HandleFunc("OPTIONS "+joinPath, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	return s.around(mux), nil
}

// register adds an operation: its access, its limits, and its errors as problems.
func register[I, O any](s *server, a huma.API, who access, op huma.Operation, h func(context.Context, *I) (*O, error)) {
	op.MaxBodyBytes = MaxBody
	op.Middlewares = append(op.Middlewares, s.require(a, who))
	if who != anybody {
		op.Security = []map[string][]string{{bearer: {}}}
	}
	huma.Register(a, op, func(ctx context.Context, in *I) (*O, error) {
		ctx, cancel := context.WithTimeout(ctx, CommandTimeout)
		defer cancel()
		out, err := h(ctx, in)
		if err != nil {
			return nil, s.explain(ctx, err)
		}
		return out, nil
	})
}

// call is one HTTP request, for the few handlers that need more than its body.
type call struct {
	id string
	w  http.ResponseWriter
	r  *http.Request
}

type callKey struct{}

func callOf(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	return c
}

// around gives each request an id, logs it without anything personal, and answers for a handler that panics.
func (s *server) around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := s.Now()
		c := &call{id: rooms.NewID(began, s.Random)}
		answer := &recorder{ResponseWriter: w, status: http.StatusOK}
		c.w = answer
		c.r = r.WithContext(context.WithValue(r.Context(), callKey{}, c))
		h := w.Header()
		h.Set("X-Request-Id", c.id)
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		s.allow(h, r)
		defer func() {
			s.met(answer.status)
			if p := recover(); p != nil {
				s.Panicked()
				// The value may quote the request; its type and the place say enough.
				s.Logger.Error("api_panic", zap.String("request", c.id), zap.Stringer("type", reflect.TypeOf(p)), zap.Stack("stack"))
				if !answer.begun {
					writeProblem(answer, problem(http.StatusInternalServerError, codeInternal, ""))
				}
			}
			s.Logger.Info("api_request", zap.String("request", c.id), zap.String("route", c.r.Pattern),
				zap.Int("status", answer.status), zap.Duration("took", s.Now().Sub(began)))
		}()
		next.ServeHTTP(answer, c.r)
	})
}

// met tells of the limit that an answer means; timeouts are told of where they are found.
func (s *server) met(status int) {
	switch status {
	case http.StatusRequestEntityTooLarge:
		s.Limited(LimitBody)
	case http.StatusTooManyRequests:
		s.Limited(LimitJoins)
	}
}

// allow tells a browser that a page of another site may read the answer (the Fetch standard's CORS protocol), if it
// may. Only the exchange of a token is for pages.
func (s *server) allow(h http.Header, r *http.Request) {
	origin := r.Header.Get("Origin")
	if r.URL.Path != joinPath || !slices.Contains(s.Origins, origin) {
		return
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Allow-Credentials", "true")
	h.Set("Access-Control-Allow-Headers", "Content-Type")
	h.Set("Vary", "Origin")
}

// recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	status int
	begun  bool
}

func (r *recorder) WriteHeader(status int) {
	if !r.begun {
		r.status, r.begun = status, true
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	r.begun = true
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController set deadlines.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// newID makes an identifier of any kind.
func newID[T ~string](s *server) T { return T(rooms.NewID(s.Now(), s.Random)) }

func (s *server) publicURL(ctx context.Context) string { return s.PublicURL(callOf(ctx).r) }

// oneLine refuses control characters in a name, which would break lists and logs of others.
func oneLine(field, value string) error {
	if !printable(value) {
		return fmt.Errorf("%w: %s is not one line of printable text", errBadValue, field)
	}
	return nil
}
