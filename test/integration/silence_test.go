package integration

import (
	"bufio"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/anteroom/anteroom/signaling/wire"
	"github.com/anteroom/anteroom/test/client"
)

// metric reads one of the operator's metrics as they are scraped; 0 if it is not there.
func (p *process) metric(t *testing.T, name string) uint64 {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	r := get(http.NewRequestWithContext(within(t), http.MethodGet, p.admin+"/metrics", http.NoBody))(t)
	resp := get(transport.RoundTrip(r))(t)
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if value, is := strings.CutPrefix(lines.Text(), name+" "); is {
			return uint64(get(strconv.ParseFloat(value, 64))(t))
		}
	}
	must(t, lines.Err())
	return 0
}

// forbidden are packets that were dropped because their sender may not be heard or seen.
func (p *process) forbidden(t *testing.T) func() uint64 {
	return func() uint64 { return p.metric(t, `anteroom_media_packets_total{what="forbidden"}`) }
}

// strangers are packets from addresses that belong to no peer, or to none any more.
func (p *process) strangers(t *testing.T) func() uint64 {
	return func() uint64 { return p.metric(t, `anteroom_media_discarded_total{what="unknown"}`) }
}

func TestWaiting_NothingReachesWhoWaitsNorComesFromThem(t *testing.T) {
	p := startProcess(t)
	c := newClinic(t, &p.server)
	v := c.visit(t, "Maria Santos", guest{"specialist", "Dr. Chen"})
	doctor := withMedia(t, "doctor", c.clinician(t, "Dr. Ada Byron"))
	patient := withMedia(t, "patient", arrive(t, v.Seats[0].Link))
	specialist := withMedia(t, "specialist", arrive(t, v.Seats[1].Link))

	for _, one := range []*person{doctor, patient, specialist} { // nobody is in a visit
		shout(t, one, "alone", p.forbidden(t))
	}
	must(t, doctor.Admit(within(t), v.ID, v.Seats[0].ID))
	talkAll(t, "in the visit", doctor, patient)
	shout(t, specialist, "waiting", p.forbidden(t))
	talkAll(t, "later", doctor, patient)
	deaf(t, specialist)

	must(t, doctor.Admit(within(t), v.ID, v.Seats[1].ID))
	talkAll(t, "together", doctor, patient, specialist)
	for _, early := range []client.Mark{doctor.says("alone"), patient.says("alone"), specialist.says("alone"), specialist.says("waiting")} {
		neverHeard(t, early, doctor, patient, specialist)
	}
	neverHeard(t, doctor.says("in the visit"), specialist)
	neverHeard(t, patient.says("later"), specialist)
}

func TestOtherVisit_NothingPassesBetweenVisits(t *testing.T) {
	p := startProcess(t)
	c := newCompany(t, &p.server)
	talkAll(t, "here", c.doctor, c.patient, c.specialist)
	talkAll(t, "there", c.otherDoctor, c.otherPatient)
	talkAll(t, "here again", c.doctor, c.patient, c.specialist)
	for _, one := range []*person{c.doctor, c.patient, c.specialist} {
		neverHeard(t, one.says("here"), c.otherDoctor, c.otherPatient)
	}
	for _, one := range []*person{c.otherDoctor, c.otherPatient} {
		neverHeard(t, one.says("there"), c.doctor, c.patient, c.specialist)
	}
	deaf(t, c.newcomer)
}

func TestHold_NothingReachesWhoIsHeldNorComesFromThem(t *testing.T) {
	p := startProcess(t)
	c := newCompany(t, &p.server)
	talkAll(t, "before", c.doctor, c.patient, c.specialist)

	must(t, c.doctor.Hold(within(t), c.visit.ID, c.patientSeat))
	shout(t, c.patient, "held", p.forbidden(t))
	talkAll(t, "aside", c.doctor, c.specialist)

	must(t, c.doctor.Resume(within(t), c.visit.ID, c.patientSeat))
	talkAll(t, "after", c.doctor, c.patient, c.specialist)
	neverHeard(t, c.patient.says("held"), c.everybody...)
	neverHeard(t, c.doctor.says("aside"), c.patient)
	neverHeard(t, c.specialist.says("aside"), c.patient)
	deaf(t, c.newcomer)
}

func TestReturn_NothingReachesWhoWaitsAgainNorComesFromThem(t *testing.T) {
	p := startProcess(t)
	c := newCompany(t, &p.server)
	talkAll(t, "before", c.doctor, c.patient, c.specialist)

	must(t, c.doctor.Return(within(t), c.visit.ID, c.patientSeat))
	shout(t, c.patient, "returned", p.forbidden(t))
	talkAll(t, "aside", c.doctor, c.specialist)

	must(t, c.doctor.Admit(within(t), c.visit.ID, c.patientSeat))
	talkAll(t, "after", c.doctor, c.patient, c.specialist)
	neverHeard(t, c.patient.says("returned"), c.everybody...)
	neverHeard(t, c.doctor.says("aside"), c.patient)
	neverHeard(t, c.specialist.says("aside"), c.patient)
}

// Who is gone has no connection any more. Pages that go on sending all the same are strangers to the server.
func TestGone_NothingReachesWhoIsGoneNorComesFromThem(t *testing.T) {
	for name, test := range map[string]struct {
		part func(t *testing.T, c *company) error
		code wire.CloseCode // 0: the socket stays
	}{
		"removed": {func(t *testing.T, c *company) error {
			return c.doctor.Remove(within(t), c.visit.ID, c.patientSeat)
		}, wire.CloseRemoved},
		"left": {func(t *testing.T, c *company) error { return c.patient.Leave(within(t)) }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := startProcess(t)
			c := newCompany(t, &p.server)
			talkAll(t, "before", c.doctor, c.patient, c.specialist)
			must(t, test.part(t, c))
			shout(t, c.patient, "gone", p.strangers(t))
			talkAll(t, "aside", c.doctor, c.specialist)
			if test.code != 0 {
				if code := get(c.patient.WaitClosed(within(t)))(t); code != test.code {
					t.Errorf("closed with %d", code)
				}
			}
			neverHeard(t, c.patient.says("gone"), c.everybody...)
			neverHeard(t, c.doctor.says("aside"), c.patient)
			neverHeard(t, c.specialist.says("aside"), c.patient)
		})
	}
}

func TestEnd_NothingPassesAnyMore(t *testing.T) {
	p := startProcess(t)
	c := newCompany(t, &p.server)
	talkAll(t, "before", c.doctor, c.patient, c.specialist)

	must(t, c.doctor.End(within(t), c.visit.ID, wire.DispositionDone))
	shout(t, c.doctor, "afterwards", p.forbidden(t))
	for _, one := range []*person{c.patient, c.specialist, c.newcomer} {
		shout(t, one, "afterwards", p.strangers(t))
		if code := get(one.WaitClosed(within(t)))(t); code != wire.CloseOver {
			t.Errorf("%s was closed with %d", one.name, code)
		}
	}
	talkAll(t, "there", c.otherDoctor, c.otherPatient)
	for _, one := range []*person{c.doctor, c.patient, c.specialist, c.newcomer} {
		neverHeard(t, one.says("afterwards"), c.everybody...)
	}
	deaf(t, c.newcomer)
}
