package redis

import (
	"errors"
	"testing"
	"time"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/rooms/store/redistest"
)

// The clock of Redis is set by an hour, or a master with another clock takes over. Owners keep what they renew; nobody waits an hour for
// whom they should not.
func TestClock_OfRedisIsSet(t *testing.T) {
	s := redistest.StartWithClock(t)
	db := open(t, Options{Addresses: []string{s.Addr()}})
	kept, left := own(t, db), rooms.WaitingRoom{ID: "left", Clinic: about.Clinic}
	must(t, db.PutRoom(t.Context(), left))
	holds := func(room rooms.RoomID) bool {
		l, err := db.Holder(t.Context(), room)
		must(t, err)
		return l.Left > 0
	}
	listed := func() int {
		list, err := db.Instances(t.Context())
		must(t, err)
		return len(list)
	}
	await := func(what string, is func() bool) {
		t.Helper()
		pace, end := time.NewTicker(10*time.Millisecond), time.After(20*time.Second)
		defer pace.Stop()
		for !is() {
			select {
			case <-pace.C:
			case <-end:
				t.Fatal(what)
			}
		}
	}
	for _, ahead := range []time.Duration{time.Hour, 0, -time.Hour} {
		must(t, db.Announce(t.Context(), store.Instance{ID: "i"}, store.MaxTTL))
		dead, err := db.Claim(t.Context(), store.Claim{Room: left.ID, Owner: "dead", Nonce: ahead.String(), TTL: store.MaxTTL})
		must(t, err)
		r := db.Renew(t.Context(), []store.Held{{Room: about.ID, Fence: kept.Fence}}, store.MaxTTL)[0]
		must(t, r.Err)
		if !holds(about.ID) || !holds(left.ID) || listed() != 1 {
			t.Fatal("not held before")
		}
		s.SetClock(ahead)
		await("what is not renewed goes on", func() bool { return !holds(left.ID) && listed() == 0 })

		// Who has it renews it, and nobody else can have it meanwhile or afterwards.
		r = db.Renew(t.Context(), []store.Held{{Room: about.ID, Fence: kept.Fence}}, store.MaxTTL)[0]
		must(t, r.Err)
		if !holds(about.ID) || r.Lease.Fence != kept.Fence {
			t.Errorf("%v: renewed as %+v", ahead, r.Lease)
		}
		if _, err := db.Claim(t.Context(), store.Claim{Room: about.ID, Owner: "x", Nonce: "x", TTL: time.Second}); !errors.Is(err, store.ErrFenced) {
			t.Errorf("%v: %v", ahead, err)
		}
		next, err := db.Claim(t.Context(), store.Claim{Room: left.ID, Owner: "next", Nonce: "next" + ahead.String(), TTL: time.Millisecond})
		if err != nil || next.Epoch <= dead.Epoch {
			t.Errorf("%v: epoch %d after %d, %v", ahead, next.Epoch, dead.Epoch, err)
		}
		await("a millisecond lasts", func() bool { return !holds(left.ID) })
	}
}
