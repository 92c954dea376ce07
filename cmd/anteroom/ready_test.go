package main

import (
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestReady_AsksTheServerBesideIt(t *testing.T) {
	status := http.StatusOK
	var asked string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.Path
		say(w, status, "as it is")
	}))
	defer server.Close()
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ask := func(admin string) (code int, out, errs string) {
		t.Setenv("ANTEROOM_ADMIN", admin) // as for the server itself
		var o, e bytes.Buffer
		return run(t.Context(), []string{"ready"}, &o, &e), o.String(), e.String()
	}
	for _, admin := range []string{"127.0.0.1:" + port, "0.0.0.0:" + port, ":" + port} {
		if code, out, errs := ask(admin); code != 0 || out != "as it is\n" || asked != "/readyz" {
			t.Errorf("%s: %d %q %q, of %s", admin, code, out, errs, asked)
		}
	}
	status = http.StatusServiceUnavailable
	if code, _, errs := ask("127.0.0.1:" + port); code != 1 || !strings.Contains(errs, "not ready: as it is") {
		t.Errorf("a server that is not ready: %d %q", code, errs)
	}
	server.Close()
	if code, _, errs := ask("127.0.0.1:" + port); code != 1 || !strings.Contains(errs, "is the server running?") {
		t.Errorf("no server: %d %q", code, errs)
	}
}
