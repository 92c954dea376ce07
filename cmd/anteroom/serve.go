package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/anteroom/anteroom/internal/config"
)

// Bounds of HTTP requests.
const (
	headerTimeout  = 10 * time.Second
	requestTimeout = 30 * time.Second
	maxHeader      = 64 << 10
)

// stopTimeout bounds the graceful stop.
const stopTimeout = 10 * time.Second

var errStuck = errors.New("not stopped in time; whatever was acknowledged is on disk")

type serveCmd struct {
	config.Serve
}

// Run serves until the context ends, then stops gracefully.
func (c *serveCmd) Run(ctx context.Context, o output) error {
	log := newLogger(o, c.LogLevel, c.JSON)
	s, err := start(ctx, &c.Serve, log)
	if err != nil {
		return err
	}
	if err := c.announce(o, s); err != nil {
		return errors.Join(err, s.stop())
	}
	select {
	case <-ctx.Done():
		log.Info("stopping")
	case err = <-s.failed:
	}
	err = errors.Join(err, s.stop())
	log.Info("stopped", zap.Error(err))
	return err
}

// announce tells people, or programs, where the server is.
func (c *serveCmd) announce(o output, s *server) error {
	if c.JSON {
		return json.NewEncoder(o.out).Encode(ready{
			Event: "ready", URL: s.url(), Media: s.media.Addr().String(), Admin: "http://" + s.admin.Addr().String(),
		})
	}
	_, err := fmt.Fprintf(o.out, "Anteroom %s is at %s/\n", versionText(), s.url())
	if err == nil && c.Dev {
		_, err = fmt.Fprintf(o.out, "Development: open %s/ and try it. REST API: %s/docs, key in %s\n", s.url(), s.url(), s.file(devKeyFile))
	}
	return err
}

// ready is the line that --json prints.
type ready struct {
	Event string `json:"event"`
	URL   string `json:"url"`
	Media string `json:"media"` // UDP
	Admin string `json:"admin"`
}

func newLogger(o output, level string, inJSON bool) *zap.Logger {
	parsed, err := zapcore.ParseLevel(level)
	if err != nil { // the configuration was checked
		parsed = zapcore.InfoLevel
	}
	ec := zap.NewProductionEncoderConfig()
	ec.EncodeTime = zapcore.ISO8601TimeEncoder
	ec.EncodeDuration = zapcore.SecondsDurationEncoder
	encoder := zapcore.NewConsoleEncoder(ec)
	if inJSON {
		encoder = zapcore.NewJSONEncoder(ec)
	}
	return zap.New(zapcore.NewCore(encoder, zapcore.Lock(zapcore.AddSync(o.err)), parsed))
}

// fail ends the process in good order.
func (s *server) fail(err error) {
	select {
	case s.failed <- err:
	default: // the first says enough
	}
}

// serveHTTP serves until the server is shut down; anything else is a failure of the whole.
func (s *server) serveHTTP(l net.Listener, h http.Handler) {
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       requestTimeout,
		WriteTimeout:      30 * time.Second, // sockets are taken over and set their own
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          zap.NewStdLog(s.log.WithOptions(zap.IncreaseLevel(zap.FatalLevel))), // names addresses of clients
	}
	s.tasks.Go(func() {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			s.fail(fmt.Errorf("serve: %w", err))
		}
	})
	s.onStop(func(ctx context.Context) error {
		err := srv.Shutdown(ctx)
		if err != nil {
			err = errors.Join(err, srv.Close())
		}
		return err
	})
}
