package cluster

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/signaling"
)

func TestHop_AnotherSecret_IsRefusedByBothEnds(t *testing.T) {
	w := newWorld(t)
	a, stranger := w.start(1), w.start(2)
	var answer presence
	if err := stranger.call(t.Context(), a.Address(), pathOwns, asked{Room: w.room}, &answer); !errors.Is(err, errUnreached) {
		t.Errorf("answered %+v, %v", answer, err)
	}
	if _, err := stranger.Dial(t.Context(), a.Address()); !errors.Is(err, errStranger) {
		t.Errorf("dialled: %v", err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+a.Address()+pathOwns, http.NoBody)
	must(t, err)
	transport := &http.Transport{DisableKeepAlives: true}
	if res, err := transport.RoundTrip(r); err == nil {
		if res.Body.Close(); res.StatusCode != http.StatusBadRequest {
			t.Errorf("in clear: %s", res.Status)
		}
	}
}

func TestHop_TheNextConnection_ResumesTheSession_NotWithAnotherProcess(t *testing.T) {
	w := newWorld(t)
	a, b := w.start(1), w.start(1)
	resumes := func() bool {
		t.Helper()
		if got := b.probe(t.Context(), w.room, a.id, a.Address()); got != dead { // it lives, and does not have the room
			t.Errorf("found %v", got)
		}
		conn, err := b.Dial(t.Context(), a.Address())
		must(t, err)
		defer conn.Close()
		return conn.(*tls.Conn).ConnectionState().DidResume
	}
	if !resumes() {
		t.Error("the second connection is a handshake of its own")
	}
	must(t, a.Close())
	stranger, err := New(t.Context(), Config{Store: w.store, Secret: [32]byte{2}, Listen: a.Address(), Load: a.Cluster.load})
	must(t, err)
	stranger.Serve(a.hub)
	defer func() { must(t, stranger.Close()) }()
	if _, err := b.Dial(t.Context(), a.Address()); !errors.Is(err, errStranger) {
		t.Errorf("dialled: %v", err)
	}
}

func TestHop_ASilentInstance_IsNotWaitedForLong(t *testing.T) {
	w := newWorld(t)
	a := w.start(1)
	began := time.Now()
	if got := a.probe(t.Context(), w.room, "x", standing(t)); got != silent {
		t.Errorf("found %v", got)
	}
	if took := time.Since(began); took > patience/2 {
		t.Errorf("after %v", took)
	}
}

func TestHop_AChangeReachesTheOwner(t *testing.T) {
	w := newWorld(t)
	a, b := w.start(1), w.start(1)
	w.own(a)
	b.RoomChanged(w.room)
	for _, i := range []*instance{a, b} {
		select {
		case got := <-i.hub.changed:
			if got != w.room {
				t.Errorf("told of %q", got)
			}
		case <-time.After(patience):
			t.Fatal("nothing is told")
		}
	}
}

func TestOrder_EveryActionOfTheSystem_ComesAsItWas(t *testing.T) {
	visit := &rooms.Visit{ID: "v", Room: "r", Version: 1, Phase: rooms.PhaseScheduled}
	room := rooms.NewRoom(rooms.WaitingRoom{ID: "r"}, []*rooms.Visit{visit})
	for _, do := range []rooms.Action{ // which are for people
		rooms.Open{},
		rooms.CheckIn{},
		rooms.Admit{},
		rooms.Join{},
		rooms.Resume{},
		rooms.Return{},
		rooms.HandOver{},
		rooms.Leave{},
		rooms.Move{},
		rooms.Transfer{},
		rooms.Say{},
	} {
		_, err := room.Apply(rooms.Command{Actor: rooms.Actor{System: true}, Visit: "v", Do: do}, time.Unix(1, 0))
		if _, known := actions[do.Name()]; known || !errors.Is(err, rooms.ErrForbidden) {
			t.Errorf("%s: known %v, and to the system it is %v", do.Name(), known, err)
		}
	}
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	seat := rooms.Seat{ID: "s", Role: rooms.Patient, Name: "Ana", BirthDate: "1950-02-03", LinkGen: 2}
	for _, do := range []rooms.Action{
		rooms.Create{Visit: rooms.Visit{ID: "v", Room: "r", Seats: []rooms.Seat{seat}, ScheduledAt: at, Length: time.Hour}},
		rooms.Invite{Seat: seat},
		rooms.Hold{Seat: "s"},
		rooms.Remove{Seat: "s"},
		rooms.Lock{On: true},
		rooms.End{Disposition: rooms.DispositionDone},
		rooms.NoShow{},
		rooms.Cancel{Reason: "rain"},
		rooms.Receive{Visit: rooms.Visit{ID: "v", Room: "r", Seats: []rooms.Seat{seat}, Forward: &rooms.Forward{Room: "s", Visit: "w", Reason: "x"}}},
		rooms.Depart{Visit: "w"},
		rooms.Reissue{Seat: "s"},
		rooms.Revoke{Seat: "s"},
		rooms.Erase{},
	} {
		sent := rooms.Command{Actor: rooms.Actor{System: true}, Client: "c", ID: 7, Visit: "v", Do: do}
		o, err := orderOf("r", sent)
		must(t, err)
		text, err := json.Marshal(o)
		must(t, err)
		var back order
		must(t, json.Unmarshal(text, &back))
		got, err := back.command()
		must(t, err)
		if !reflect.DeepEqual(got, sent) {
			t.Errorf("%s came as %+v", do.Name(), got)
		}
	}
	if _, err := (order{Action: rooms.ActAdmit}).command(); !errors.Is(err, rooms.ErrBadValue) {
		t.Errorf("an admission: %v", err)
	}
}

func TestFailure_ComesAsTheErrorItWas(t *testing.T) {
	by := &rooms.Error{Code: rooms.ErrAlreadyAdmitted.Code, By: "Dr. Lee"}
	for _, err := range []error{
		by, rooms.ErrNoVisit, store.ErrNotFound, store.ErrUnavailable, signaling.ErrRetry, signaling.ErrClosed,
	} {
		got := failureOf(fmt.Errorf("here: %w", err)).error()
		if !errors.Is(got, err) {
			t.Errorf("%v came as %v", err, got)
		}
		if rule := (*rooms.Error)(nil); errors.As(got, &rule) && rule.By != by.By && err == by { //nolint:errorlint // the same
			t.Errorf("by %q", rule.By)
		}
	}
	if at := elsewhere(failureOf(&signaling.Elsewhere{At: "x"}).error()); at != "" {
		t.Errorf("an address has travelled: %q", at)
	}
	if err := failureOf(context.Canceled).error(); !errors.Is(err, errOther) {
		t.Errorf("%v", err)
	}
}

func TestDo_AsksForTheOwnerAgain_UnlessItMayBeDoneTwice(t *testing.T) {
	w := newWorld(t)
	a := w.start(1)
	refuses, hangsUp := "127.0.0.1:1", hangingUp(t)
	for _, c := range []struct {
		name, at   string
		do         rooms.Action
		client     string
		tries      int
		answerable bool
	}{
		{"not heard", refuses, rooms.End{}, "", 2, true},
		{"perhaps done, and of no name", hangsUp, rooms.End{}, "", 1, false},
		{"perhaps done, and named", hangsUp, rooms.Invite{}, "client", 2, true},
		{"perhaps done, and of a visit's name", hangsUp, rooms.Create{}, "", 2, true},
	} {
		tries := 0
		a.hub.do = func() (rooms.Outcome, error) {
			if tries++; tries == 1 {
				return rooms.Outcome{}, &signaling.Elsewhere{At: c.at}
			}
			return rooms.Outcome{Seat: "s"}, nil
		}
		out, err := a.Do(t.Context(), w.room, rooms.Command{Do: c.do, Client: c.client})
		if tries != c.tries || (out.Seat == "s") != c.answerable || !c.answerable && !errors.Is(err, signaling.ErrRetry) {
			t.Errorf("%s: %d tries, %+v, %v", c.name, tries, out, err)
		}
	}
}
