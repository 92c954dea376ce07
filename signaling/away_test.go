package signaling

import (
	"net/http"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/anteroom/anteroom/internal/auth"
	"github.com/anteroom/anteroom/rooms/store/bolt"
	"github.com/anteroom/anteroom/sfu"
	"github.com/anteroom/anteroom/sfu/transport"
	"github.com/anteroom/anteroom/signaling/wire"
)

// stillWorld is a world in a bubble of fake time: only its media port is outside, which nobody uses.
func stillWorld(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	port, err := transport.Listen(transport.Config{Listen: netip.MustParseAddrPort("127.0.0.1:0"), Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	media := sfu.New(sfu.Config{Transport: port})
	defer media.Close()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		db, err := bolt.Open(filepath.Join(t.TempDir(), "anteroom.db"), bolt.Options{})
		w.must(err)
		defer db.Close()
		w.store = db
		w.keys, err = auth.New([]byte(strings.Repeat("secret ", 8)))
		w.must(err)
		w.furnish()
		w.hub, err = NewHub(Config{
			Store: w.store, SFU: media, Keys: w.keys, Registerer: prometheus.NewRegistry(),
			PublicURL:  func(*http.Request) string { return pipeURL },
			ICEServers: func(string) []wire.ICEServer { return []wire.ICEServer{} },
		})
		w.must(err)
		defer w.hub.Close()
		test(t, w)
	})
}

// hasGone waits until the server has given up a page that says nothing any more.
func (p *page) hasGone() {
	p.w.t.Helper()
	if got := p.closeCode(); got != wire.CloseSilent {
		p.w.t.Errorf("close %d", got)
	}
}

func TestSeat_EverybodyAwayForLong_IsKept(t *testing.T) {
	for _, gone := range []time.Duration{10 * time.Second, 2 * time.Minute, 10 * time.Minute, 2 * time.Hour} {
		t.Run(gone.String(), func(t *testing.T) {
			stillWorld(t, func(t *testing.T, w *world) { everybodyAway(w, gone) })
		})
	}
}

func everybodyAway(w *world, gone time.Duration) {
	w.t.Helper()
	who := []auth.Identity{w.visit("Maria"), w.visit("John"), w.visit("Wei")}
	doctor, _ := w.open(w.staff())
	pages, before := make([]*page, len(who)), make([]wire.View, len(who))
	for i, id := range who {
		pages[i], _ = w.open(id)
		if err := pages[i].ask(wire.TypeCheckIn, wire.Empty{}, nil); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := doctor.ask(wire.TypeAdmit, wire.Target{Visit: string(who[0].Visit), Seat: string(who[0].Seat)}, nil); err != nil {
		w.t.Fatal(err)
	}
	if err := pages[0].ask(wire.TypeChat, wire.Chat{Text: "hello"}, nil); err != nil {
		w.t.Fatal(err)
	}
	for i, p := range pages {
		before[i] = p.waitView(func(v wire.View) bool {
			return i == 0 && v.Me.State == wire.SeatAdmitted || v.Queue != nil && v.Queue.Ahead == i-1
		})
	}
	for _, p := range append([]*page{doctor}, pages...) {
		p.hasGone()
	}
	time.Sleep(gone) //nolint:forbidigo // in a bubble

	for i, id := range who {
		_, welcome := w.open(id)
		is, was := welcome.View, before[i]
		if is.Me != was.Me || (is.Queue == nil) != (was.Queue == nil) || is.Queue != nil && (is.Queue.Since != was.Queue.Since || is.Queue.Ahead != was.Queue.Ahead) {
			w.t.Errorf("person %d has %+v %+v, had %+v %+v", i, is.Me, is.Queue, was.Me, was.Queue)
		}
		if i == 0 && (len(welcome.Messages) != 1 || len(is.People) != 2) {
			w.t.Errorf("%d messages, %d people", len(welcome.Messages), len(is.People))
		}
	}
	_, welcome := w.open(w.staff())
	var states []wire.SeatState
	for _, row := range welcome.List.Rows {
		states = append(states, row.State)
	}
	slices.Sort(states)
	if !slices.Equal(states, []wire.SeatState{wire.SeatAdmitted, wire.SeatWaiting, wire.SeatWaiting}) || welcome.View.Me.State != wire.SeatAdmitted {
		w.t.Errorf("staff see %v and are %s", states, welcome.View.Me.State)
	}
}
