package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anteroom/anteroom/rooms/store"
)

func TestReady_FollowsTheStore_WhichIsAskedSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s server
		asked := 0
		var down error
		s.writable.ask = func() error { asked++; return down }
		mux := http.NewServeMux()
		s.health(mux)
		readyz := func() int {
			answer := httptest.NewRecorder()
			mux.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/readyz", nil))
			return answer.Code
		}
		if got := readyz(); got != http.StatusServiceUnavailable || asked != 0 {
			t.Errorf("before it has started: %d, asked %d times", got, asked)
		}
		s.ready.Store(true)
		for range 100 {
			if got := readyz(); got != http.StatusOK {
				t.Fatalf("started: %d", got)
			}
		}
		if asked != 1 {
			t.Errorf("the store was asked %d times in a moment", asked)
		}
		down = store.ErrUnavailable
		time.Sleep(writableAge) //nolint:forbidigo // a fake clock
		if got := readyz(); got != http.StatusServiceUnavailable {
			t.Errorf("with the store away: %d", got)
		}
		down = nil
		time.Sleep(writableAge) //nolint:forbidigo // a fake clock
		if got := readyz(); got != http.StatusOK {
			t.Errorf("with the store back: %d", got)
		}
	})
}
