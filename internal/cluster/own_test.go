package cluster

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/signaling"
)

// elsewhere is where Own says that a room is.
func elsewhere(err error) string {
	if other := (*signaling.Elsewhere)(nil); errors.As(err, &other) {
		return other.At
	}
	return ""
}

func TestOwn_OneInstanceHasARoom_TheOthersFindIt(t *testing.T) {
	w := newWorld(t)
	a, b := w.start(1), w.start(1)
	l := w.own(a)
	if !l.MayOpen() || l.Fence().IsZero() {
		t.Errorf("a lease that is not in force: %+v", l.Fence())
	}
	for _, here := range []bool{false, true} {
		if _, err := b.Own(t.Context(), w.room, here); elsewhere(err) != a.Address() {
			t.Errorf("here %v: %v", here, err)
		}
	}
	must(t, l.Release(t.Context()))
	if got := w.own(b); got.Fence().Epoch <= l.Fence().Epoch {
		t.Errorf("epoch %d after %d", got.Fence().Epoch, l.Fence().Epoch)
	}
}

func TestOwn_ARoomThatIsNot_IsNotFound(t *testing.T) {
	w := newWorld(t)
	if _, err := w.start(1).Own(t.Context(), "none", true); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("answered %v", err)
	}
}

func TestOwn_TheOwnersAddressRefuses_IsTakenOverAtOnce(t *testing.T) {
	w := newWorld(t)
	a, b := w.start(1), w.start(1)
	first := w.own(a)
	_ = a.Close() // without a word to the store
	at := elsewhere(second(b.Own(t.Context(), w.room, false)))
	if at != a.Address() {
		t.Fatalf("the store says %q", at)
	}
	b.Failed(w.room, at, errUnreached)
	if l := w.own(b); l.Fence().Epoch <= first.Fence().Epoch {
		t.Errorf("epoch %d", l.Fence().Epoch)
	}
	if s := b.Stats(); s.TakenOver != 1 || s.Held != 1 {
		t.Errorf("%+v", s)
	}
}

func TestOwn_AnotherProcessAtTheOwnersAddress_IsNotTakenForIt(t *testing.T) {
	w := newWorld(t)
	a, b := w.start(1), w.start(1)
	_, err := w.store.Claim(t.Context(), store.Claim{Room: w.room, Owner: "earlier@" + a.Address(), Nonce: "n", TTL: time.Minute})
	must(t, err)
	b.Failed(w.room, a.Address(), errUnreached)
	w.own(b)
}

func TestOwn_TheOwnerIsSilent_ItsLeaseIsWaitedFor(t *testing.T) {
	w := newWorld(t)
	b := w.start(1)
	at := standing(t)
	const ttl = 1500 * time.Millisecond
	began := time.Now()
	_, err := w.store.Claim(t.Context(), store.Claim{Room: w.room, Owner: "x@" + at, Nonce: "n", TTL: ttl})
	must(t, err)
	b.Failed(w.room, at, errUnreached)
	w.own(b)
	if took := time.Since(began); took < ttl {
		t.Errorf("claimed after %v, in the other's time", took)
	}
}

func TestOwn_TheOwnerWasOnlyBusy_IsAskedAgainBeforeItsLeaseEnds(t *testing.T) {
	w := newWorld(t)
	a, b := w.start(1), w.start(1)
	at, again := busyAtFirst(t, a.Address())
	_, err := w.store.Claim(t.Context(), store.Claim{Room: w.room, Owner: a.id + "@" + at, Nonce: "n", TTL: store.MaxTTL})
	must(t, err)
	defer a.claims(w.room)()
	b.Failed(w.room, at, errUnreached)
	if _, err := b.Own(t.Context(), w.room, true); elsewhere(err) != at || !again() {
		t.Errorf("answered %v, asked again: %t", err, again())
	}
}

func TestOwn_TheOwnerLivesAndCannotRenew_KeepsTheRoom(t *testing.T) {
	w := newWorld(t)
	a, b := w.start(1), w.start(1)
	_, err := w.store.Claim(t.Context(), store.Claim{Room: w.room, Owner: a.owner(), Nonce: "n", TTL: time.Millisecond})
	must(t, err)
	defer a.claims(w.room)()
	<-time.After(5 * time.Millisecond) // its lease
	if _, err := b.Own(t.Context(), w.room, true); elsewhere(err) != a.Address() {
		t.Errorf("answered %v", err)
	}
}

// Until an owner finds that the store has lost its claim, only the owner knows what has happened since.
func TestOwn_TheStoreHasLostTheClaim_TheOwnerKeepsTheRoom(t *testing.T) {
	w := newWorld(t)
	a, b := w.start(1), w.start(1)
	earlier := store.Fence{Epoch: 1, Nonce: "earlier"}
	w.own(a)
	b.meet()
	for name, known := range map[string]store.Lease{
		"of none":                   {},
		"of the claimant's own":     {Fence: earlier, Owner: b.owner()},
		"of one that ended":         {Fence: earlier, Owner: "gone@127.0.0.1:1"},
		"of one that was let go of": {Fence: store.Fence{Epoch: 1}},
	} {
		w.store.holder.Store(&known)
		for _, here := range []bool{true, false} {
			_, err := b.Own(t.Context(), w.room, here)
			if elsewhere(err) != a.Address() && here { // else it may be placed somewhere, where it is asked again
				t.Errorf("the store knows %s: %v", name, err)
			}
		}
	}
}

func TestOwn_TheStoreHasLostTheListToo_WhoWasOnItIsAsked(t *testing.T) {
	w := newWorld(t)
	a, b := w.start(1), w.start(1)
	w.own(a)
	b.meet()
	must(t, w.store.Withdraw(t.Context(), a.id))
	b.meet()
	w.store.holder.Store(&store.Lease{})
	if _, err := b.Own(t.Context(), w.room, true); elsewhere(err) != a.Address() {
		t.Errorf("answered %v", err)
	}
	b.skew.Add(int64(2 * remembered))
	b.meet()
	if a.Close(); len(b.some()) > 1 { // a may have listed itself anew
		t.Errorf("remembered for ever: %v", b.some())
	}
}

func TestOwn_WithoutTheStore_OthersAreAsked(t *testing.T) {
	w := newWorld(t)
	a, b := w.start(1), w.start(1)
	w.own(a)
	b.meet()
	w.store.down.Store(true)
	if _, err := b.Own(t.Context(), w.room, false); elsewhere(err) != a.Address() {
		t.Errorf("answered %v", err)
	}
	if _, err := b.Own(t.Context(), "another", false); !errors.Is(err, signaling.ErrRetry) {
		t.Errorf("of a room that nobody has: %v", err)
	}
}

func TestPlace_TheLessLoadedOfTwo(t *testing.T) {
	w := newWorld(t)
	a, b := w.start(1), w.start(1)
	b.load.Store(100)
	const tries = 400
	here := 0
	// Three of the four ways in which two are drawn from two have the first among them. What was said at the start, before there was a load, may come in
	// between.
	for end := time.Now().Add(patience); here < tries*6/10 || here > tries*9/10; {
		if time.Now().After(end) {
			t.Fatalf("%d of %d came to the instance with less to do", here, tries)
		}
		b.meet()
		a.meet()
		here = 0
		for range tries {
			if a.place() == "" {
				here++
			}
		}
	}
	b.Leave(t.Context())
	a.meet()
	if at := a.place(); at != "" {
		t.Errorf("placed at %s, which leaves", at)
	}
}

func TestSome_AreDrawnByLot_ListedFirst(t *testing.T) {
	c := &Cluster{id: "me", at: "me", met: map[string]meeting{"gone": {}}, lot: rand.IntN}
	for i := range 3 * maxAsked {
		c.members = append(c.members, member{ID: fmt.Sprint(i), At: fmt.Sprint(i)})
	}
	asked := map[string]bool{}
	for range 100 {
		some := c.some()
		if len(some) != maxAsked {
			t.Fatalf("%d are asked", len(some))
		}
		for _, at := range some {
			asked[at] = true
		}
	}
	if len(asked) != len(c.members) || asked["gone"] { // that one of 96 is left out a hundred times has a chance of 10 to the -16
		t.Errorf("%d of %d were asked", len(asked), len(c.members))
	}
	c.members = c.members[:2]
	if some := c.some(); len(some) != 3 || some[2] != "gone" {
		t.Errorf("of two and one that is not listed: %v", some)
	}
}

func second[A any](_ A, err error) error { return err }
