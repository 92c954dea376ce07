package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"syscall"

	"github.com/anteroom/anteroom/sfu/transport"
)

// What the roles say to each other: JSON over HTTP on loopback.

// ready is what a target prints when it runs.
type ready struct {
	Control string         `json:"control"` // host:port
	Media   netip.AddrPort `json:"media"`
}

// offered and answered are a client's exchange with the server.
type offered struct {
	Offer string `json:"offer"`
}
type answered struct {
	Answer string `json:"answer"`
}

// seating says which clients, by the order in which they came, are together.
type seating struct {
	Rooms [][]int          `json:"rooms"`
	Flows []netip.AddrPort `json:"flows,omitempty"` // the floor's clients, which it does not know by an offer
}

// counts are what a target knows of itself.
type counts struct {
	Mallocs   uint64 `json:"mallocs"`
	Forwarded uint64 `json:"forwarded"`
	Unsent    uint64 `json:"unsent"`

	Port transport.Counters `json:"port"`
}

// post calls a target.
func post(control, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	answer, err := http.Post("http://"+control+path, "application/json", bytes.NewReader(body)) //nolint:noctx // ends with the process
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", path, answer.Status)
	}
	return json.NewDecoder(answer.Body).Decode(out)
}

// handle answers a call with what f makes of it.
func handle[In, Out any](mux *http.ServeMux, path string, f func(In) (Out, error)) {
	mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		var in In
		err := json.NewDecoder(r.Body).Decode(&in)
		var out Out
		if err == nil {
			out, err = f(in)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_ = json.NewEncoder(w).Encode(out)
	})
}

// run serves calls until the process is asked to end.
func run(mux *http.ServeMux, media netip.AddrPort) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go http.Serve(listener, mux) //nolint:errcheck,gosec // ends with the process
	if err := json.NewEncoder(os.Stdout).Encode(ready{Control: listener.Addr().String(), Media: media}); err != nil {
		return err
	}
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM, os.Interrupt)
	<-end
	return nil
}
