package main

import (
	"net/http"
	"sync"
	"time"
)

// writableAge is how old an answer of /readyz may be.
const writableAge = time.Second

// health: alive is the process's own matter, ready also the store's.
func (s *server) health(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		switch {
		case !s.ready.Load():
			say(w, http.StatusServiceUnavailable, "starting or stopping")
		case s.writable.check() != nil:
			say(w, http.StatusServiceUnavailable, "the store is not available")
		default:
			say(w, http.StatusOK, "ready")
		}
	})
}

// writable remembers for a moment whether the store could be written: to ask means to write to the disk, and anybody on
// the network may ask.
type writable struct {
	ask func() error // ends within a second or so

	mu  sync.Mutex // held while asking, since who comes meanwhile wants that answer
	at  time.Time
	err error
}

func (w *writable) check() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if time.Since(w.at) >= writableAge {
		w.err = w.ask()
		w.at = time.Now()
	}
	return w.err
}

func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n"))
}
