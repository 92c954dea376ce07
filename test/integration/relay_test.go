package integration

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/anteroom/anteroom/test/client"
)

// Where UDP is blocked a page reaches the relay of whichever instance a load balancer picks. Its media is at the owner of the room.
func TestRelay_OfAnotherInstanceThanTheOwner_MediaFlows(t *testing.T) {
	c := startServers(t, 3)
	c.complete(t)
	room := newClinic(t, &c.server)
	v := room.visit(t, "Maria Santos")
	owner, others := c.owner(t)
	c.front.pin(others[0])
	page := get(client.Join(within(t), v.Seats[0].Link, client.Options{RelayOnly: true, RelayAt: get(url.Parse(c.url))(t).Host}))(t)
	t.Cleanup(page.Close)
	must(t, page.Connect(within(t)))
	must(t, page.CheckIn(within(t)))
	patient := withMedia(t, "patient", page)
	c.front.pin(others[1])
	doctor := withMedia(t, "doctor", room.clinician(t, "Dr. Ada Byron"))
	must(t, doctor.Admit(within(t), v.ID, v.Seats[0].ID))
	talkAll(t, "relayed", doctor, patient)
	if n := patient.peer.Datagrams(); n.RTPIn+n.RTPOut != 0 {
		t.Errorf("the patient's UDP sockets: %+v", n)
	}
	for i, p := range c.all {
		for _, way := range []string{"up", "down"} {
			bytes := p.metric(t, fmt.Sprintf("anteroom_turn_relayed_bytes_total{what=%q}", way))
			if i == others[0] && bytes < enough*1000 || i != others[0] && bytes > 0 {
				t.Errorf("instance %d, of which %d relays and %d is the owner, relayed %d bytes %s", i, others[0], owner, bytes, way)
			}
		}
	}

	// The relay stays, and the room goes: perhaps to the instance with the relay, perhaps not.
	c.front.pin(others[0])
	c.all[owner].terminate(t)
	for _, p := range []*person{patient, doctor} {
		_ = get(p.WaitClosed(within(t)))(t)
		comeBack(t, p)
	}
	connect(t, patient, doctor)
	talkAll(t, "relayed to the next owner", doctor, patient)
}
