package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/anteroom/anteroom/internal/auth"
	"github.com/anteroom/anteroom/internal/cluster"
	"github.com/anteroom/anteroom/internal/config"
)

// handOverTimeout bounds how long other instances are given to take the waiting rooms, and people to move.
const handOverTimeout = 5 * time.Second

// drainPath is of the admin port: POST has other instances take everything, DELETE takes that back.
const drainPath = "/drain"

// handOver gives everything to other instances, if there are any, and this server no more work. Sockets are still taken and passed on.
func (s *server) handOver(ctx context.Context) {
	if s.cluster == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, handOverTimeout)
	defer cancel()
	s.cluster.Leave(ctx)
	if !s.cluster.Alone() {
		s.hub.HandOver(ctx)
	}
}

// drainRoutes let an operator who has the root key empty this server and fill it again.
func (s *server) drainRoutes(mux *http.ServeMux) {
	mux.HandleFunc("POST "+drainPath, s.operator(func(w http.ResponseWriter, r *http.Request) {
		if s.cluster == nil || s.cluster.Alone() {
			say(w, http.StatusConflict, cluster.ErrAlone.Error())
			return
		}
		s.ready.Store(false)
		s.handOver(r.Context())
		if n := s.cluster.Stats().Held; n > 0 {
			say(w, http.StatusServiceUnavailable, fmt.Sprintf("%d waiting rooms are still here: what is in them cannot be saved now. Try again, or DELETE to go on", n))
			return
		}
		say(w, http.StatusOK, "drained")
	}))
	mux.HandleFunc("DELETE "+drainPath, s.operator(func(w http.ResponseWriter, _ *http.Request) {
		if s.cluster != nil {
			s.cluster.Return()
		}
		s.ready.Store(true)
		say(w, http.StatusOK, "in use")
	}))
}

// operator lets only those in who have the root key.
func (s *server) operator(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		key, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if auth.HashAPIKey(key) != s.rootKey { // of digests, so that the time says nothing of the key
			w.Header().Set("WWW-Authenticate", "Bearer")
			say(w, http.StatusUnauthorized, "the root key is needed: Authorization: Bearer KEY")
			return
		}
		next(w, r)
	}
}

type drainCmd struct {
	Admin   config.Address `placeholder:"HOST:PORT" help:"The server's --admin. Default: 127.0.0.1:9090."`
	RootKey string         `name:"root-key" placeholder:"FILE" help:"The server's root key. Default: root-key in --data."`
	Data    string         `default:"data" placeholder:"DIR" help:"The server's data folder. Default: ${default}."`
	Undo    bool           `help:"Have the server take waiting rooms again."`
}

// Run has a server that runs beside it give its waiting rooms to others, with the visits in them, before it is stopped.
func (c *drainCmd) Run(ctx context.Context, o output) error {
	path := c.RootKey
	if path == "" {
		path = filepath.Join(c.Data, rootKeyFile)
	}
	key, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("--root-key: %w", err)
	}
	method, wanted := http.MethodPost, "drained"
	if c.Undo {
		method, wanted = http.MethodDelete, "in use"
	}
	ctx, cancel := context.WithTimeout(ctx, 2*handOverTimeout)
	defer cancel()
	return o.askAdmin(ctx, c.Admin, method, drainPath, strings.TrimSpace(string(key)), wanted)
}
