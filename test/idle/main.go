// Command idle measures what people cost who only wait: the memory of a signaling socket in `anteroom serve`, and the processor
// time of the whole server while 1,000 of them wait.
//
// The sockets belong to another process, this program in the role 'pages': each is a page of test/client that has opened its
// link, said hello and joined the waiting room. With -peers it first has test/forward measure peers, and prints both in one
// line of JSON.
//
//	idle -server bin/anteroom [-peers bin/forward] [-n 1000] [-rooms 10] [-reps 3] [-watch 20s] [-tls]
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"time"
)

func main() {
	run := measure
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "pages":
			run = pages
		case "echo":
			run = echo
		}
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "idle:", err)
		os.Exit(1)
	}
}

// held is what a server holds for its sockets, each, and what it does meanwhile.
type held struct {
	RSS, Anonymous, Heap, Stacks float64 // kB over the server before any visit
	Goroutines                   float64
	CPU, Empty, Floor            float64 // percent of a core: all sockets; the server without any; an echo of as many
}

var columns = []struct {
	name string
	of   func(held) float64
}{
	{"RSS, kB", func(h held) float64 { return h.RSS }},
	{"of it anonymous, kB", func(h held) float64 { return h.Anonymous }},
	{"heap in use, kB", func(h held) float64 { return h.Heap }},
	{"stacks, kB", func(h held) float64 { return h.Stacks }},
	{"goroutines", func(h held) float64 { return h.Goroutines }},
	{"processor, % of a core, all", func(h held) float64 { return h.CPU }},
	{"  before the first visit", func(h held) float64 { return h.Empty }},
	{"  a bare echo's", func(h held) float64 { return h.Floor }},
}

// measure is the parent.
func measure() error {
	server := flag.String("server", "bin/anteroom", "the server")
	peers := flag.String("peers", "", "test/forward, built; empty: without it")
	n := flag.Int("n", 1000, "sockets")
	rooms := flag.Int("rooms", 10, "waiting rooms")
	reps := flag.Int("reps", 3, "repetitions, each with a fresh server")
	watch := flag.Duration("watch", 20*time.Second, "how long processor time is counted")
	secure := flag.Bool("tls", false, "over TLS")
	flag.Parse()
	line := map[string]any{}
	if *peers != "" {
		if err := runPeers(*peers, line); err != nil {
			return err
		}
	}
	fmt.Fprintf(os.Stdout, "\nSockets. A fresh server; %d visits in %d waiting rooms are made by REST, and the patient of each joins and waits (TLS %t), clients in\n"+
		"another process that ping as pages do. Then, after 10 s: RSS over that of the server before the first visit (so that visits and what\n"+
		"making them left behind count), no collection asked for; processor time of all the server's threads over %v, by the scheduler.\n"+
		"Beside it that of the server before, and of a Go program that does nothing but echo as many pings over as many TCP connections.\n"+
		"n = %d repetitions.\n\n", *n, *rooms, *secure, *watch, *reps)
	var seen []held
	for range *reps {
		h, err := hold(*server, *n, *rooms, *watch, *secure)
		if err != nil {
			return err
		}
		if h.Floor, err = floor(*n, *watch/2); err != nil {
			return err
		}
		seen = append(seen, h)
	}
	fmt.Fprintln(os.Stdout, "a socket: median, highest")
	for _, c := range columns {
		fmt.Fprintf(os.Stdout, "  %-28s %8.2f %8.2f\n", c.name, quantile(seen, 0.5, c.of), quantile(seen, 1, c.of))
	}
	line["bench"], line["sockets"] = "idle", *n
	line["socket_kb"] = quantile(seen, 0.5, columns[0].of)
	line["idle_cpu_percent"] = quantile(seen, 0.5, func(h held) float64 { return h.CPU })
	line["empty_cpu_percent"] = quantile(seen, 0.5, func(h held) float64 { return h.Empty })
	line["echo_cpu_percent"] = quantile(seen, 0.5, func(h held) float64 { return h.Floor })
	return json.NewEncoder(os.Stdout).Encode(line)
}

// runPeers shows what test/forward says but for its last line, which it takes into line.
func runPeers(forward string, line map[string]any) error {
	cmd := exec.Command(forward, "idle") //nolint:noctx // ends by itself
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	last := ""
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if last != "" {
			fmt.Fprintln(os.Stdout, last)
		}
		last = lines.Text()
	}
	_, _ = io.Copy(io.Discard, out)
	if err := cmd.Wait(); err != nil {
		return err
	}
	var figures map[string]any
	if err := json.Unmarshal([]byte(last), &figures); err != nil {
		return fmt.Errorf("the last line of %s: %w", forward, err)
	}
	maps.Copy(line, figures)
	line["warm"] = figures["n"]
	return nil
}

// quantile is one of the values that there were, the next higher one.
func quantile(seen []held, q float64, of func(held) float64) float64 {
	var all []float64
	for _, h := range seen {
		all = append(all, of(h))
	}
	slices.Sort(all)
	return float64(int(100*all[int(q*float64(len(all)-1)+0.5)])) / 100
}
