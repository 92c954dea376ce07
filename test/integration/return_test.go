package integration

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/anteroom/anteroom/signaling/wire"
	"github.com/anteroom/anteroom/test/client"
)

// queued waits until staff see exactly these seats, all waiting, in this order.
func queued(t *testing.T, staff *client.Client, seats ...string) {
	t.Helper()
	var got []string
	_, err := staff.WaitList(within(t), func(rows []wire.Row) bool {
		got = got[:0]
		for _, r := range rows {
			if r.State == wire.SeatWaiting && r.Link == wire.LinkConnected {
				got = append(got, r.Seat)
			}
		}
		return slices.Equal(got, seats) && len(rows) == len(seats)
	})
	if err != nil {
		t.Fatalf("the queue is %v, not %v: %v", got, seats, err)
	}
}

// together waits until a page shows exactly these people, all connected, and nobody twice.
func together(t *testing.T, page *client.Client, seats ...string) wire.View {
	t.Helper()
	slices.Sort(seats)
	view, err := page.WaitView(within(t), func(v wire.View) bool {
		var got []string
		for _, p := range v.People {
			if p.Link == wire.LinkConnected {
				got = append(got, p.Seat)
			}
		}
		slices.Sort(got)
		return slices.Equal(got, seats) && len(v.People) == len(seats)
	})
	if err != nil {
		t.Fatalf("people are %+v: %v", view.People, err)
	}
	return view
}

// pair is a patient and a clinician who talk.
type pair struct {
	*clinic
	visit           visit
	doctor, patient *person
	seats           []string // the patient's and the doctor's
}

func newPair(t *testing.T, s *server) *pair {
	t.Helper()
	p := &pair{clinic: newClinic(t, s)}
	p.visit = p.clinic.visit(t, "Maria Santos")
	p.doctor = &person{Client: p.clinician(t, "Dr. Ada Byron"), name: "doctor"}
	p.patient = &person{Client: arrive(t, p.visit.Seats[0].Link), name: "patient"}
	connect(t, p.doctor, p.patient)
	must(t, p.doctor.Admit(within(t), p.visit.ID, p.visit.Seats[0].ID))
	p.seats = []string{p.visit.Seats[0].ID, p.doctor.maySend(t).Me.Seat}
	talkAll(t, "at first", p.doctor, p.patient)
	return p
}

// backInVisit asks that a new page of the patient is where the old one was, and that media flows.
func (p *pair) backInVisit(t *testing.T, page *client.Client) {
	t.Helper()
	if me := page.View().Me; me.State != wire.SeatAdmitted || me.Seat != p.seats[0] {
		t.Errorf("welcome says %q in seat %s", me.State, me.Seat)
	}
	again := withMedia(t, "patient again", page)
	talkAll(t, "again", p.doctor, again)
	together(t, p.doctor.Client, p.seats...)
	together(t, page, p.seats...)
	if rows := p.doctor.List(); len(rows) != 1 {
		t.Errorf("%d rows of one person", len(rows))
	}
}

const admitted = `anteroom_commands_total{action="admit",result="ok"}`

func TestRefresh_Waiting_SameSeatAndOrder(t *testing.T) {
	p := startProcess(t)
	c := newClinic(t, &p.server)
	doctor := c.clinician(t, "Dr. Ada Byron")
	var pages []*client.Client
	var seats []string
	for _, name := range []string{"Maria Santos", "Omar Haddad", "Wei Chen"} {
		v := c.visit(t, name)
		pages, seats = append(pages, arrive(t, v.Seats[0].Link)), append(seats, v.Seats[0].ID)
	}
	queued(t, doctor, seats...)

	for i, old := range pages {
		was := old.View()
		page := old.Refreshed()
		t.Cleanup(page.Close)
		must(t, page.Connect(within(t)))
		is := page.View()
		if is.Me != was.Me || is.Queue == nil || is.Queue.Since != was.Queue.Since || is.Queue.Ahead != i {
			t.Errorf("after a refresh %+v %+v, before %+v %+v", is.Me, is.Queue, was.Me, was.Queue)
		}
		_ = get(old.WaitClosed(within(t)))(t)
	}
	queued(t, doctor, seats...)
}

func TestRefresh_InTheVisit_NotAdmittedAgain(t *testing.T) {
	p := startProcess(t)
	v := newPair(t, &p.server)
	page := v.patient.Refreshed()
	t.Cleanup(page.Close)
	must(t, page.Connect(within(t)))
	v.backInVisit(t, page)
	must(t, v.patient.peer.Send(v.patient.says("ghost"), 2*enough))
	talk(t, &person{name: "patient again", peer: page.Peer()}, "once more", v.doctor)
	neverHeard(t, v.patient.says("ghost"), v.doctor)
	if n := p.metric(t, admitted); n != 1 {
		t.Errorf("%d admissions", n)
	}
}

func TestCut_OnlyTheSocket_MediaGoesOn(t *testing.T) {
	p := startProcess(t)
	v := newPair(t, &p.server)
	peer := v.patient.peer
	v.patient.Cut()
	_, err := v.doctor.WaitView(within(t), func(view wire.View) bool {
		return slices.ContainsFunc(view.People, func(p wire.Person) bool { return p.Seat == v.seats[0] && p.Link == wire.LinkReconnecting })
	})
	must(t, err)
	talkAll(t, "cut", v.doctor, v.patient)

	must(t, v.patient.Connect(within(t)))
	if view := v.patient.View(); v.patient.Peer() != peer || view.Me.State != wire.SeatAdmitted || !view.Send {
		t.Errorf("after the reconnect the peer is kept: %t, %+v, send %t", v.patient.Peer() == peer, view.Me, view.Send)
	}
	talkAll(t, "back", v.doctor, v.patient)
	together(t, v.doctor.Client, v.seats...)
	together(t, v.patient.Client, v.seats...)

	v.doctor.Cut()
	talkAll(t, "the other cut", v.doctor, v.patient)
	must(t, v.doctor.Connect(within(t)))
	talkAll(t, "the other back", v.doctor, v.patient)
	for _, pair := range [][2]*person{{v.doctor, v.patient}, {v.patient, v.doctor}} {
		for key, flow := range pair[0].peer.Tally() {
			if key.Mark == pair[1].says("cut") && flow.Missing() > 0 {
				t.Errorf("%s missed %d of %d packets %v", pair[0].name, flow.Missing(), flow.Packets, key)
			}
		}
	}
	if n := p.metric(t, admitted); n != 1 {
		t.Errorf("%d admissions", n)
	}
}

func TestCut_WhoComesMeanwhile_IsShownOnceThePageKnowsWho(t *testing.T) {
	c := newCompany(t, &startProcess(t).server)
	c.patient.Cut()
	must(t, c.doctor.Admit(within(t), c.visit.ID, c.newcomerSeat))
	talk(t, c.newcomer, "new", c.doctor, c.specialist)
	talk(t, c.doctor, "known", c.patient)
	neverHeard(t, c.newcomer.says("new"), c.patient)
	must(t, c.patient.Connect(within(t)))
	talk(t, c.newcomer, "told", c.patient)
}

func TestSecondTab_AsksThenTakesOver(t *testing.T) {
	p := startProcess(t)
	v := newPair(t, &p.server)
	tab := v.patient.NewTab()
	t.Cleanup(tab.Close)
	if err := tab.Connect(within(t)); client.Code(err) != wire.CodeSeatInUse {
		t.Fatalf("a second tab: %v", err)
	}
	talkAll(t, "undisturbed", v.doctor, v.patient)
	v.takenOver(t, tab)
	if err := v.patient.Connect(within(t)); client.Code(err) != wire.CodeSeatInUse {
		t.Errorf("the older tab comes back by itself: %v", err)
	}
	if n := p.metric(t, admitted); n != 1 {
		t.Errorf("%d admissions", n)
	}
}

func TestSecondBrowser_SameLink_SameSeat(t *testing.T) {
	p := startProcess(t)
	v := newPair(t, &p.server)
	browser := get(client.Join(within(t), v.visit.Seats[0].Link, client.Options{}))(t)
	t.Cleanup(browser.Close)
	if browser.Joined.Handle == v.patient.Joined.Handle {
		t.Error("two browsers have one handle")
	}
	if err := browser.Connect(within(t)); client.Code(err) != wire.CodeSeatInUse {
		t.Fatalf("a second browser: %v", err)
	}
	v.takenOver(t, browser)
	if n := p.metric(t, admitted); n != 1 {
		t.Errorf("%d admissions", n)
	}
}

func TestSecondBrowser_FirstIsGone_NothingIsAsked(t *testing.T) {
	p := startProcess(t)
	c := newClinic(t, &p.server)
	doctor := c.clinician(t, "Dr. Ada Byron")
	first, second := c.visit(t, "Maria Santos"), c.visit(t, "Omar Haddad")
	inApp := arrive(t, first.Seats[0].Link)
	arrive(t, second.Seats[0].Link)
	inApp.Disconnect()
	_, err := doctor.WaitList(within(t), func(rows []wire.Row) bool {
		return len(rows) == 2 && rows[0].Link == wire.LinkReconnecting
	})
	must(t, err)
	browser := open(t, first.Seats[0].Link, wire.DevicePhone)
	if me := browser.View().Me; me.State != wire.SeatWaiting || me.Seat != first.Seats[0].ID {
		t.Errorf("welcome says %+v", me)
	}
	queued(t, doctor, first.Seats[0].ID, second.Seats[0].ID)
}

// takenOver lets another page of the patient take the seat over and asks that the first is told, and its media ends.
func (p *pair) takenOver(t *testing.T, page *client.Client) {
	t.Helper()
	must(t, page.ConnectAs(within(t), client.Hello{Takeover: true}))
	if code := get(p.patient.WaitClosed(within(t)))(t); code != wire.CloseTakenOver {
		t.Errorf("the older was closed with %d", code)
	}
	must(t, p.patient.peer.Send(p.patient.says("ghost"), 2*enough))
	p.backInVisit(t, page)
	neverHeard(t, p.patient.says("ghost"), p.doctor)
}

func TestCut_UnansweredCommands_AreAppliedOnce(t *testing.T) {
	p := startProcess(t)
	v := newPair(t, &p.server)
	const rounds, each = 5, 10
	numbers := make(chan int, rounds*each)
	for round := range rounds {
		var sent, answered sync.WaitGroup
		for i := range each {
			sent.Add(1)
			answered.Go(func() {
				text := wire.Chat{Text: fmt.Sprint(round, "/", i)}
				sent.Done()
				n, err := v.patient.Chat(within(t), text)
				if err != nil {
					t.Error(err)
				}
				numbers <- n
			})
		}
		sent.Wait()
		v.patient.Cut() // in the middle of it
		must(t, v.patient.Connect(within(t)))
		answered.Wait()
	}
	close(numbers)
	seen := map[int]bool{}
	for n := range numbers {
		if seen[n] {
			t.Errorf("message %d answers two commands", n)
		}
		seen[n] = true
	}
	once(t, v, rounds*each)
}

// once asks that a visit's chat has this many messages, each once, as a page sees it that comes anew.
func once(t *testing.T, v *pair, want int) {
	t.Helper()
	page := v.doctor.Refreshed()
	t.Cleanup(page.Close)
	must(t, page.Connect(within(t)))
	texts := map[string]int{}
	for _, m := range page.Messages() {
		texts[m.Text]++
	}
	for text, n := range texts {
		if n != 1 {
			t.Errorf("%q is there %d times", text, n)
		}
	}
	if len(texts) != want {
		t.Errorf("%d messages, not %d", len(texts), want)
	}
}
