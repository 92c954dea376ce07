package integration

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/signaling/wire"
	"github.com/anteroom/anteroom/test/client"
)

// rest is between two trips, three times as long at most.
const rest = 2 * time.Second

// journey is a patient who is brought from one waiting room to another and back all the time, by the staff of either.
type journey struct {
	places  [2]*clinic
	desks   [2]*client.Client
	visit   visit  // as it was made
	now     string // the visit's id where it is now
	at      int    // the place
	patient *client.Client
	trips   int
	been    map[string]bool // visits that have left
	random  *rand.Rand
}

func newJourney(t *testing.T, c *chaos, n int) *journey {
	t.Helper()
	j := &journey{random: c.randomOf(20_000 + n), been: map[string]bool{}}
	for i := range j.places {
		j.places[i] = newClinic(t, &c.server)
		j.desks[i] = j.places[i].clinician(t, fmt.Sprint("Dr. Number ", i))
	}
	j.visit = j.places[0].visit(t, "Maria Santos")
	j.now = j.visit.ID
	j.patient = arrive(t, j.visit.Seats[0].Link)
	return j
}

// keep has all pages come back until ctx ends.
func (j *journey) keep(ctx context.Context, t *testing.T, pages *sync.WaitGroup) {
	for _, page := range []*client.Client{j.patient, j.desks[0], j.desks[1]} {
		pages.Go(func() { keep(ctx, t, page) })
	}
}

// work brings the patient to and fro until ctx ends, or as often as may be.
func (j *journey) work(ctx context.Context, t *testing.T) {
	pause := time.NewTimer(0)
	defer pause.Stop()
	for j.trips < rooms.MaxTransfers {
		select {
		case <-pause.C:
			pause.Reset(rest + time.Duration(j.random.Int64N(int64(2*rest))))
		case <-ctx.Done():
			return
		}
		if err := j.trip(ctx); err != nil {
			t.Errorf("trip %d: %v", j.trips, err)
			return
		}
	}
}

// trip is one transfer: what is acknowledged is done, however long that takes.
func (j *journey) trip(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), chaosPatience)
	defer cancel()
	if err := j.desks[j.at].Transfer(ctx, j.now, j.places[1-j.at].room, "a rash"); err != nil {
		return err
	}
	j.at = 1 - j.at
	j.trips++
	j.been[j.now] = true
	row, err := j.arrives(ctx)
	if err != nil {
		return fmt.Errorf("does not arrive: %w", err)
	}
	j.now = row.Visit
	return nil
}

// arrives waits until the patient is in the list of the room where they should be, and not as they were there before: a list may be old.
func (j *journey) arrives(ctx context.Context) (row wire.Row, err error) {
	_, err = j.desks[j.at].WaitList(ctx, func(rows []wire.Row) bool {
		n := slices.IndexFunc(rows, func(r wire.Row) bool {
			return j.isTheirs(r) && r.State == wire.SeatWaiting && !r.Moving && !j.been[r.Visit]
		})
		if n >= 0 {
			row = rows[n]
		}
		return n >= 0
	})
	return row, err
}

func (j *journey) isTheirs(r wire.Row) bool { return r.Seat == j.visit.Seats[0].ID }

// end holds that the patient is in one room, where the last trip went, by page and list.
func (j *journey) end(t *testing.T) (lost int) {
	t.Helper()
	var wrong []error
	row, err := j.arrives(within(t))
	wrong = append(wrong, err)
	_, err = j.desks[1-j.at].WaitList(within(t), func(rows []wire.Row) bool { return !slices.ContainsFunc(rows, j.isTheirs) })
	wrong = append(wrong, err)
	_, err = j.patient.WaitView(within(t), j.here)
	wrong = append(wrong, err)
	if now := j.places[0].read(t, j.visit.ID); now.ID != row.Visit {
		wrong = append(wrong, fmt.Errorf("by its first id the visit is %s, in the list %s", now.ID, row.Visit))
	}
	for i, room := range j.places {
		list := call[struct{ Items []visit }](t, room.server, http.MethodGet, "/v1/visits?room="+room.room, nil)
		n := 0
		for _, v := range list.Items {
			if slices.ContainsFunc(v.Seats, func(s seat) bool { return s.ID == j.visit.Seats[0].ID }) {
				n++
			}
		}
		if (i == j.at) != (n == 1) || n > 1 {
			wrong = append(wrong, fmt.Errorf("%d visits in room %d, and they are in %d", n, i, j.at))
		}
	}
	if err := errors.Join(wrong...); err != nil {
		t.Errorf("after %d trips: %v", j.trips, err)
		return 1
	}
	return 0
}

// here tells whether a page is at the seat.
func (j *journey) here(v wire.View) bool {
	return v.Room.ID == j.places[j.at].room && v.Me.Seat == j.visit.Seats[0].ID && v.Me.State == wire.SeatWaiting
}

// linkLost opens the link anew, when all other pages have left.
func (j *journey) linkLost(t *testing.T) (lost int) {
	t.Helper()
	page, err := client.Join(within(t), j.visit.Seats[0].Link, client.Options{})
	if err == nil {
		defer page.Close()
		err = page.ConnectAs(within(t), client.Hello{Takeover: true})
	}
	if err == nil && j.here(page.View()) {
		return 0
	}
	t.Errorf("after %d trips the link leads to %+v: %v", j.trips, page, err)
	return 1
}
