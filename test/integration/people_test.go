package integration

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"

	"github.com/anteroom/anteroom/signaling/wire"
	"github.com/anteroom/anteroom/test/client"
)

// enough is how many packets of each kind show that media flows, or that it would.
const enough = 8

// person has a page and a media connection, and sends what a test says, whatever the view says.
type person struct {
	*client.Client
	name string
	peer *client.Peer
}

// withMedia waits for a page's media connection, which is made when the view asks for it.
func withMedia(t *testing.T, name string, page *client.Client) *person {
	t.Helper()
	p := &person{Client: page, name: name}
	connect(t, p)
	return p
}

// connect gives people the media connections that their pages have or make now.
func connect(t *testing.T, people ...*person) {
	t.Helper()
	ctx := within(t)
	errs := make([]error, len(people))
	var all sync.WaitGroup
	for i, p := range people {
		all.Go(func() { p.peer, errs[i] = p.Media(ctx) })
	}
	all.Wait()
	must(t, errors.Join(errs...))
}

// says is the mark of what a person sends at some point of a test.
func (p *person) says(when string) client.Mark { return client.Mark(p.name + " " + when) }

// talk streams from a person until everybody of to has heard and seen enough of it. All that was on its way to them
// before has come by then, for packets keep their order on a path.
func talk(t *testing.T, from *person, when string, to ...*person) {
	t.Helper()
	ctx, stop := context.WithCancel(within(t))
	mark := from.says(when)
	var streaming sync.WaitGroup
	streaming.Go(func() { _ = from.peer.Stream(ctx, func() client.Mark { return mark }) })
	defer streaming.Wait()
	defer stop()
	for _, p := range to {
		if err := p.peer.WaitMark(ctx, mark, enough); err != nil {
			t.Fatalf("%s does not hear and see %q: %v", p.name, mark, err)
		}
	}
}

// talkAll has everybody heard and seen by all the others.
func talkAll(t *testing.T, when string, people ...*person) {
	t.Helper()
	for i, from := range people {
		others := append(append([]*person{}, people[:i]...), people[i+1:]...)
		talk(t, from, when, others...)
	}
}

// shout sends from a person and waits until the server has counted as many packets: then it has read and dropped them.
func shout(t *testing.T, from *person, when string, counted func() uint64) {
	t.Helper()
	ctx, before := within(t), counted()
	must(t, from.peer.Send(from.says(when), enough)) // of each kind
	for counted()-before < 2*enough {
		if ctx.Err() != nil {
			t.Fatalf("of %d packets %q the server counted %d", 2*enough, from.says(when), counted()-before)
		}
		runtime.Gosched()
	}
}

// neverHeard asks that nothing with a mark has come to anybody.
func neverHeard(t *testing.T, mark client.Mark, people ...*person) {
	t.Helper()
	for _, p := range people {
		tally := p.peer.Tally()
		if audio, video := tally.Of(client.Audio, mark), tally.Of(client.Video, mark); audio+video > 0 {
			t.Errorf("%s got %d packets of audio and %d of video of %q", p.name, audio, video, mark)
		}
	}
}

// deaf asks that no packet of media at all has come to a person's sockets.
func deaf(t *testing.T, people ...*person) {
	t.Helper()
	for _, p := range people {
		if n := p.peer.Datagrams(); n.RTPIn != 0 {
			t.Errorf("%d packets have come to %s", n.RTPIn, p.name)
		}
	}
}

// company is a visit under way, and one of other people in the same waiting room.
type company struct {
	*clinic
	visit                                     visit
	doctor, patient, specialist               *person
	otherVisit                                visit
	otherDoctor, otherPatient, newcomer       *person
	everybody                                 []*person
	patientSeat, specialistSeat, newcomerSeat string
}

// newCompany admits patient and specialist to one visit; a newcomer waits to be. Another clinician talks with
// another patient.
func newCompany(t *testing.T, s *server) *company {
	t.Helper()
	c := &company{clinic: newClinic(t, s)}
	c.visit = c.clinic.visit(t, "Maria Santos", guest{"specialist", "Dr. Chen"}, guest{"caregiver", "Ana Santos"})
	c.otherVisit = c.clinic.visit(t, "Omar Haddad")
	c.patientSeat, c.specialistSeat, c.newcomerSeat = c.visit.Seats[0].ID, c.visit.Seats[1].ID, c.visit.Seats[2].ID

	c.doctor = &person{Client: c.clinician(t, "Dr. Ada Byron"), name: "doctor"}
	c.otherDoctor = &person{Client: c.clinician(t, "Dr. Lee"), name: "other doctor"}
	c.patient = &person{Client: arrive(t, c.visit.Seats[0].Link), name: "patient"}
	c.specialist = &person{Client: arrive(t, c.visit.Seats[1].Link), name: "specialist"}
	c.newcomer = &person{Client: arrive(t, c.visit.Seats[2].Link), name: "newcomer"}
	c.otherPatient = &person{Client: arrive(t, c.otherVisit.Seats[0].Link), name: "other patient"}
	c.everybody = []*person{c.doctor, c.patient, c.specialist, c.newcomer, c.otherDoctor, c.otherPatient}
	connect(t, c.everybody...)

	must(t, c.doctor.Admit(within(t), c.visit.ID, c.patientSeat))
	must(t, c.doctor.Admit(within(t), c.visit.ID, c.specialistSeat))
	must(t, c.otherDoctor.Admit(within(t), c.otherVisit.ID, c.otherVisit.Seats[0].ID))
	return c
}

// mayNotSend waits for the view that says so: by then media is parted.
func (p *person) mayNotSend(t *testing.T) {
	t.Helper()
	if _, err := p.WaitView(within(t), func(v wire.View) bool { return !v.Send }); err != nil {
		t.Fatalf("%s may still send: %v", p.name, err)
	}
}

// maySend waits for the view that says so.
func (p *person) maySend(t *testing.T) wire.View {
	t.Helper()
	view, err := p.WaitView(within(t), func(v wire.View) bool { return v.Send })
	if err != nil {
		t.Fatalf("%s may not send: %v", p.name, err)
	}
	return view
}
