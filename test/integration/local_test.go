package integration

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/anteroom/anteroom/internal/api"
	"github.com/anteroom/anteroom/internal/auth"
	"github.com/anteroom/anteroom/rooms/store/bolt"
	"github.com/anteroom/anteroom/rooms/store/storetest"
	"github.com/anteroom/anteroom/sfu"
	"github.com/anteroom/anteroom/sfu/transport"
	"github.com/anteroom/anteroom/signaling"
	"github.com/anteroom/anteroom/signaling/wire"
)

// local is the server wired in this process, around a store that can be stopped.
type local struct {
	server
	root  string // the key that makes clinics
	store *storetest.FaultyStore
	media *transport.Transport
	sfu   *sfu.SFU
	hub   *signaling.Hub
}

// startLocal starts a server that stops with the test, after everybody's pages.
func startLocal(t *testing.T) *local {
	t.Helper()
	return startWatched(t, nil)
}

// startWatched is startLocal with somebody who notes what requests make the server do, or nil.
func startWatched(t *testing.T, w *watch) *local {
	t.Helper()
	db := get(bolt.Open(filepath.Join(t.TempDir(), "store"), bolt.Options{}))(t)
	t.Cleanup(func() { must(t, db.Close()) })
	l := &local{store: storetest.Faulty(db)}
	l.media = get(transport.Listen(transport.Config{Listen: netip.MustParseAddrPort("127.0.0.1:0"), Loopback: true}))(t)
	t.Cleanup(func() { must(t, l.media.Close()) })
	l.sfu = sfu.New(sfu.Config{Transport: l.media})
	t.Cleanup(l.sfu.Close)

	mux := http.NewServeMux()
	front := httptest.NewServer(mux)
	t.Cleanup(front.Close)
	l.url = front.URL
	secret := make([]byte, auth.SecretSize)
	_, _ = rand.Read(secret) // never fails, see crypto/rand
	keys := get(auth.New(secret))(t)
	publicURL := func(*http.Request) string { return front.URL }
	l.hub = get(signaling.NewHub(signaling.Config{
		Store: w.ofRooms(l.store), SFU: l.sfu, Keys: keys, PublicURL: publicURL,
		ICEServers: func(string) []wire.ICEServer { return []wire.ICEServer{} },
	}))(t)
	t.Cleanup(func() { must(t, l.hub.Close()) })

	key, hash, err := auth.NewAPIKey(rand.Reader)
	must(t, err)
	root, rootHash, err := auth.NewAPIKey(rand.Reader)
	must(t, err)
	l.key, l.root = key, root
	must(t, api.PrepareDemo(within(t), l.store, hash, time.Now()))
	mux.Handle("/v1/signal", l.hub)
	rest := get(api.New(api.Config{
		Store: w.ofREST(l.store), Hub: w.ofHub(l.hub), Keys: keys, RootKey: rootHash, PublicURL: publicURL,
		ClientAddr: func(*http.Request) netip.Addr { return netip.IPv6Loopback() },
		Now:        time.Now, Random: rand.Reader, Version: "test", Dev: true,
	}))(t)
	mux.Handle("/v1/", rest)
	mux.Handle("/openapi.json", rest)
	return l
}

// forbidden is how many packets were dropped because their sender may not be heard or seen.
func (l *local) forbidden() uint64 { return l.sfu.Stats().Forbidden }

// strangers is how many packets came from addresses that belong to no peer, or to none any more.
func (l *local) strangers() uint64 { return l.media.Counters().Unknown }
