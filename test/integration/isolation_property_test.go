package integration

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/anteroom/anteroom/signaling/wire"
)

// neighbour is a clinic that does anything that its key, its staff and its patients can, with its own ids, with those of the clinic
// beside it and with such as nobody has.
type neighbour struct {
	*tenant
	t      *testing.T
	beside *tenant
	routes []route
	kinds  []string
	visits []visit // of its own
	checks int
	done   map[string]int
}

// TestIsolation_WhateverOneClinicDoes_TheOtherSeesNothing has one clinic give random commands by REST and signaling. All that the other
// can see, by its key and on the sockets of its people, stays as it is.
func TestIsolation_WhateverOneClinicDoes_TheOtherSeesNothing(t *testing.T) {
	l := startLocal(t)
	quiet := newTenant(t, l, "Quiet")
	n := &neighbour{tenant: newTenant(t, l, "Busy"), t: t, beside: quiet, routes: routes(t, &l.server), done: map[string]int{}}
	for kind := range signals {
		n.kinds = append(n.kinds, string(kind))
	}
	slices.Sort(n.kinds)
	before := quiet.shown(t, n.routes)
	rapid.Check(t, func(rt *rapid.T) {
		n.begin()
		for range rapid.IntRange(1, 12).Draw(rt, "commands") {
			if rapid.Bool().Draw(rt, "by REST") {
				n.request(rt)
			} else {
				n.signal(rt)
			}
		}
		if told := quiet.told(t); len(told) > 0 {
			rt.Fatalf("told: %v", told)
		}
		if after := quiet.shown(t, n.routes); after != before {
			rt.Fatalf("shown:\n%s\nbefore:\n%s", after, before)
		}
	})
	t.Logf("%v", n.done)
}

// begin gives the neighbour fresh sockets, whose rates begin anew, and a visit of which everything can be done, unless those of before
// are good for more.
func (n *neighbour) begin() {
	n.t.Helper()
	if n.checks++; n.checks%5 != 1 && !n.doctor.over && !n.patient.over {
		return
	}
	v := n.visit(n.t, "Maria Santos", guest{"specialist", "Dr. Chen"})
	n.visits = append(n.visits, v)
	_, link := n.staffLink(n.t, "Dr. Lee", wire.RoleClinician)
	n.doctor = newLine(n.t, fmt.Sprint("doctor-", len(n.visits)), link, wire.DeviceDesktop)
	n.patient = newLine(n.t, fmt.Sprint("patient-", len(n.visits)), v.Seats[0].Link, wire.DevicePhone)
	n.ids["visit"], n.ids["seat"], n.ids["thread"] = v.ID, v.Seats[0].ID, v.Seats[0].ID
	n.ids["before"] = n.visits[max(0, len(n.visits)-2)].ID
	if got := n.patient.ask(n.t, wire.TypeCheckIn, wire.Empty{}); !isOK(got) {
		n.t.Fatalf("check_in: %s", got)
	}
}

// draw is ids of which each is the neighbour's own, the other clinic's or nobody's.
func (n *neighbour) draw(rt *rapid.T) ids {
	all := ids{}
	for name, own := range n.ids {
		switch rapid.IntRange(0, 5).Draw(rt, name) {
		case 0:
			all[name] = n.beside.ids[name]
		case 1:
			all[name] = none(n.beside.ids[name])
		default:
			all[name] = own
		}
	}
	return all
}

// request is any route by the neighbour's key. It keeps that key, since it is to go on.
func (n *neighbour) request(rt *rapid.T) {
	r := rapid.SampledFrom(n.routes).Draw(rt, "route")
	if !r.needsKey || r.id == "disable-key" {
		return
	}
	header := http.Header{}
	if rapid.Bool().Draw(rt, "repeatable") {
		header.Set("Idempotency-Key", rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "key")+r.id)
	}
	got := r.request(n.t, n.server, n.draw(rt), header)
	if got.status >= 500 {
		rt.Fatalf("%s: %+v", r.id, got)
	}
	n.done[fmt.Sprint("REST ", got.status)]++
}

// signal is any request of the neighbour's clinician or patient. A page that a command has ended says no more.
func (n *neighbour) signal(rt *rapid.T) {
	kind := wire.Type(rapid.SampledFrom(n.kinds).Draw(rt, "type"))
	by := rapid.SampledFrom([]string{"doctor", "doctor", "patient"}).Draw(rt, "by")
	l := map[string]*line{"doctor": n.doctor, "patient": n.patient}[by]
	if l.over {
		return
	}
	got := l.ask(n.t, kind, signals[kind](n.draw(rt)))
	switch {
	case isOK(got):
		n.done["signaling ok"]++
	case got[0] == '{':
		n.done["signaling refused"]++
	default:
		n.done["signaling ended"]++
	}
}
