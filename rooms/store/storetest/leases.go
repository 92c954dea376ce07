package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
)

var leaseTests = map[string]func(*testing.T, store.Store){
	"Claim_FirstGetsIt_OthersAreFenced":             claimFirstGetsIt,
	"Claim_ManyAtOnce_OneGetsIt":                    claimManyAtOnce,
	"Claim_RepeatedIsTheSame":                       claimRepeated,
	"Claim_LeaseThatHasEnded_IsForAnybody":          claimEnded,
	"Claim_OverADeadOwner":                          claimOver,
	"Claim_EpochIsAboveAllThatWasSeen":              claimEpochGrows,
	"Claim_UnknownRoomIsForItsOwnerOnly":            claimUnknownRoom,
	"Claim_BadOnesAreRefused":                       claimBad,
	"Renew_KeepsTheLease_AndSaysWhoIsFenced":        renewMany,
	"Release_LetsTheNextIn_AndIsRepeatable":         releaseRepeats,
	"Fence_EveryWriteOfAVisitChecksIt":              fenceChecked,
	"Fence_RepeatedOwnerIsAnother":                  fenceOfAnEarlierClaim,
	"Seq_OfALostBatchIsNoticed":                     seqLost,
	"Repair_WritesWhatIsLost_AndKeepsWhatIsThere":   repairWrites,
	"Repair_NewerThanMemoryIsAConflict":             repairConflict,
	"Repair_IsFenced":                               repairFenced,
	"Versions_OfAllVisits":                          versionsOfAll,
	"Instances_AreListedUntilTheyEndOrWithdraw":     instancesListed,
	"Instances_BadOnesAreRefused":                   instancesBad,
	"Close_LeasesAreUnavailable":                    closeLeases,
	"Claim_RoomsAreApart_AndSoAreTheirFences":       claimRoomsAreApart,
	"Renew_LeaseThatHasEndedButIsNobodys_ComesBack": renewEnded,
}

func claimOf(owner string) store.Claim {
	return store.Claim{Room: room.ID, Owner: owner + ":1", Nonce: "nonce of " + owner, TTL: store.MaxTTL}
}

func mustClaim(t *testing.T, s store.Store, c store.Claim) store.Lease {
	t.Helper()
	l, err := s.Claim(t.Context(), c)
	mustBe(t, err, nil)
	if l.Nonce != c.Nonce || l.Owner != c.Owner || l.Epoch <= 0 || l.Left <= 0 || l.Left > c.TTL {
		t.Fatalf("claimed by %+v: %+v", c, l)
	}
	return l
}

// mustBeFenced asks for a refusal that names who has the room.
func mustBeFenced(t *testing.T, err error, by store.Fence) {
	t.Helper()
	mustBe(t, err, store.ErrFenced)
	var fenced *store.FencedError
	if !errors.As(err, &fenced) || fenced.Lease.Fence != by || fenced.Room != room.ID {
		t.Fatalf("fenced by %+v, want %+v", err, by)
	}
}

// ended waits until a lease is over by the store's own clock.
func ended(t *testing.T, s store.Store) {
	t.Helper()
	for must(s.Holder(t.Context(), room.ID))(t).Left > 0 {
	}
}

func claimFirstGetsIt(t *testing.T, s store.Store) {
	mustBe(t, s.PutRoom(t.Context(), room), nil)
	_, err := s.Holder(t.Context(), room.ID)
	mustBe(t, err, store.ErrNotFound)
	a := mustClaim(t, s, claimOf("a"))
	_, err = s.Claim(t.Context(), claimOf("b"))
	mustBeFenced(t, err, a.Fence)
	held := must(s.Holder(t.Context(), room.ID))(t)
	if held.Fence != a.Fence || held.Owner != a.Owner || held.Left <= 0 {
		t.Errorf("holder %+v, want %+v", held, a)
	}
}

func claimManyAtOnce(t *testing.T, s store.Store) {
	mustBe(t, s.PutRoom(t.Context(), room), nil)
	var mu sync.Mutex
	var wg sync.WaitGroup
	var got []store.Lease
	for n := range 20 {
		wg.Go(func() {
			l, err := s.Claim(t.Context(), claimOf(fmt.Sprint(n)))
			if err == nil {
				mu.Lock()
				defer mu.Unlock()
				got = append(got, l)
			} else if !errors.Is(err, store.ErrFenced) {
				t.Errorf("Claim: %v", err)
			}
		})
	}
	wg.Wait()
	if len(got) != 1 || must(s.Holder(t.Context(), room.ID))(t).Fence != got[0].Fence {
		t.Errorf("%d of 20 got it: %+v", len(got), got)
	}
}

func claimRepeated(t *testing.T, s store.Store) {
	mustBe(t, s.PutRoom(t.Context(), room), nil)
	short := claimOf("a")
	short.TTL = time.Second
	a := mustClaim(t, s, short)
	mustBe(t, s.Commit(t.Context(), store.Batch{Room: room.ID, Fence: a.Fence, Seq: 3, Visits: []*rooms.Visit{visit(1, 1)}}), nil)
	again := mustClaim(t, s, claimOf("a"))
	mustEqual(t, again.Fence, a.Fence)
	mustEqual(t, again.Seq, uint64(3))
	if again.Left <= short.TTL {
		t.Errorf("left %v", again.Left)
	}
}

func claimEnded(t *testing.T, s store.Store) {
	mustBe(t, s.PutRoom(t.Context(), room), nil)
	short := claimOf("a")
	short.TTL = time.Millisecond
	a, err := s.Claim(t.Context(), short)
	mustBe(t, err, nil)
	ended(t, s)
	b := mustClaim(t, s, claimOf("b"))
	if b.Epoch <= a.Epoch {
		t.Errorf("epoch %d after %d", b.Epoch, a.Epoch)
	}
	mustBeFenced(t, s.Renew(t.Context(), []store.Held{{Room: room.ID, Fence: a.Fence}}, time.Second)[0].Err, b.Fence)
}

func claimOver(t *testing.T, s store.Store) {
	mustBe(t, s.PutRoom(t.Context(), room), nil)
	a := mustClaim(t, s, claimOf("a"))
	over := func(c store.Claim, f store.Fence) store.Claim {
		c.Over = f
		return c
	}
	for name, f := range map[string]store.Fence{
		"lower epoch":               {Epoch: a.Epoch - 1, Nonce: a.Nonce},
		"same epoch, another nonce": {Epoch: a.Epoch, Nonce: "x"},
	} {
		if _, err := s.Claim(t.Context(), over(claimOf("b"), f)); !errors.Is(err, store.ErrFenced) {
			t.Errorf("over %s: %v", name, err)
		}
	}
	b := mustClaim(t, s, over(claimOf("b"), a.Fence))
	if b.Epoch <= a.Epoch {
		t.Errorf("epoch %d after %d", b.Epoch, a.Epoch)
	}
	// An owner whose claim the store has lost finds an older lease in force.
	lost := store.Fence{Epoch: b.Epoch + 1_000_000, Nonce: "lost"}
	if c := mustClaim(t, s, over(claimOf("c"), lost)); c.Epoch <= lost.Epoch {
		t.Errorf("epoch %d after %d", c.Epoch, lost.Epoch)
	}
}

func claimEpochGrows(t *testing.T, s store.Store) {
	mustBe(t, s.PutRoom(t.Context(), room), nil)
	var last int64
	for n := range 5 {
		l := mustClaim(t, s, claimOf(fmt.Sprint(n)))
		if l.Epoch <= last {
			t.Errorf("epoch %d after %d", l.Epoch, last)
		}
		last = l.Epoch
		mustBe(t, s.Release(t.Context(), store.Held{Room: room.ID, Fence: l.Fence}), nil)
		mustEqual(t, must(s.Holder(t.Context(), room.ID))(t).Epoch, last)
	}
	seen := claimOf("seen")
	seen.After = last + 5_000_000
	if l := mustClaim(t, s, seen); l.Epoch <= seen.After {
		t.Errorf("epoch %d after %d", l.Epoch, seen.After)
	}
}

func claimUnknownRoom(t *testing.T, s store.Store) {
	_, err := s.Claim(t.Context(), claimOf("a"))
	mustBe(t, err, store.ErrNotFound)
	owner := claimOf("a")
	owner.Over = store.Fence{Epoch: 5, Nonce: "mine, before"}
	l := mustClaim(t, s, owner)
	n, err := store.Repair(t.Context(), s, l.Fence, 9, room, []*rooms.Visit{visit(1, 4)})
	mustBe(t, err, nil)
	mustEqual(t, n, 1)
	about, visits, err := s.LoadRoom(t.Context(), room.ID)
	mustBe(t, err, nil)
	mustEqual(t, about, room)
	mustEqual(t, visits, []*rooms.Visit{visit(1, 4)})
	mustEqual(t, must(s.Holder(t.Context(), room.ID))(t).Seq, uint64(9))
}

func claimBad(t *testing.T, s store.Store) {
	for name, spoil := range map[string]func(*store.Claim){
		"no room":         func(c *store.Claim) { c.Room = "" },
		"no owner":        func(c *store.Claim) { c.Owner = "" },
		"no nonce":        func(c *store.Claim) { c.Nonce = "" },
		"long nonce":      func(c *store.Claim) { c.Nonce = string(make([]byte, store.MaxOwner+1)) },
		"no time":         func(c *store.Claim) { c.TTL = 0 },
		"too long a time": func(c *store.Claim) { c.TTL = store.MaxTTL + 1 },
		"negative epoch":  func(c *store.Claim) { c.After = -1 },
	} {
		c := claimOf("a")
		spoil(&c)
		if _, err := s.Claim(t.Context(), c); !errors.Is(err, store.ErrBadBatch) {
			t.Errorf("%s: %v", name, err)
		}
	}
	mustBe(t, s.Renew(t.Context(), []store.Held{{Room: room.ID}}, 0)[0].Err, store.ErrBadBatch)
}

func renewMany(t *testing.T, s store.Store) {
	ctx := t.Context()
	var held []store.Held
	for n := range 30 {
		w := rooms.WaitingRoom{ID: rooms.RoomID(id(50 + n)), Clinic: clinic}
		mustBe(t, s.PutRoom(ctx, w), nil)
		c := claimOf("a")
		c.Room, c.TTL = w.ID, time.Second
		held = append(held, store.Held{Room: w.ID, Fence: mustClaim(t, s, c).Fence})
	}
	stale := held[7]
	stale.Nonce = "another"
	all := append(append([]store.Held{}, held...), stale, store.Held{Room: held[3].Room}, store.Held{Room: "never claimed", Fence: stale.Fence})
	renewals := s.Renew(ctx, all, store.MaxTTL)
	mustEqual(t, len(renewals), len(all))
	for i, h := range held {
		r := renewals[i]
		mustBe(t, r.Err, nil)
		if r.Lease.Fence != h.Fence || r.Lease.Owner != "a:1" || r.Lease.Left <= time.Second || r.Lease.Left > store.MaxTTL {
			t.Errorf("%d: %+v", i, r.Lease)
		}
	}
	for i, by := range []store.Fence{held[7].Fence, held[3].Fence, {}} {
		var fenced *store.FencedError
		if err := renewals[len(held)+i].Err; !errors.As(err, &fenced) || fenced.Lease.Fence != by {
			t.Errorf("%d: %v, want %+v", i, err, by)
		}
	}
	mustEqual(t, len(s.Renew(ctx, nil, time.Second)), 0)
}

func renewEnded(t *testing.T, s store.Store) {
	mustBe(t, s.PutRoom(t.Context(), room), nil)
	short := claimOf("a")
	short.TTL = time.Millisecond
	a, err := s.Claim(t.Context(), short)
	mustBe(t, err, nil)
	ended(t, s)
	r := s.Renew(t.Context(), []store.Held{{Room: room.ID, Fence: a.Fence}}, store.MaxTTL)[0]
	mustBe(t, r.Err, nil)
	mustEqual(t, r.Lease.Fence, a.Fence)
	_, err = s.Claim(t.Context(), claimOf("b"))
	mustBeFenced(t, err, a.Fence)
}

func releaseRepeats(t *testing.T, s store.Store) {
	mustBe(t, s.PutRoom(t.Context(), room), nil)
	a := mustClaim(t, s, claimOf("a"))
	held := store.Held{Room: room.ID, Fence: a.Fence}
	mustBeFenced(t, s.Release(t.Context(), store.Held{Room: room.ID, Fence: store.Fence{Epoch: a.Epoch, Nonce: "x"}}), a.Fence)
	mustBe(t, s.Release(t.Context(), held), nil)
	mustBe(t, s.Release(t.Context(), held), nil)
	freed := must(s.Holder(t.Context(), room.ID))(t)
	if freed.Nonce != "" || freed.Owner != "" || freed.Left > 0 || freed.Epoch != a.Epoch {
		t.Errorf("after it was released: %+v", freed)
	}
	mustBeFenced(t, s.Renew(t.Context(), []store.Held{held}, time.Second)[0].Err, freed.Fence)
	b := mustClaim(t, s, claimOf("b"))
	mustBeFenced(t, s.Release(t.Context(), held), b.Fence)
}

func fenceChecked(t *testing.T, s store.Store) {
	mustBe(t, s.PutRoom(t.Context(), room), nil)
	version := uint64(0)
	write := func(f store.Fence, repair bool) error {
		version++
		return s.Commit(t.Context(), store.Batch{Room: room.ID, Fence: f, Repair: repair, Visits: []*rooms.Visit{visit(1, version)}})
	}
	mustBe(t, write(store.Fence{}, false), nil) // nobody's
	mustBeFenced(t, write(store.Fence{Epoch: 1, Nonce: "x"}, false), store.Fence{})
	a := mustClaim(t, s, claimOf("a"))
	mustBe(t, write(a.Fence, false), nil)
	for name, f := range map[string]store.Fence{
		"none":          {},
		"another nonce": {Epoch: a.Epoch, Nonce: "x"},
		"a lower epoch": {Epoch: a.Epoch - 1, Nonce: a.Nonce},
		"higher epoch":  {Epoch: a.Epoch + 1, Nonce: a.Nonce},
		"no nonce":      {Epoch: a.Epoch},
	} {
		before := version
		mustBeFenced(t, write(f, false), a.Fence)
		mustBeFenced(t, write(f, true), a.Fence)
		err := s.Commit(t.Context(), store.Batch{Room: room.ID, Fence: f, Seq: 1})
		mustBeFenced(t, err, a.Fence)
		if got := must(s.Visit(t.Context(), visit(1, 0).ID))(t).Version; got > before {
			t.Errorf("%s: wrote version %d", name, got)
		}
	}
	mustBe(t, s.Release(t.Context(), store.Held{Room: room.ID, Fence: a.Fence}), nil)
	mustBeFenced(t, write(a.Fence, false), store.Fence{Epoch: a.Epoch})
	mustBeFenced(t, write(store.Fence{Epoch: a.Epoch}, false), store.Fence{Epoch: a.Epoch})
	mustBe(t, write(store.Fence{}, false), nil)
}

func fenceOfAnEarlierClaim(t *testing.T, s store.Store) {
	mustBe(t, s.PutRoom(t.Context(), room), nil)
	first := mustClaim(t, s, claimOf("a"))
	second := claimOf("a")
	second.Nonce, second.Over = "of the second claim", first.Fence
	l := mustClaim(t, s, second)
	mustEqual(t, l.Seq, uint64(0))
	mustBeFenced(t, s.Commit(t.Context(), store.Batch{Room: room.ID, Fence: first.Fence, Visits: []*rooms.Visit{visit(1, 1)}}), l.Fence)
	mustBe(t, s.Commit(t.Context(), store.Batch{Room: room.ID, Fence: l.Fence, Visits: []*rooms.Visit{visit(1, 1)}}), nil)
}

func seqLost(t *testing.T, s store.Store) {
	mustBe(t, s.PutRoom(t.Context(), room), nil)
	a := mustClaim(t, s, claimOf("a"))
	write := func(seq, after, version uint64) error {
		return s.Commit(t.Context(), store.Batch{
			Room: room.ID, Fence: a.Fence, Seq: seq, After: after, Visits: []*rooms.Visit{visit(1, version)},
		})
	}
	mustBe(t, write(1, 0, 1), nil)
	mustBe(t, write(4, 1, 2), nil)
	mustBe(t, write(9, 5, 3), store.ErrBehind) // number 5 was acknowledged, and is gone
	mustEqual(t, must(s.Visit(t.Context(), visit(1, 0).ID))(t).Version, uint64(2))
	r := s.Renew(t.Context(), []store.Held{{Room: room.ID, Fence: a.Fence}}, time.Second)[0]
	mustEqual(t, r.Lease.Seq, uint64(4))
	n, err := store.Repair(t.Context(), s, a.Fence, 8, room, []*rooms.Visit{visit(1, 2), visit(2, 1)})
	mustBe(t, err, nil)
	mustEqual(t, n, 1)
	mustBe(t, write(9, 8, 3), nil)
	mustEqual(t, must(s.Holder(t.Context(), room.ID))(t).Seq, uint64(9))
}

func repairWrites(t *testing.T, s store.Store) {
	mustBe(t, s.PutRoom(t.Context(), room), nil)
	a := mustClaim(t, s, claimOf("a"))
	commit := func(visits ...*rooms.Visit) {
		t.Helper()
		mustBe(t, s.Commit(t.Context(), store.Batch{Room: room.ID, Fence: a.Fence, Visits: visits}), nil)
	}
	commit(visit(1, 1), visit(2, 5), visit(3, 1))
	erased := visit(3, 2)
	erased.ErasedAt = base
	memory := []*rooms.Visit{visit(1, 3), visit(2, 5), erased}
	for n := range 250 {
		memory = append(memory, visit(10+n, 1))
	}
	n, err := store.Repair(t.Context(), s, a.Fence, 3, room, memory)
	mustBe(t, err, nil)
	mustEqual(t, n, 252)
	n, err = store.Repair(t.Context(), s, a.Fence, 3, room, memory)
	mustBe(t, err, nil)
	mustEqual(t, n, 0)
	_, live, err := s.LoadRoom(t.Context(), room.ID)
	mustBe(t, err, nil)
	mustEqual(t, len(live), 252)
	mustEqual(t, live[0], memory[0])
	mustEqual(t, must(s.Visit(t.Context(), erased.ID))(t), erased)
	// A batch that repairs passes over what is there, version by version.
	mustBe(t, s.Commit(t.Context(), store.Batch{Room: room.ID, Fence: a.Fence, Repair: true, Visits: memory[:3]}), nil)
}

func repairConflict(t *testing.T, s store.Store) {
	mustBe(t, s.PutRoom(t.Context(), room), nil)
	mustCommit(t, s, visit(1, 5))
	b := store.Batch{Room: room.ID, Repair: true, Visits: []*rooms.Visit{visit(2, 1), visit(1, 4)}}
	mustBe(t, s.Commit(t.Context(), b), store.ErrConflict)
	_, err := s.Visit(t.Context(), visit(2, 0).ID)
	mustBe(t, err, store.ErrNotFound)
}

func repairFenced(t *testing.T, s store.Store) {
	mustBe(t, s.PutRoom(t.Context(), room), nil)
	a := mustClaim(t, s, claimOf("a"))
	_, err := store.Repair(t.Context(), s, store.Fence{Epoch: a.Epoch, Nonce: "x"}, 1, room, []*rooms.Visit{visit(1, 1)})
	mustBeFenced(t, err, a.Fence)
}

func versionsOfAll(t *testing.T, s store.Store) {
	mustEqual(t, len(must(s.Versions(t.Context(), room.ID))(t)), 0)
	erased := visit(2, store.MaxVersion)
	erased.ErasedAt = base
	mustCommit(t, s, visit(1, 7), erased)
	want := map[rooms.VisitID]uint64{visit(1, 0).ID: 7, erased.ID: store.MaxVersion}
	mustEqual(t, must(s.Versions(t.Context(), room.ID))(t), want)
	beyond := visit(1, store.MaxVersion+1)
	mustBe(t, s.Commit(t.Context(), store.Batch{Room: room.ID, Visits: []*rooms.Visit{beyond}}), store.ErrBadBatch)
}

func claimRoomsAreApart(t *testing.T, s store.Store) {
	other := rooms.WaitingRoom{ID: rooms.RoomID(id(3)), Clinic: clinic}
	mustBe(t, s.PutRoom(t.Context(), room), nil)
	mustBe(t, s.PutRoom(t.Context(), other), nil)
	a, c := mustClaim(t, s, claimOf("a")), claimOf("b")
	c.Room = other.ID
	mustClaim(t, s, c)
	v := visit(1, 1)
	v.Room = other.ID
	err := s.Commit(t.Context(), store.Batch{Room: other.ID, Fence: a.Fence, Visits: []*rooms.Visit{v}})
	mustBe(t, err, store.ErrFenced)
}

func closeLeases(t *testing.T, s store.Store) {
	mustBe(t, s.PutRoom(t.Context(), room), nil)
	a := mustClaim(t, s, claimOf("a"))
	held := store.Held{Room: room.ID, Fence: a.Fence}
	mustBe(t, s.Close(), nil)
	_, err := s.Claim(t.Context(), claimOf("a"))
	_, holder := s.Holder(t.Context(), room.ID)
	for _, err := range []error{
		err, holder, s.Release(t.Context(), held), s.Renew(t.Context(), []store.Held{held}, time.Second)[0].Err,
	} {
		mustBe(t, err, store.ErrUnavailable)
	}
}
