package cluster

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/signaling"
)

// Paths of the hop.
const (
	pathOwns    = "/hop/owns"
	pathDo      = "/hop/do"
	pathVisit   = "/hop/visit"
	pathChanged = "/hop/changed"
	pathEpochs  = "/hop/epochs"
	pathTake    = "/hop/take"
	pathParted  = "/hop/parted"
)

const (
	maxAnswer     = 16 << 20 // bytes; a visit with its chat
	headerTimeout = 2 * time.Second
	bodyTimeout   = 10 * time.Second
	idlePerOther  = 16 // connections that wait for the next command, to each instance
)

// Hub is what the cluster needs of signaling.Hub.
type Hub interface {
	Do(ctx context.Context, room rooms.RoomID, cmd rooms.Command) (rooms.Outcome, error)
	Visit(ctx context.Context, room rooms.RoomID, id rooms.VisitID) (*rooms.Visit, error)
	RoomChanged(room rooms.RoomID)
	Take(ctx context.Context, room rooms.RoomID) error
	Parted(room rooms.RoomID, visit rooms.VisitID)
	Spare(ctx context.Context, fits func(peers, sockets int) bool) bool
	Here() signaling.Here
}

// Serve joins the other instances and answers them, until Close. Call it once, before anything else is asked of the cluster.
func (c *Cluster) Serve(hub Hub) {
	c.hub = hub
	c.meet()
	c.tasks.Go(func() { c.every(Every, nil, c.meet) })
	c.tasks.Go(func() { c.every(Every, c.kick, c.renew) })
	c.tasks.Go(func() { c.every(Every, nil, c.doubt) })
	c.tasks.Go(func() { c.every(balanceEvery, nil, c.balance) })
	c.tasks.Go(c.watch)
	c.tasks.Go(c.tell)
	c.tasks.Go(c.part)
	here := hub.Here()
	mux := http.NewServeMux()
	mux.Handle("GET "+signaling.HopPath, here)
	mux.HandleFunc("POST "+pathOwns, answering(func(_ context.Context, q asked) (presence, error) {
		return presence{ID: c.id, Owns: c.has(q.Room)}, nil
	}))
	mux.HandleFunc("POST "+pathEpochs, answering(c.know))
	mux.HandleFunc("POST "+pathDo, answering(func(ctx context.Context, q order) (rooms.Outcome, error) {
		cmd, err := q.command()
		if err != nil {
			return rooms.Outcome{}, err
		}
		return here.Do(ctx, q.Room, cmd)
	}))
	mux.HandleFunc("POST "+pathVisit, answering(func(ctx context.Context, q asked) (*rooms.Visit, error) {
		return here.Visit(ctx, q.Room, q.Visit)
	}))
	mux.HandleFunc("POST "+pathTake, answering(func(ctx context.Context, g gift) (struct{}, error) {
		return struct{}{}, c.accept(ctx, g)
	}))
	mux.HandleFunc("POST "+pathParted, answering(func(_ context.Context, q asked) (struct{}, error) {
		hub.Parted(q.Room, q.Visit)
		return struct{}{}, nil
	}))
	mux.HandleFunc("POST "+pathChanged, answering(func(_ context.Context, q asked) (struct{}, error) {
		c.news()
		hub.RoomChanged(q.Room)
		return struct{}{}, nil
	}))
	srv := &http.Server{
		Handler: mux, ReadHeaderTimeout: headerTimeout, ReadTimeout: bodyTimeout, WriteTimeout: bodyTimeout, IdleTimeout: time.Minute,
		MaxHeaderBytes: 16 << 10, ErrorLog: zap.NewStdLog(c.log.WithOptions(zap.IncreaseLevel(zap.FatalLevel))), // strangers at the door
	}
	c.tasks.Go(func() {
		if err := srv.Serve(tls.NewListener(newLimited(c.socket, maxHop), c.tls())); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			c.log.Error("hop_failed", zap.Error(err))
		}
	})
	c.tasks.Go(func() {
		<-c.ctx.Done()
		_ = srv.Close()
	})
}

// asked is a question about a room.
type asked struct {
	Room  rooms.RoomID  `json:"room"`
	Visit rooms.VisitID `json:"visit,omitempty"`
}

// presence answers whether an instance has a room.
type presence struct {
	ID   string `json:"id"`
	Owns bool   `json:"owns"`
}

// answering serves one kind of question.
func answering[Q, A any](answer func(context.Context, Q) (A, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var q Q
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxAnswer)).Decode(&q); err != nil {
			http.Error(w, "not understood", http.StatusBadRequest)
			return
		}
		a, err := answer(r.Context(), q)
		w.Header().Set("Content-Type", "application/json")
		if err != nil {
			w.WriteHeader(http.StatusConflict)
			_ = json.NewEncoder(w).Encode(failureOf(err)) // whoever asked has gone, if it fails
			return
		}
		_ = json.NewEncoder(w).Encode(a)
	}
}

func (c *Cluster) newClient() *http.Client {
	return &http.Client{Transport: &http.Transport{
		DialTLSContext:      func(ctx context.Context, _, at string) (net.Conn, error) { return c.Dial(ctx, at) },
		MaxIdleConnsPerHost: idlePerOther, IdleConnTimeout: time.Minute, DisableCompression: true,
	}}
}

// call asks another instance. What it refuses comes back as the error it was there.
func (c *Cluster) call(ctx context.Context, at, path string, question, answer any) error {
	body, err := json.Marshal(question)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+at+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := c.http.Do(r)
	if err != nil {
		return fmt.Errorf("%w: %w", errUnreached, err)
	}
	defer res.Body.Close()
	from := json.NewDecoder(io.LimitReader(res.Body, maxAnswer))
	switch res.StatusCode {
	case http.StatusOK:
		err = from.Decode(answer)
	case http.StatusConflict:
		var f failure
		if err = from.Decode(&f); err == nil {
			return f.error()
		}
	default:
		err = errors.New(res.Status)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errUnreached, err)
	}
	return nil
}

// errUnreached says that nothing is known of what became of a question.
var errUnreached = errors.New("cluster: no answer from the other instance")
