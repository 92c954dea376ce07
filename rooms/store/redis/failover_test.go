package redis

import (
	"errors"
	"testing"
	"time"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/rooms/store/redistest"
)

// eventually repeats what a store cannot do for now.
func eventually(t *testing.T, do func() error) {
	t.Helper()
	end := time.Now().Add(20 * time.Second)
	for {
		err := do()
		if !errors.Is(err, store.ErrUnavailable) || time.Now().After(end) {
			must(t, err)
			return
		}
	}
}

// A master that fails takes with it what its replica did not have: an acknowledged write. The owner finds out, and repairs it.
func TestFailover_LostWrite_IsRepairedByTheOwner(t *testing.T) {
	f := redistest.StartFailover(t)
	db := open(t, Options{Addresses: f.Addrs(), Master: redistest.MasterName})
	l := own(t, db)
	write := func(seq, after uint64, v *rooms.Visit) error {
		return db.Commit(t.Context(), store.Batch{Room: about.ID, Fence: l.Fence, Seq: seq, After: after, Visits: []*rooms.Visit{v}})
	}
	must(t, write(1, 0, visit(1, 1)))
	f.Cut()
	must(t, write(2, 1, visit(1, 2)))
	f.FailBehind()
	var r store.Renewal
	eventually(t, func() error {
		r = db.Renew(t.Context(), []store.Held{{Room: about.ID, Fence: l.Fence}}, time.Minute)[0]
		return r.Err
	})
	if r.Lease.Seq != 1 {
		t.Fatalf("renewed: %+v", r)
	}
	if err := write(3, 2, visit(2, 1)); !errors.Is(err, store.ErrBehind) {
		t.Errorf("the next write: %v", err)
	}
	if n, err := store.Repair(t.Context(), db, l.Fence, 2, about, []*rooms.Visit{visit(1, 2)}); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	must(t, write(3, 2, visit(2, 1)))
}

// It takes the newest claim too. Then the store knows the owner before, whose lease seems to be in force: the newest owner claims
// again, above both, and the one before is fenced all the same.
func TestFailover_LostClaim_NewestOwnerClaimsAgain(t *testing.T) {
	f := redistest.StartFailover(t)
	db := open(t, Options{Addresses: f.Addrs(), Master: redistest.MasterName})
	first := own(t, db)
	f.Cut()
	second := claim(t, db, store.Claim{Nonce: "second", Over: first.Fence})
	must(t, db.Commit(t.Context(), store.Batch{Room: about.ID, Fence: second.Fence, Seq: 1, Visits: []*rooms.Visit{visit(1, 1)}}))
	f.FailBehind()

	var fenced *store.FencedError
	eventually(t, func() error {
		err := db.Renew(t.Context(), []store.Held{{Room: about.ID, Fence: second.Fence}}, time.Minute)[0].Err
		if errors.As(err, &fenced) {
			return nil
		}
		return errors.Join(err, store.ErrUnavailable)
	})
	if fenced.Lease.Fence != first.Fence || fenced.Lease.Left <= 0 || fenced.Lease.Epoch >= second.Epoch {
		t.Fatalf("the store knows %+v", fenced.Lease)
	}
	third := claim(t, db, store.Claim{Nonce: "third", Over: second.Fence})
	if third.Epoch <= second.Epoch {
		t.Errorf("epoch %d after %d", third.Epoch, second.Epoch)
	}
	if n, err := store.Repair(t.Context(), db, third.Fence, 1, about, []*rooms.Visit{visit(1, 1)}); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	for name, stale := range map[string]store.Fence{"first": first.Fence, "second": second.Fence} {
		err := db.Commit(t.Context(), store.Batch{Room: about.ID, Fence: stale, Visits: []*rooms.Visit{visit(1, 9)}})
		if !errors.Is(err, store.ErrFenced) {
			t.Errorf("the %s owner writes: %v", name, err)
		}
	}
}
