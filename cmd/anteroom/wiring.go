package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/anteroom/anteroom/internal/admission"
	"github.com/anteroom/anteroom/internal/api"
	"github.com/anteroom/anteroom/internal/auth"
	"github.com/anteroom/anteroom/internal/cluster"
	"github.com/anteroom/anteroom/internal/config"
	"github.com/anteroom/anteroom/internal/edge"
	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/rooms/store/sealed"
	"github.com/anteroom/anteroom/sfu"
	"github.com/anteroom/anteroom/sfu/transport"
	"github.com/anteroom/anteroom/signaling"
	"github.com/anteroom/anteroom/signaling/wire"
	"github.com/anteroom/anteroom/turn"
	"github.com/anteroom/anteroom/web"
)

// Files of the data folder. All are for their owner only.
const (
	storeFile   = "anteroom.db"
	secretFile  = "secret"
	rootKeyFile = "root-key"
	devKeyFile  = "dev-key"
	sealFile    = "seal-keys"
)

// turnTTL is how long TURN credentials allow allocations: a working day, for staff keep a page open.
const turnTTL = 12 * time.Hour

// server is everything that runs.
type server struct {
	cfg *config.Serve
	log *zap.Logger

	store   store.Store
	sealed  *sealed.DB // the same
	keys    *auth.Keys
	media   *transport.Transport
	sfu     *sfu.SFU
	port    *edge.Listener
	admin   net.Listener
	turn    *turn.Server // nil: none
	gate    *admission.Gate
	hub     *signaling.Hub
	cluster *cluster.Cluster // nil: no other instances
	keeper  *keeper          // the same
	rest    restLimits
	rootKey [32]byte // hash
	panics  struct{ rest, sweep atomic.Uint64 }
	metrics *prometheus.Registry

	ready    atomic.Bool
	writable writable
	failed   chan error // of a part without which the rest makes no sense
	tasks    sync.WaitGroup
	stops    []func(context.Context) error // what was started, oldest first
}

func (s *server) onStop(f func(context.Context) error) { s.stops = append(s.stops, f) }

func closing(f func() error) func(context.Context) error {
	return func(context.Context) error { return f() }
}

func (s *server) file(name string) string { return filepath.Join(s.cfg.Data, name) }

// start makes every part in order. If one cannot be made, those before it are stopped.
func start(ctx context.Context, cfg *config.Serve, log *zap.Logger) (*server, error) {
	s := &server{cfg: cfg, log: log, failed: make(chan error, 1), metrics: prometheus.NewRegistry()}
	for _, step := range []func(context.Context) error{
		s.openStore, s.loadKeys, s.listen, s.startMedia, s.startTURN, s.startGate, s.startCluster, s.startHub, s.joinCluster, s.serve, s.startKeeper, s.startSweep, s.startSealing,
	} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, s.stop())
		}
	}
	s.ready.Store(true)
	return s, nil
}

// stop ends everything within stopTimeout: people are told first, then the newest part goes first.
func (s *server) stop() error {
	s.ready.Store(false)
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		var errs []error
		if s.hub != nil {
			s.handOver(ctx)
			s.hub.Drain(ctx)
		}
		for _, stop := range slices.Backward(s.stops) {
			errs = append(errs, stop(ctx))
		}
		s.tasks.Wait()
		done <- errors.Join(errs...)
	}()
	select {
	case err := <-done:
		return err
	case <-time.After(stopTimeout + time.Second): // each part had its chance; the process ends
		return errStuck
	}
}

func (s *server) openStore(ctx context.Context) error {
	if err := os.MkdirAll(s.cfg.Data, 0o700); err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	db, advice, err := openStore(ctx, s.cfg.Store, s.cfg.Data, &s.cfg.Redis)
	if err != nil {
		return err
	}
	for _, text := range advice {
		s.log.Warn("store_may_lose_data", zap.String("why", text))
	}
	s.onStop(closing(db.Close))
	path, own := s.cfg.SealKeys, false
	if path == "" {
		path, own = s.file(sealFile), true
	}
	if s.sealed, err = sealStore(ctx, db, path, own); err != nil {
		return fmt.Errorf("--seal-keys: %w", err)
	}
	s.store = s.sealed
	return nil
}

// loadKeys comes after openStore, whose lock says that no other process makes the files.
func (s *server) loadKeys(context.Context) error {
	path, err := s.fileOr("secret", s.cfg.Cluster.Secret, secretFile)
	if err != nil {
		return err
	}
	secret, err := auth.LoadSecret(path, rand.Reader)
	if err != nil {
		return err
	}
	if s.keys, err = auth.New(secret); err != nil {
		return err
	}
	s.keys.Secure = s.cfg.PublicURL.Secure()
	return nil
}

func (s *server) listen(context.Context) error {
	ec := edge.Config{Address: s.cfg.ListenAddress(), Logger: s.log}
	if s.cfg.TLS() {
		certificates, err := edge.Certificates(s.cfg.TLSCert, s.cfg.TLSKey, s.log)
		if err != nil {
			return fmt.Errorf("--tls-cert, --tls-key: %w", err)
		}
		ec.TLS = &tls.Config{GetCertificate: certificates, MinVersion: tls.VersionTLS12}
	}
	if len(s.cfg.Proxies) > 0 { // everybody comes from few addresses
		ec.PerAddress, ec.TURNPerAddress = -1, -1
	}
	var err error
	if s.port, err = edge.Listen(ec); err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	s.onStop(closing(s.port.Close))
	if s.admin, err = net.Listen("tcp", s.cfg.AdminAddress()); err != nil {
		return fmt.Errorf("--admin: %w", err)
	}
	s.onStop(func(context.Context) error {
		if err := s.admin.Close(); !errors.Is(err, net.ErrClosed) { // by its http.Server
			return err
		}
		return nil
	})
	return nil
}

func (s *server) startMedia(context.Context) error {
	advertise := make([]netip.Addr, len(s.cfg.MediaAdvertise))
	for i, a := range s.cfg.MediaAdvertise {
		advertise[i] = a.Addr
	}
	var err error
	s.media, err = transport.Listen(transport.Config{
		Listen: s.cfg.MediaAddress(s.tcpAddr()), Advertise: advertise, Loopback: s.cfg.Dev, Logger: s.log,
		MaxPeers: s.cfg.PeersOfAll(), Handshakes: handshakes, HandshakeRate: handshakeRate, HandshakeBurst: handshakeBurst,
	})
	if err != nil {
		return fmt.Errorf("--media: %w", err)
	}
	s.onStop(closing(s.media.Close))
	s.sfu = sfu.New(sfu.Config{Transport: s.media, Logger: s.log, MaxStreams: streams})
	s.onStop(func(context.Context) error { s.sfu.Close(); return nil })
	return nil
}

// offersTURN tells whether clients can reach TURN: not through a proxy that ends TLS and speaks HTTP.
func (s *server) offersTURN() bool { return s.cfg.TURN && (s.cfg.TLS() || s.cfg.Dev) }

func (s *server) startTURN(context.Context) error {
	if !s.offersTURN() {
		return s.port.TURN().Close()
	}
	secret := s.keys.Digest("turn")
	var err error
	s.turn, err = turn.New(turn.Config{
		Listener: s.port.TURN(), Realm: s.host(), Secret: secret[:], Peers: s.media.Candidates(),
		Pipe: func() (turn.Path, error) { return s.media.Pipe() },
	})
	if err != nil {
		return err
	}
	s.onStop(closing(s.turn.Close))
	return nil
}

// iceServers is a session's way out where UDP is blocked.
func (s *server) iceServers(id string) []wire.ICEServer {
	if s.turn == nil {
		return []wire.ICEServer{}
	}
	scheme, port := "turn:", fmt.Sprint(s.tcpAddr().Port())
	if s.cfg.TLS() {
		scheme = "turns:"
	}
	if s.cfg.PublicURL != "" {
		port = s.cfg.PublicURL.Port()
	}
	username, password := s.turn.Credentials(id, turnTTL, time.Now())
	return []wire.ICEServer{{
		URLs:     []string{scheme + net.JoinHostPort(s.host(), port) + "?transport=tcp"},
		Username: username, Credential: password,
	}}
}

func (s *server) startHub(context.Context) error {
	origins := make([]string, len(s.cfg.Origins))
	for i, o := range s.cfg.Origins {
		origins[i] = string(o)
	}
	var err error
	s.hub, err = signaling.NewHub(signaling.Config{
		Store: s.store, SFU: s.sfu, Keys: s.keys, PublicURL: s.publicURL, ICEServers: s.iceServers,
		Origins: origins, Warm: s.cfg.Warm, Admit: s.admit, Owners: s.owners(), Logger: s.log, Registerer: s.metrics,
	})
	if err != nil {
		return err
	}
	s.writable.ask = s.hub.Ready
	s.onStop(closing(s.hub.Close))
	return nil
}

func (s *server) serve(ctx context.Context) error {
	rest, err := s.newAPI(ctx)
	if err != nil {
		return err
	}
	pages, err := web.Handler(web.Options{Dev: s.cfg.Dev})
	if err != nil {
		return err
	}
	s.metrics.MustRegister(newCollector(s), newLimitCollector(s))
	s.serveHTTP(s.admin, s.adminRoutes())
	s.serveHTTP(s.port.HTTP(), s.routes(rest, pages))
	return nil
}

func (s *server) newAPI(ctx context.Context) (http.Handler, error) {
	path, err := s.fileOr("root-key", s.cfg.Cluster.RootKey, rootKeyFile)
	if err != nil {
		return nil, err
	}
	_, s.rootKey, err = auth.LoadAPIKey(path, rand.Reader)
	if err != nil {
		return nil, err
	}
	if s.cfg.Dev {
		_, key, err := auth.LoadAPIKey(s.file(devKeyFile), rand.Reader)
		if err != nil {
			return nil, err
		}
		if err := api.PrepareDemo(ctx, s.store, key, time.Now()); err != nil {
			return nil, fmt.Errorf("demo clinic: %w", err)
		}
	}
	var origins []string
	for _, o := range s.cfg.Origins {
		origins = append(origins, string(o))
	}
	if s.cfg.PublicURL != "" { // a proxy in front may change the Host
		origins = append(origins, string(s.cfg.PublicURL))
	}
	return api.New(api.Config{
		Store: s.store, Hub: s.commands(), Keys: s.keys, RootKey: s.rootKey,
		PublicURL: s.publicURL, ClientAddr: s.clientAddr, Origins: origins,
		Now: time.Now, Random: rand.Reader, Logger: s.log, Limited: s.rest.met, Panicked: func() { s.panics.rest.Add(1) }, Version: versionText(), Dev: s.cfg.Dev,
	})
}

// roomsOf is the hub as the API knows it: that it cannot do something now is the store's being unavailable.
type roomsOf struct{ api.Hub }

// Do implements api.Hub.
func (h roomsOf) Do(ctx context.Context, room rooms.RoomID, cmd rooms.Command) (rooms.Outcome, error) {
	out, err := h.Hub.Do(ctx, room, cmd)
	return out, passing(err)
}

// Visit implements api.Hub.
func (h roomsOf) Visit(ctx context.Context, room rooms.RoomID, id rooms.VisitID) (*rooms.Visit, error) {
	v, err := h.Hub.Visit(ctx, room, id)
	return v, passing(err)
}

func passing(err error) error {
	if errors.Is(err, signaling.ErrRetry) || errors.Is(err, signaling.ErrClosed) {
		return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	}
	return err
}

func (s *server) startSweep(context.Context) error {
	ctx, cancel := context.WithCancel(context.Background())
	began := time.Now()
	w := sweep{
		store: s.store, hub: s.commands(), retention: s.cfg.Retention,
		now: time.Now, steady: func() time.Duration { return time.Since(began) }, log: s.log, panicked: func() { s.panics.sweep.Add(1) },
	}
	if s.cluster != nil {
		w.mine = s.cluster.First
	}
	ticker := time.NewTicker(min(sweepEvery, s.cfg.Retention))
	s.tasks.Go(func() { w.run(ctx, ticker.C) })
	s.onStop(func(context.Context) error {
		ticker.Stop()
		cancel()
		return nil
	})
	return nil
}
