package integration

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/anteroom/anteroom/signaling/wire"
	"github.com/anteroom/anteroom/test/client"
)

func TestAdmit_FiftyClinicians_OneWins(t *testing.T) {
	const many = 50
	p := startProcess(t)
	c := newClinic(t, &p.server)
	v := c.visit(t, "Maria Santos")
	arrive(t, v.Seats[0].Link)
	names, links, pages := make([]string, many), make([]string, many), make([]*client.Client, many)
	for i := range many {
		names[i] = fmt.Sprintf("Dr. Number %d", i)
		_, links[i] = c.staffLink(t, names[i], wire.RoleClinician)
	}
	for i, link := range links {
		pages[i] = open(t, link, wire.DeviceDesktop)
	}

	errs := make([]error, many)
	ctx, start := within(t), make(chan struct{})
	var all sync.WaitGroup
	for i, page := range pages {
		all.Go(func() {
			<-start
			errs[i] = page.Admit(ctx, v.ID, v.Seats[0].ID)
		})
	}
	close(start)
	all.Wait()

	winner := ""
	for i, err := range errs {
		switch {
		case err == nil && winner == "":
			winner = names[i]
		case err == nil:
			t.Errorf("%s and %s both win", winner, names[i])
		}
	}
	for i, err := range errs {
		refusal := (*client.Error)(nil)
		if names[i] != winner && (!errors.As(err, &refusal) || refusal.Code != wire.CodeAlreadyAdmitted || refusal.By != winner) {
			t.Errorf("%s reads %+v; %q was faster", names[i], refusal, winner)
		}
	}
	if r := row(t, pages[0], v.Seats[0].ID, wire.SeatAdmitted); len(r.With) != 1 || r.With[0] != winner {
		t.Errorf("the list says %q has the visit", r.With)
	}
}

func TestWarm_TheEleventhWaitsCold_UntilItRises(t *testing.T) {
	const warm = 10
	p := startProcess(t)
	c := newClinic(t, &p.server)
	doctor := c.clinician(t, "Dr. Ada Byron")
	var visits []visit
	var pages []*client.Client
	for i := range warm + 2 {
		visits = append(visits, c.visit(t, fmt.Sprintf("Patient %d", i)))
		pages = append(pages, arrive(t, visits[i].Seats[0].Link))
	}
	for i, page := range pages {
		view, err := page.WaitView(within(t), func(v wire.View) bool { return v.Queue != nil && v.Queue.Ahead == i })
		if err != nil || view.Connect != (i < warm) {
			t.Errorf("with %d ahead connect is %t, %v", i, view.Connect, err)
		}
	}
	if _, err := pages[warm].NewMedia(within(t)); client.Code(err) != wire.CodeNotYet {
		t.Errorf("an offer all the same: %v", err)
	}

	must(t, doctor.Admit(within(t), visits[0].ID, visits[0].Seats[0].ID))
	withMedia(t, "the eleventh", pages[warm])
	if pages[warm+1].View().Connect {
		t.Error("the twelfth is warm too")
	}
	last := visits[warm+1]
	must(t, doctor.Prepare(within(t), last.ID, last.Seats[0].ID, true)) // whose card is open is warm wherever they stand
	withMedia(t, "the twelfth", pages[warm+1])
}

func TestRelay_UDPBlocked_MediaFlowsOverTheWebPort(t *testing.T) {
	p := startProcess(t)
	c := newClinic(t, &p.server)
	v := c.visit(t, "Maria Santos")
	page := get(client.Join(within(t), v.Seats[0].Link, client.Options{RelayOnly: true}))(t)
	t.Cleanup(page.Close)
	must(t, page.Connect(within(t)))
	must(t, page.CheckIn(within(t)))
	patient := withMedia(t, "patient", page)
	doctor := withMedia(t, "doctor", c.clinician(t, "Dr. Ada Byron"))
	shout(t, patient, "waiting", p.forbidden(t))

	must(t, doctor.Admit(within(t), v.ID, v.Seats[0].ID))
	talkAll(t, "relayed", doctor, patient)
	neverHeard(t, patient.says("waiting"), doctor)
	if n := patient.peer.Datagrams(); n.RTPIn+n.RTPOut != 0 {
		t.Errorf("the patient's UDP sockets: %+v", n)
	}
	for _, way := range []string{"up", "down"} {
		if bytes := p.metric(t, fmt.Sprintf("anteroom_turn_relayed_bytes_total{what=%q}", way)); bytes < enough*1000 {
			t.Errorf("%d bytes were relayed %s", bytes, way)
		}
	}
}

func TestJoin_LinksThatLetNobodyIn(t *testing.T) {
	p := startProcess(t)
	c := newClinic(t, &p.server)
	over, cancelled, revoked, reissued, removed := c.visit(t, "A"), c.visit(t, "B"), c.visit(t, "C"), c.visit(t, "D"), c.visit(t, "E")
	seat := func(v visit) string { return "/v1/visits/" + v.ID + "/seats/" + v.Seats[0].ID + "/link" }
	call[object](t, c.server, http.MethodPost, "/v1/visits/"+over.ID+"/end", object{"disposition": "done"})
	call[object](t, c.server, http.MethodPost, "/v1/visits/"+cancelled.ID+"/cancel", object{})
	call[object](t, c.server, http.MethodDelete, seat(revoked), nil)
	anew := call[struct{ Link string }](t, c.server, http.MethodPost, seat(reissued), object{})
	page := arrive(t, removed.Seats[0].Link)
	must(t, c.clinician(t, "Dr. Ada Byron").Remove(within(t), removed.ID, removed.Seats[0].ID))
	_ = get(page.WaitClosed(within(t)))(t)

	good := c.visit(t, "F").Seats[0].Link
	for name, test := range map[string]struct {
		link string
		want wire.Code
	}{
		"nonsense":  {p.url + "/join#nonsense", "link_unknown"},
		"forged":    {good[:len(good)-4] + strings.Repeat("A", 4), "link_unknown"},
		"over":      {over.Seats[0].Link, "visit_over"},
		"cancelled": {cancelled.Seats[0].Link, "visit_over"},
		"revoked":   {revoked.Seats[0].Link, "link_revoked"},
		"reissued":  {reissued.Seats[0].Link, "link_revoked"},
		"removed":   {removed.Seats[0].Link, "link_revoked"},
		"the new":   {anew.Link, ""},
		"good":      {good, ""},
	} {
		_, err := client.Join(within(t), test.link, client.Options{})
		if client.Code(err) != test.want || test.want == "" && err != nil {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}
