package signaling

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/anteroom/anteroom/internal/auth"
	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/signaling/wire"
	"github.com/anteroom/anteroom/test/client"
)

// inRoom has a look at what the room's actor has.
func (w *world) inRoom(look func(a *actor)) {
	w.t.Helper()
	w.eventually("the room answers", func(a *actor) bool {
		look(a)
		return true
	})
}

// eventually looks until it is as wanted.
func (w *world) eventually(what string, wanted func(a *actor) bool) {
	w.t.Helper()
	ctx := w.ctx()
	a, err := w.hub.actorOf(ctx, w.room.ID)
	w.must(err)
	for ok := false; !ok; {
		looked := make(chan bool, 1)
		a.post(happens(func(a *actor) { looked <- wanted(a) }))
		select {
		case ok = <-looked:
		case <-ctx.Done():
			w.t.Fatalf("never: %s", what)
		}
		if ctx.Err() != nil && !ok {
			w.t.Fatalf("never: %s", what)
		}
	}
}

// A page can be gone while its media goes on. Nothing of it may stay behind when the visit is over, or the seat given up.
func TestSession_GoneBeforeItsMedia_IsForgottenWithIt(t *testing.T) {
	offerer, offer, err := client.NewPeer(client.PhoneSlots)
	if err != nil {
		t.Fatal(err)
	}
	offerer.Close()
	for name, end := range map[string]func(w *world, maria auth.Identity){
		"over": func(w *world, maria auth.Identity) {
			_, err := w.do(maria.Visit, rooms.Cancel{})
			w.must(err)
		},
		"removed": func(w *world, maria auth.Identity) {
			doctor, _ := w.open(w.staff())
			if err := doctor.ask(wire.TypeRemove, wire.Target{Visit: string(maria.Visit), Seat: string(maria.Seat)}, nil); err != nil {
				w.t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			maria := w.visit("Maria")
			p, _ := w.open(maria)
			if err := p.ask(wire.TypeCheckIn, wire.Empty{}, nil); err != nil {
				t.Fatal(err)
			}
			if err := p.ask(wire.TypeOffer, wire.Offer{SDP: offer}, nil); err != nil {
				t.Fatal(err)
			}
			_ = p.ws.Close()
			w.eventually("the page is gone", func(a *actor) bool { return a.atSeat[maria.Seat].conn == nil })
			w.inRoom(func(a *actor) {
				if a.atSeat[maria.Seat].peer == nil {
					t.Error("its media does not go on")
				}
			})
			end(w, maria)
			w.eventually("nothing is left of it", func(a *actor) bool { return a.atSeat[maria.Seat] == nil })
		})
	}
}

func TestSession_OfStaff_ForgetsChatThatIsErased(t *testing.T) {
	w := newWorld(t, nil)
	maria := w.visit("Maria")
	p, _ := w.open(maria)
	doctor, _ := w.open(w.staff())
	if err := p.ask(wire.TypeChat, wire.Chat{Text: "hello"}, nil); err != nil {
		t.Fatal(err)
	}
	w.eventually("the doctor is sent it", func(a *actor) bool { return a.atDesk[w.doctor.ID].said[maria.Visit] == 1 })
	for _, do := range []rooms.Action{rooms.Cancel{}, rooms.Erase{}} {
		_, err := w.do(maria.Visit, do)
		w.must(err)
	}
	w.inRoom(func(a *actor) {
		if n := len(a.atDesk[w.doctor.ID].said); n != 0 {
			t.Errorf("%d visits are remembered", n)
		}
	})
	if err := doctor.ask(wire.TypePing, wire.Empty{}, nil); err != nil {
		t.Error(err)
	}
}

// counts reads the gauges of visits.
func (w *world) counts() map[string]int {
	w.t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(w.hub.metrics)
	all, err := registry.Gather()
	w.must(err)
	counts := map[string]int{}
	for _, family := range all {
		if family.GetName() != "anteroom_visits" {
			continue
		}
		for _, m := range family.GetMetric() {
			if n := int(m.GetGauge().GetValue()); n != 0 {
				counts[m.GetLabel()[0].GetValue()] = n
			}
		}
	}
	return counts
}

func TestCensus_IsOfTheVisitsThatAreThere(t *testing.T) {
	w := newWorld(t, nil)
	maria, john := w.visit("Maria"), w.visit("John")
	is := func(when string, want map[string]int) {
		t.Helper()
		got := w.counts()
		if len(got) != len(want) {
			t.Errorf("%s: %v, not %v", when, got, want)
		}
		for phase, n := range want {
			if got[phase] != n {
				t.Errorf("%s: %v, not %v", when, got, want)
			}
		}
	}
	is("made", map[string]int{"scheduled": 2})
	p, _ := w.open(maria)
	if err := p.ask(wire.TypeCheckIn, wire.Empty{}, nil); err != nil {
		t.Fatal(err)
	}
	is("checked in", map[string]int{"scheduled": 1, "waiting": 1})
	for _, do := range []rooms.Action{rooms.Cancel{}, rooms.Erase{}} {
		_, err := w.do(john.Visit, do)
		w.must(err)
	}
	is("erased", map[string]int{"waiting": 1})
	if err := w.hub.Close(); err != nil {
		t.Fatal(err)
	}
	is("closed", nil)
}
