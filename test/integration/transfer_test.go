package integration

import (
	"flag"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/anteroom/anteroom/signaling/wire"
)

// moving is a patient who waits in a room of one owner, and is to be brought to a room of another. All pages go through the third instance.
type moving struct {
	cluster              *cluster
	from, to             *clinic
	owner, next          int // of from and of to
	visit                visit
	seat                 string
	since                int64
	patient, desk, there *person
}

func newMoving(t *testing.T, c *cluster) *moving {
	t.Helper()
	m := &moving{cluster: c}
	m.from, m.owner = c.roomAt(t, -1)
	m.to, m.next = c.roomAt(t, m.owner)
	c.front.pin(3 - m.owner - m.next)
	defer c.front.pin(-1)
	m.visit = m.from.visit(t, "Maria Santos")
	m.seat = m.visit.Seats[0].ID
	m.patient = &person{Client: arrive(t, m.visit.Seats[0].Link), name: "patient"}
	m.since = m.patient.View().Queue.Since
	m.desk = &person{Client: m.from.clinician(t, "Dr. Ada Byron"), name: "desk"}
	m.there = &person{Client: m.to.clinician(t, "Dr. Lee"), name: "there"}
	row(t, m.desk.Client, m.seat, wire.SeatWaiting)
	return m
}

// roomAt makes a waiting room that another instance than the given one has, and answers which.
func (c *cluster) roomAt(t *testing.T, not int) (room *clinic, owner int) {
	t.Helper()
	leases := func() []uint64 {
		all := make([]uint64, len(c.all))
		for i, p := range c.all {
			all[i] = p.metric(t, "anteroom_leases")
		}
		return all
	}
	for {
		before := leases()
		room = newClinic(t, &c.server)
		room.visit(t, "Nobody Yet") // whereby it is somebody's
		after := leases()
		for i := range after {
			if after[i] > before[i] {
				owner = i
			}
		}
		if owner != not {
			return room, owner
		}
	}
}

// begin has the desk ask for the transfer; the answer comes whenever it does.
func (m *moving) begin(t *testing.T) (answer <-chan error) {
	t.Helper()
	done := make(chan error, 1)
	ctx := within(t)
	go func() { done <- m.desk.Transfer(ctx, m.visit.ID, m.to.room, "a rash") }() // ends with ctx
	return done
}

// follow has the patient's page come back until it is in the other room, as pages do.
func (m *moving) follow(t *testing.T) wire.View {
	t.Helper()
	for {
		_ = get(m.patient.WaitClosed(within(t)))(t)
		comeBack(t, m.patient)
		if v := m.patient.View(); v.Room.ID == m.to.room {
			return v
		}
	}
}

// arrived looks whether the person has one seat, in one place, with what belongs to it, and can be let in there.
func (m *moving) arrived(t *testing.T) {
	t.Helper()
	v := m.follow(t)
	if v.Me.Seat != m.seat || v.Me.State != wire.SeatWaiting || v.Queue.Since != m.since {
		t.Errorf("came as %+v, waiting since %+v and not %d", v.Me, v.Queue, m.since)
	}
	at := row(t, m.there.Client, m.seat, wire.SeatWaiting)
	if at.MovedReason != "a rash" || at.Name != "Maria Santos" {
		t.Errorf("the row there: %+v", at)
	}
	if _, err := m.desk.WaitList(within(t), func(rows []wire.Row) bool { return !slices.ContainsFunc(rows, m.isTheirs) }); err != nil {
		t.Errorf("still in the list that they left: %v", err)
	}
	type listed struct{ Items []visit }
	there := call[listed](t, m.to.server, http.MethodGet, "/v1/visits?room="+m.to.room, nil)
	here := call[listed](t, m.to.server, http.MethodGet, "/v1/visits?room="+m.from.room, nil)
	if n, was := m.count(there.Items), m.count(here.Items); n != 1 || was != 0 {
		t.Errorf("%d visits there and %d here", n, was)
	}
	if now := m.from.read(t, m.visit.ID); now.ID != at.Visit {
		t.Errorf("by its first id it is %s, not %s", now.ID, at.Visit)
	}
	connect(t, m.patient, m.there)
	must(t, m.there.Admit(within(t), at.Visit, m.seat))
	talkAll(t, "there", m.patient, m.there)
}

// stage is how far pages had seen the transfer come. That the visit is there and had not left shows as "there".
func (m *moving) stage(answer <-chan error) string {
	switch {
	case len(answer) > 0:
		return "done"
	case slices.ContainsFunc(m.there.List(), m.isTheirs):
		return "there"
	case slices.ContainsFunc(m.desk.List(), func(r wire.Row) bool { return m.isTheirs(r) && r.Moving }):
		return "on the way"
	}
	return "not seen to have begun"
}

func (m *moving) isTheirs(r wire.Row) bool { return r.Seat == m.seat }

func (m *moving) count(all []visit) (n int) {
	for _, v := range all {
		if slices.ContainsFunc(v.Seats, func(s seat) bool { return s.ID == m.seat }) {
			n++
		}
	}
	return n
}

func TestTransfer_ToARoomOfAnotherOwner(t *testing.T) {
	m := newMoving(t, startServers(t, 3))
	others := get(m.desk.Rooms(within(t)))(t)
	if !slices.ContainsFunc(others, func(r wire.RoomInfo) bool { return r.ID == m.to.room }) {
		t.Errorf("other rooms: %+v", others)
	}
	connect(t, m.patient)
	answer := m.begin(t)
	must(t, <-answer)
	m.arrived(t)
}

// TestTransfer_TheOwnerIsKilledBetweenTheSteps: what is durable is that the visit goes, and nobody has it there.
func TestTransfer_TheOwnerIsKilledBetweenTheSteps(t *testing.T) {
	m := newMoving(t, startServers(t, 3))
	m.cluster.all[m.next].pause(t)
	answer := m.begin(t)
	if _, err := m.desk.WaitList(within(t), func(rows []wire.Row) bool {
		return slices.ContainsFunc(rows, func(r wire.Row) bool { return m.isTheirs(r) && r.Moving })
	}); err != nil {
		t.Fatal(err)
	}
	m.cluster.all[m.owner].kill(t)
	m.cluster.all[m.next].resume(t)
	_ = get(m.desk.WaitClosed(within(t)))(t)
	comeBack(t, m.desk)
	if !m.there.Connected() {
		comeBack(t, m.there)
	}
	must(t, <-answer)
	m.arrived(t)
}

var transferTimes = flag.Int("transfer.times", 3, "how often the owner is killed while it brings somebody to another waiting room")

// TestTransfer_TheOwnerIsKilledAtAnyMoment: before, between and after the steps.
func TestTransfer_TheOwnerIsKilledAtAnyMoment(t *testing.T) {
	c := startServers(t, 3)
	stages := map[string]int{}
	for range *transferTimes {
		m := newMoving(t, c)
		answer := m.begin(t)
		after := time.Duration(rand.Int64N(int64(4 * time.Millisecond))) //nolint:gosec // any
		<-time.After(after)
		c.all[m.owner].kill(t)
		stages[m.stage(answer)]++
		_ = get(m.desk.WaitClosed(within(t)))(t)
		comeBack(t, m.desk)
		must(t, <-answer)
		m.arrived(t)
		c.all[m.owner].start(t)
		c.complete(t)
	}
	t.Logf("when the owner was killed pages had seen: %v", stages)
}
