package storetest

import (
	"cmp"
	"errors"
	"slices"
	"testing"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
)

var portableTests = map[string]func(*testing.T, store.Store){
	"Reservations_OfAClinic_WithoutTheirKeys": reservationsOfAClinic,
	"Keep_IsWhatReserveFinds":                 keepIsFound,
	"Directory_RefillsWhatIsLacking":          directoryRefills,
	"SwapVisit_OnlyWhatIsExactlyThat":         swapVisit,
	"SwapStaff_OnlyWhatIsExactlyThat":         swapStaff,
}

// reservationsOf collects a clinic's reservations in an order of their own.
func reservationsOf(t *testing.T, s store.Store, clinic rooms.ClinicID) []store.Kept {
	t.Helper()
	var all []store.Kept
	mustBe(t, s.Reservations(t.Context(), clinic, func(k store.Kept) error {
		all = append(all, k)
		return nil
	}), nil)
	slices.SortFunc(all, func(a, b store.Kept) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), a.At.Compare(b.At))
	})
	return all
}

func reservationsOfAClinic(t *testing.T, s store.Store) {
	first, external, foreign := reservation(1), reservation(2), reservation(3)
	external.Kind, foreign.Clinic = store.KindExternal, rooms.ClinicID(id(9))
	want := make([]store.Kept, 2)
	for i, r := range []store.Reservation{external, first, foreign} {
		_, _, err := s.Reserve(t.Context(), r)
		mustBe(t, err, nil)
		if i < len(want) {
			want[i] = store.Kept{Reservation: r, Hash: store.HashKey(r.Clinic, r.Key)}
			want[i].Key = ""
		}
	}
	mustEqual(t, reservationsOf(t, s, clinic), want)
	enough, calls := errors.New("enough"), 0
	mustBe(t, s.Reservations(t.Context(), clinic, func(store.Kept) error {
		calls++
		return enough
	}), enough)
	mustEqual(t, calls, 1)
}

func keepIsFound(t *testing.T, s store.Store) {
	for n, kind := range []string{store.KindKey, store.KindExternal} {
		r := reservation(1 + n)
		r.Kind = kind
		k := store.Kept{Reservation: r, Hash: store.HashKey(r.Clinic, r.Key)}
		k.Key = ""
		mustBe(t, s.Keep(t.Context(), k), nil)
		later := k
		later.Visit = "another"
		mustBe(t, s.Keep(t.Context(), later), nil)
		next := reservation(8)
		next.Kind = kind
		got, isNew, err := s.Reserve(t.Context(), next)
		mustBe(t, err, nil)
		mustEqual(t, isNew, false)
		mustEqual(t, got, r)
	}
	mustBe(t, s.Expire(t.Context(), base.AddDate(0, 0, 1)), nil)
	mustEqual(t, len(reservationsOf(t, s, clinic)), 1) // what was kept expires like what was reserved
	mustBe(t, s.Keep(t.Context(), store.Kept{}), store.ErrBadBatch)
}

func swapVisit(t *testing.T, s store.Store) {
	mustBe(t, s.PutRoom(t.Context(), room), nil)
	old, next := visit(1, 3), visit(1, 3)
	next.Reason = "the same in other words"
	mustBe(t, s.SwapVisit(t.Context(), old, next), store.ErrConflict) // not there
	mustCommit(t, s, old)
	mustClaim(t, s, claimOf("a")) // needs no fence
	mustBe(t, s.SwapVisit(t.Context(), next, old), store.ErrConflict)
	mustBe(t, s.SwapVisit(t.Context(), old, next), nil)
	mustEqual(t, must(s.Visit(t.Context(), old.ID))(t), next)
	mustBe(t, s.SwapVisit(t.Context(), old, next), store.ErrConflict)
	for _, bad := range []*rooms.Visit{visit(1, 4), visit(2, 3)} {
		mustBe(t, s.SwapVisit(t.Context(), next, bad), store.ErrBadBatch)
	}
}

func swapStaff(t *testing.T, s store.Store) {
	old := rooms.Staff{ID: "p", Clinic: clinic, Name: "before", CreatedAt: base}
	next := old
	next.Name = "after"
	mustBe(t, s.SwapStaff(t.Context(), old, next), store.ErrConflict)
	mustBe(t, s.PutStaff(t.Context(), old), nil)
	mustBe(t, s.SwapStaff(t.Context(), next, old), store.ErrConflict)
	mustBe(t, s.SwapStaff(t.Context(), old, next), nil)
	mustEqual(t, must(s.Staff(t.Context(), old.ID))(t), next)
	bad := next
	bad.ID = "q"
	mustBe(t, s.SwapStaff(t.Context(), next, bad), store.ErrBadBatch)
}

func directoryRefills(t *testing.T, s store.Store) {
	ctx := t.Context()
	p, k := rooms.Staff{ID: "p", Clinic: clinic, Name: "Dr"}, rooms.APIKey{ID: "k", Clinic: clinic, Hash: [32]byte{1}}
	put := func() {
		t.Helper()
		for _, err := range []error{
			s.PutClinic(ctx, rooms.Clinic{ID: clinic, Name: "new"}), s.PutRoom(ctx, room), s.PutStaff(ctx, p), s.PutKey(ctx, k),
		} {
			mustBe(t, err, nil)
		}
	}
	mustEqual(t, must(store.TakeDirectory(ctx, s))(t).Clinics(), 0)
	put()
	d := must(store.TakeDirectory(ctx, s))(t)
	mustEqual(t, d.Clinics(), 1)
	p.Name = "newer"
	put()
	mustEqual(t, must(d.Refill(ctx, s))(t), 0)
	mustEqual(t, must(s.Staff(ctx, p.ID))(t), p)
}
