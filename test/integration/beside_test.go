package integration

import (
	"context"
	"sync"
	"testing"

	"github.com/anteroom/anteroom/signaling/wire"
	"github.com/anteroom/anteroom/test/client"
)

// beside is a visit under way whose clinician and patient send all the time while something else is done to the server.
type beside struct{ doctor, patient *person }

func newBeside(t *testing.T, c *clinic) *beside {
	t.Helper()
	v := c.visit(t, "Maria Santos")
	b := &beside{
		doctor:  withMedia(t, "doctor", c.clinician(t, "Dr. Ada Byron")),
		patient: withMedia(t, "patient", arrive(t, v.Seats[0].Link)),
	}
	must(t, b.doctor.Admit(within(t), v.ID, v.Seats[0].ID))
	talkAll(t, "at first", b.doctor, b.patient)
	return b
}

// unharmed does something while both send, and asks that every packet has come to the other: what follows on the same path
// has come by then, so that none can be on its way. Each kind has its own numbers, so that a lost packet of sound is seen
// for itself; sound is never sent twice.
func (b *beside) unharmed(t *testing.T, name string, something func()) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var streaming sync.WaitGroup
	for _, from := range []*person{b.doctor, b.patient} {
		mark := from.says(name)
		streaming.Go(func() { _ = from.peer.Stream(ctx, func() client.Mark { return mark }) })
	}
	hears := func(p, from *person) {
		if err := p.peer.WaitMark(within(t), from.says(name), enough); err != nil {
			t.Errorf("%s does not hear and see %s: %v", p.name, from.name, err)
		}
	}
	hears(b.doctor, b.patient)
	hears(b.patient, b.doctor)
	something()
	stop()
	streaming.Wait()
	b.whole(t, name, b.doctor, b.patient)
	b.whole(t, name, b.patient, b.doctor)
	for _, p := range []*person{b.doctor, b.patient} {
		if view := p.View(); !p.Connected() || view.Me.State != wire.SeatAdmitted || !view.Send {
			t.Errorf("%s: connected %t, %s, may send %t", p.name, p.Connected(), view.Me.State, view.Send)
		}
	}
}

// whole asks that what one sent has come to the other without a gap.
func (b *beside) whole(t *testing.T, name string, from, to *person) {
	t.Helper()
	talk(t, from, name+", over", to)
	for _, kind := range []client.Kind{client.Audio, client.Video} {
		during, after := flowOf(to, kind, from.says(name)), flowOf(to, kind, from.says(name+", over"))
		if during.Missing() != 0 || after.Missing() != 0 || after.First != during.Last+1 {
			t.Errorf("%s of %s: %d packets from number %d to %d, then from %d", kind, from.name, during.Packets, during.First, during.Last, after.First)
		}
	}
}

func flowOf(p *person, kind client.Kind, mark client.Mark) (sum client.Flow) {
	for key, flow := range p.peer.Tally() {
		if key.Kind == kind && key.Mark == mark {
			sum = flow // one slot carries one person
		}
	}
	return sum
}
