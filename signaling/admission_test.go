package signaling

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/anteroom/anteroom/internal/auth"
	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/signaling/wire"
	"github.com/anteroom/anteroom/test/client"
)

// gate is a server's load as tests set it.
type gate struct{ full, noConnections atomic.Bool }

func (g *gate) admit(connection bool) (time.Duration, bool) {
	return 12 * time.Second, !g.full.Load() && (!connection || !g.noConnections.Load())
}

func newGate(w *world) *gate {
	g := &gate{}
	w.hub.admit = g.admit // before the first room is loaded
	return g
}

func offer(w *world) wire.Offer {
	w.t.Helper()
	peer, sdp, err := client.NewPeer(client.PhoneSlots)
	w.must(err)
	w.t.Cleanup(peer.Close)
	return wire.Offer{SDP: sdp}
}

// isFull asks that an answer is 'full, try again in 12 s'.
func isFull(t *testing.T, what string, err *wire.Error) {
	t.Helper()
	if err == nil || err.Code != wire.CodeFull || err.After != 12 || err.Retry {
		t.Errorf("%s: %+v", what, err)
	}
}

func (p *page) does(kind wire.Type, d any) {
	p.w.t.Helper()
	if err := p.ask(kind, d, nil); err != nil {
		p.w.t.Fatalf("%s: %+v", kind, err)
	}
}

func (w *world) waits() (auth.Identity, *page) {
	w.t.Helper()
	who := w.visit("Maria")
	p, _ := w.open(who)
	p.does(wire.TypeCheckIn, wire.Empty{})
	return who, p
}

func seatOf(who auth.Identity) wire.Target {
	return wire.Target{Visit: string(who.Visit), Seat: string(who.Seat)}
}

func TestAdmission_NewVisitsAreTurnedAway_ThoseUnderWayGoOn(t *testing.T) {
	w := newWorld(t, nil)
	g := newGate(w)
	maria, patient := w.waits()
	doctor, _ := w.open(w.staff())
	doctor.does(wire.TypeOffer, offer(w))
	doctor.does(wire.TypeAdmit, seatOf(maria))

	g.full.Store(true)
	patient.does(wire.TypeOffer, offer(w)) // in a visit under way, and had none yet
	patient.does(wire.TypeOffer, offer(w)) // replaces it
	doctor.does(wire.TypeHold, seatOf(maria))
	doctor.does(wire.TypeResume, seatOf(maria))

	john, late := w.waits() // waiting goes on for everybody
	isFull(t, "an offer of who waits", late.ask(wire.TypeOffer, offer(w), nil))
	doctor.does(wire.TypeHold, wire.Target{Visit: string(maria.Visit)})
	isFull(t, "to admit", doctor.ask(wire.TypeAdmit, seatOf(john), nil))
	if v, err := w.hub.Visit(w.ctx(), w.room.ID, john.Visit); err != nil || v.Patient().State != rooms.SeatWaiting {
		t.Errorf("%+v, %v", v, err)
	}

	g.full.Store(false)
	late.does(wire.TypeOffer, offer(w))
	doctor.does(wire.TypeAdmit, seatOf(john))
}

func TestAdmission_AnOfferThatHelloBringsIsNoWayIn(t *testing.T) {
	w := newWorld(t, nil)
	g := newGate(w)
	maria, p := w.waits()
	g.full.Store(true)
	hello := p.hello()
	hello.SDP, hello.Takeover = offer(w).SDP, true
	again, welcome := w.dial(maria), wire.Welcome{}
	hello.Handle = again.handle
	if err := again.ask(wire.TypeHello, hello, &welcome); err != nil || welcome.Answer != "" || !welcome.View.Connect {
		t.Errorf("%+v, %+v", err, welcome)
	}
	isFull(t, "the offer that follows", again.ask(wire.TypeOffer, offer(w), nil))
}

func TestAdmission_WhoIsConnectedCanBeAdmittedWhenOnlyConnectionsAreFull(t *testing.T) {
	w := newWorld(t, nil)
	g := newGate(w)
	maria, patient := w.waits()
	patient.does(wire.TypeOffer, offer(w))
	john, _ := w.waits()
	doctor, _ := w.open(w.staff())
	doctor.does(wire.TypeOffer, offer(w))

	g.noConnections.Store(true)
	isFull(t, "to admit who has no connection", doctor.ask(wire.TypeAdmit, seatOf(john), nil))
	doctor.does(wire.TypeAdmit, seatOf(maria))
}

func TestAdmission_RefusesNobodyWhoMayNotAdmit_ByItsOwnCode(t *testing.T) {
	w := newWorld(t, nil)
	g := newGate(w)
	maria, patient := w.waits()
	g.full.Store(true)
	if err := patient.ask(wire.TypeAdmit, seatOf(maria), nil); code(err) != wire.CodeForbidden {
		t.Errorf("%+v", err)
	}
}
