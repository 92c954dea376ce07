package integration

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/anteroom/anteroom/signaling/wire"
	"github.com/anteroom/anteroom/test/client"
)

// A server that carries as many connections as it may turns new visits away and keeps those under way, whose people come back.
func TestFull_NewVisitsWait_ThoseUnderWayGoOn(t *testing.T) {
	t.Setenv("ANTEROOM_MAX_PEERS", "10") // for the server; a quarter more is for visits under way
	p := startProcess(t)
	c := newClinic(t, &p.server)
	b := newBeside(t, c)
	var waiting []*person
	for range 8 {
		waiting = append(waiting, withMedia(t, "waiting", arrive(t, c.visit(t, "Omar Haddad").Seats[0].Link)))
	}
	v := c.visit(t, "Ana Santos")
	late := arrive(t, v.Seats[0].Link)
	colleague := c.clinician(t, "Dr. Lee")
	b.unharmed(t, "full", func() {
		for who, err := range map[string]error{
			"an offer": offers(t, late), "staff's offer": offers(t, colleague), "admission": colleague.Admit(within(t), v.ID, v.Seats[0].ID),
		} {
			isFull(t, who, err)
		}
		if view := waitState(t, late, wire.SeatWaiting); !view.Connect || view.Queue == nil {
			t.Errorf("the place is not kept: %+v", view)
		}
	})

	refreshed := b.patient.Refreshed()
	t.Cleanup(refreshed.Close)
	b.patient.Close()
	must(t, refreshed.ConnectAs(within(t), client.Hello{Offer: true}))
	b.patient = withMedia(t, "patient again", refreshed)
	b.unharmed(t, "who came back", func() {})

	var leaving sync.WaitGroup
	for _, one := range waiting[:3] {
		leaving.Go(func() { _ = one.Leave(within(t)) })
	}
	leaving.Wait()
	again := time.NewTicker(200 * time.Millisecond) // sooner than a page would, for the test's sake
	defer again.Stop()
	for err := offers(t, late); err != nil; err = offers(t, late) {
		isFull(t, "until there is room", err)
		select {
		case <-again.C:
		case <-within(t).Done():
			t.Fatal("there is room and nobody gets in")
		}
	}
	if hits := p.hits(t, "peers"); hits < 3 {
		t.Errorf("%d were counted", hits)
	}
	if hits := p.hits(t, "peers_in_all"); hits != 0 {
		t.Errorf("%d found no room at all", hits)
	}
}

// offers asks for a media connection.
func offers(t *testing.T, page *client.Client) error {
	t.Helper()
	_, err := page.NewMedia(within(t))
	return err
}

func isFull(t *testing.T, what string, err error) {
	t.Helper()
	refused := (*client.Error)(nil)
	if !errors.As(err, &refused) || refused.Code != wire.CodeFull || refused.After < 10 || refused.After > 20 {
		t.Errorf("%s: %v", what, err)
	}
}
