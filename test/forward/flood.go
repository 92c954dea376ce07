package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// flooded is what visits and others saw of a flood.
type flooded struct {
	Kind    string  `json:"flood"`
	Visits  loaded  `json:"visits"`
	Missing int64   `json:"missing"` // media packets that did not come
	Flooder offerer `json:"flooder"`
	Server  counts  `json:"server"`
}

// flood has visits run while somebody floods the server, and tells what they lost of it. The server has core 0, the others core 1.
func flood(args []string) error {
	flags := newFlags("flood")
	rooms := flags.Int("rooms", 20, "visits of two")
	lasts := flags.Duration("for", 10*time.Second, "how long the flood lasts")
	rate := flags.Int("rate", 0, "datagrams a second of checks and media; 0: as many as one core can send")
	kind := flags.String("kind", "", "one kind alone: handshakes, checks or media")
	if err := flags.Parse(args); err != nil {
		return err
	}
	kinds := []string{"handshakes", "checks", "media"}
	if *kind != "" {
		kinds = []string{*kind}
	}
	for _, k := range kinds {
		f, err := underFlood(k, *rooms, *rate, *lasts)
		if err != nil {
			return fmt.Errorf("%s: %w", k, err)
		}
		if err := json.NewEncoder(os.Stdout).Encode(f); err != nil {
			return err
		}
	}
	return nil
}

func underFlood(kind string, rooms, rate int, lasts time.Duration) (flooded, error) {
	f := flooded{Kind: kind}
	server, err := start([]int{0}, "server")
	if err != nil {
		return f, err
	}
	defer server.stop()
	var at ready
	if err := server.read(&at); err != nil {
		return f, err
	}
	others := []int{min(1, runtime.NumCPU()-1)}
	reach := []string{"-control", at.Control, "-media", at.Media.String()}
	people, err := start(others, append([]string{"visits", "-rooms", strconv.Itoa(rooms)}, reach...)...)
	if err != nil {
		return f, err
	}
	defer people.stop()
	if err := people.await("begin"); err != nil {
		return f, err
	}
	attack, err := start(others, append([]string{"flooder", "-kind", kind, "-for", lasts.String(), "-rate", strconv.Itoa(rate)}, reach...)...)
	if err != nil {
		return f, err
	}
	defer attack.stop()
	if err := attack.read(&f.Flooder); err != nil {
		return f, err
	}
	if err := people.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return f, err
	}
	if err := people.read(&f.Visits); err != nil {
		return f, err
	}
	f.Missing = int64(f.Visits.Due) - int64(f.Visits.Received)
	return f, post(at.Control, "/counts", struct{}{}, &f.Server)
}
