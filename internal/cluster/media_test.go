package cluster

import (
	"encoding/json"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/anteroom/anteroom/rooms/store"
)

// reaches are the media addresses to which an instance relays.
func (i *instance) reaches() []netip.AddrPort {
	i.meet()
	media := slices.Clone(*i.media.Load())
	slices.SortFunc(media, netip.AddrPort.Compare)
	return media
}

func TestMedia_OfTheOthers_AlsoAMomentAfterTheyWereThere(t *testing.T) {
	w := newWorld(t)
	a, b, c := w.start(1), w.start(1), w.start(1)
	others := []netip.AddrPort{b.Cluster.media[0], c.Cluster.media[0]}
	if got := a.reaches(); !slices.Equal(got, others) {
		t.Errorf("%v instead of %v", got, others)
	}
	b.Leave(t.Context()) // its visits go on until they are elsewhere
	if got := a.reaches(); !slices.Equal(got, others) {
		t.Errorf("one leaves: %v instead of %v", got, others)
	}
	a.skew.Add(int64(remembered + time.Second))
	if got := a.reaches(); !slices.Equal(got, others[1:]) {
		t.Errorf("one has left: %v instead of %v", got, others[1:])
	}
	w.store.down.Store(true)
	a.skew.Add(int64(remembered + time.Second))
	if got := a.reaches(); !slices.Equal(got, others[1:]) {
		t.Errorf("the store is away: %v instead of %v", got, others[1:])
	}
}

// What stands in the store is looked at before it is believed.
func TestMedia_AddressesOfNobody_AreNotReached(t *testing.T) {
	w := newWorld(t)
	a := w.start(1)
	var many []netip.AddrPort
	for _, s := range []string{"0.0.0.0:1", "[::]:1", "224.0.0.1:1", "[ff02::1]:1", "192.0.2.9:0", "[::ffff:0.0.0.0]:1", "[::ffff:224.0.0.1]:1", "255.255.255.255:1"} {
		many = append(many, netip.MustParseAddrPort(s))
	}
	good := netip.MustParseAddr("192.0.2.9")
	for port := range uint16(2 * maxMedia) {
		many = append(many, netip.AddrPortFrom(good, port+1))
	}
	about, err := json.Marshal(member{At: "127.0.0.1:1", Media: many})
	must(t, err)
	must(t, w.store.Announce(t.Context(), store.Instance{ID: "many", About: about}, store.MaxTTL))
	if got := a.reaches(); !slices.Equal(got, many[len(many)-2*maxMedia:][:maxMedia]) {
		t.Errorf("%d addresses, %v", len(got), got)
	}
}

// An instance that says of its media what is not understood is there all the same: rooms go to it, and a schema waits for it.
func TestMedia_NotUnderstood_TheInstanceIsKnown(t *testing.T) {
	for about, want := range map[string]int{
		`{"at":"127.0.0.1:1","media":["nonsense","192.0.2.9:5","127.0.0.1:5"]}`: 2,
		`{"at":"127.0.0.1:1","media":{"udp":["192.0.2.9:5"]}}`:                  0,
	} {
		w := newWorld(t)
		a := w.start(1)
		must(t, w.store.Announce(t.Context(), store.Instance{ID: "other", About: []byte(about)}, store.MaxTTL))
		if got := a.reaches(); len(got) != want || a.Stats().Members != 2 {
			t.Errorf("%s: %v, %d instances", about, got, a.Stats().Members)
		}
	}
}
