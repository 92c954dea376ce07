package redis

import (
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/rooms/store/redistest"
)

func benchmarked(b *testing.B) *DB {
	b.Helper()
	db, err := Open(b.Context(), Options{Addresses: []string{redistest.Start(b).Addr()}, Timeout: 10 * time.Second, LeaseTimeout: 10 * time.Second})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	return db
}

// What an owner of so many rooms does once a second.
func BenchmarkRenew(b *testing.B) {
	for _, n := range []int{1, 100, 500} {
		b.Run(fmt.Sprintf("rooms=%d", n), func(b *testing.B) {
			db := benchmarked(b)
			var held []store.Held
			for i := range n {
				w := rooms.WaitingRoom{ID: rooms.RoomID(fmt.Sprint("room", i)), Clinic: "c"}
				if err := db.PutRoom(b.Context(), w); err != nil {
					b.Fatal(err)
				}
				l, err := db.Claim(b.Context(), store.Claim{Room: w.ID, Owner: "o", Nonce: "n", TTL: time.Minute})
				if err != nil {
					b.Fatal(err)
				}
				held = append(held, store.Held{Room: w.ID, Fence: l.Fence})
			}
			for b.Loop() {
				for _, r := range db.Renew(b.Context(), held, time.Minute) {
					if r.Err != nil {
						b.Fatal(r.Err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/room")
		})
	}
}

// A visit of about the size of one under way.
func BenchmarkCommit(b *testing.B) {
	for _, writers := range []int{1, 16} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			db := benchmarked(b)
			b.SetParallelism(writers)
			b.RunParallel(func(p *testing.PB) {
				room := rooms.RoomID(rooms.NewID(time.Now(), rand.Reader))
				for version := uint64(1); p.Next(); version++ {
					v := &rooms.Visit{ID: rooms.VisitID("v" + room), Room: room, Version: version, Reason: fmt.Sprintf("%1500d", version)}
					if err := db.Commit(b.Context(), store.Batch{Room: room, Visits: []*rooms.Visit{v}}); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}
