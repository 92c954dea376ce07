package storetest

import (
	"testing"
	"time"

	"github.com/anteroom/anteroom/rooms/store"
)

func instancesListed(t *testing.T, s store.Store) {
	ctx := t.Context()
	mustEqual(t, len(must(s.Instances(ctx))(t)), 0)
	for _, i := range []store.Instance{{ID: "b", About: []byte("old")}, {ID: "a"}, {ID: "b", About: []byte("\x00\xff\n")}} {
		mustBe(t, s.Announce(ctx, i, store.MaxTTL), nil)
	}
	mustBe(t, s.Announce(ctx, store.Instance{ID: "short"}, time.Millisecond), nil)
	for {
		list := must(s.Instances(ctx))(t)
		if len(list) > 2 { // the short one may be there still
			continue
		}
		if len(list) != 2 || list[0].ID != "a" || list[1].ID != "b" || string(list[1].About) != "\x00\xff\n" ||
			list[0].Left <= 0 || list[0].Left > store.MaxTTL {
			t.Fatalf("%+v", list)
		}
		break
	}
	mustBe(t, s.Withdraw(ctx, "a"), nil)
	mustBe(t, s.Withdraw(ctx, "a"), nil)
	mustEqual(t, len(must(s.Instances(ctx))(t)), 1)
}

func instancesBad(t *testing.T, s store.Store) {
	for _, i := range []store.Instance{{}, {ID: "a", About: make([]byte, store.MaxAbout+1)}} {
		mustBe(t, s.Announce(t.Context(), i, time.Second), store.ErrBadBatch)
	}
	mustBe(t, s.Announce(t.Context(), store.Instance{ID: "a"}, 0), store.ErrBadBatch)
}
