package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/anteroom/anteroom/signaling/wire"
	"github.com/anteroom/anteroom/test/client"
)

const (
	settle    = 10 * time.Second
	openLimit = 5 * time.Minute        // for all pages, on a slow machine
	slowest   = 100 * time.Millisecond // of the links, there and back
	jitter    = 20 * time.Millisecond  // of each of them
)

// hold starts a server and its pages and compares.
func hold(binary string, n, rooms int, watch time.Duration, secure bool) (h held, err error) {
	s, err := startServer(binary, secure)
	if err != nil {
		return held{}, err
	}
	defer s.stop()
	if _, err := s.footprint(); err != nil { // so that what answers this does not count as the sockets'
		return held{}, err
	}
	empty, err := s.busy(watch / 2)
	if err != nil {
		return held{}, err
	}
	before, err := s.footprint()
	if err != nil {
		return held{}, err
	}
	links, err := s.visits(n, rooms)
	if err != nil {
		return held{}, err
	}
	s.http.CloseIdleConnections()
	stop, err := startPages(links)
	if err != nil {
		return held{}, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	<-time.After(settle)
	after, err := s.footprint()
	if err != nil {
		return held{}, err
	}
	busy, err := s.busy(watch)
	if err != nil {
		return held{}, err
	}
	each := func(before, after float64) float64 { return (after - before) / float64(n) }
	return held{
		RSS: each(before.rss, after.rss), Anonymous: each(before.anonymous, after.anonymous),
		Heap: each(before.heap, after.heap) / 1024, Stacks: each(before.stacks, after.stacks) / 1024,
		Goroutines: each(before.goroutines, after.goroutines), CPU: busy, Empty: empty,
	}, nil
}

// startPages opens links in another process and returns when all of them wait.
func startPages(links []string) (stop func() error, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "pages") //nolint:noctx // stopped by stop
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	stop = func() error {
		_ = in.Close()
		return cmd.Wait()
	}
	if _, err := fmt.Fprintln(in, strings.Join(links, "\n")+"\n"); err != nil {
		return nil, errors.Join(err, stop())
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		return nil, errors.Join(fmt.Errorf("pages: %q: %w", line, err), stop())
	}
	return stop, nil
}

// pages is the role 'pages': it reads links up to an empty line, opens them, says so, and keeps them open until its input ends.
func pages() error {
	ctx, cancel := context.WithTimeout(context.Background(), openLimit)
	defer cancel()
	lines := bufio.NewScanner(os.Stdin)
	var all []*client.Client
	for lines.Scan() && lines.Text() != "" {
		c, err := client.Join(ctx, lines.Text(), client.Options{TLS: anyCertificate, Lag: slowLink()})
		if err != nil {
			return err
		}
		defer c.Close()
		if err := c.Connect(ctx); err != nil {
			return err
		}
		if _, err := c.Do(ctx, wire.TypeCheckIn, wire.Empty{}); err != nil {
			return err
		}
		all = append(all, c)
	}
	fmt.Fprintln(os.Stdout, "open")
	for lines.Scan() { // until the input ends
	}
	for _, c := range all { // they must have been connected all the time
		if _, err := c.Do(ctx, wire.TypePing, wire.Empty{}); err != nil {
			return err
		}
	}
	return nil
}

// slowLink is a link of a speed of its own, that varies.
func slowLink() func() time.Duration {
	usual := rand.N(slowest)
	return func() time.Duration { return usual + rand.N(jitter) }
}
