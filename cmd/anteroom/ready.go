package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/anteroom/anteroom/internal/config"
)

// readyTimeout bounds the question whether a server takes people.
const readyTimeout = 2 * time.Second

type readyCmd struct {
	Admin config.Address `placeholder:"HOST:PORT" help:"The server's --admin. Default: 127.0.0.1:9090."`
}

// Run asks a server that runs beside it. An image without a shell has nothing else to ask with.
func (c *readyCmd) Run(ctx context.Context, o output) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	return o.askAdmin(ctx, c.Admin, http.MethodGet, "/readyz", "", "ready")
}

// askAdmin asks the admin port of a server on this machine, with a key or none, and prints what it says. Anything but 200 means that it is not
// what was wanted.
func (o output) askAdmin(ctx context.Context, admin config.Address, method, path, key, wanted string) error {
	server := config.Serve{Admin: admin}
	q, err := http.NewRequestWithContext(ctx, method, "http://"+server.AdminAddress()+path, http.NoBody)
	if err != nil {
		return fmt.Errorf("--admin: %w", err)
	}
	q.Close = true // one question
	if key != "" {
		q.Header.Set("Authorization", "Bearer "+key)
	}
	res, err := http.DefaultClient.Do(q)
	if err != nil {
		return fmt.Errorf("is the server running? %w", err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 1024))
	if err != nil {
		return err
	}
	says := strings.TrimSpace(string(text))
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the server is not %s: %s", wanted, says)
	}
	_, err = fmt.Fprintln(o.out, says)
	return err
}
