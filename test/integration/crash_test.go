package integration

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/anteroom/anteroom/signaling/wire"
	"github.com/anteroom/anteroom/test/client"
)

// again is a page as a new browser has it after the server was started again: it cites nothing and remembers nothing.
func again(t *testing.T, page *client.Client) *client.Client {
	t.Helper()
	fresh := page.Refreshed()
	t.Cleanup(fresh.Close)
	must(t, fresh.Connect(within(t)))
	return fresh
}

// chatter are patients who write one message after the other, and keep what was acknowledged.
type chatter struct {
	pages   []*client.Client
	acks    [][]string // texts that were answered, by patient
	count   atomic.Int64
	reached chan struct{} // closed when count is what the test waits for
	writing sync.WaitGroup
}

func (c *chatter) start(t *testing.T, each, until int) {
	t.Helper()
	ctx := within(t)
	c.acks, c.reached = make([][]string, len(c.pages)), make(chan struct{})
	for i, page := range c.pages {
		c.writing.Go(func() {
			for n := range each {
				text := fmt.Sprintf("message %d of patient %d", n, i)
				if _, err := page.Chat(ctx, wire.Chat{Text: text}); err != nil {
					t.Errorf("%s: %v", text, err)
					return
				}
				c.acks[i] = append(c.acks[i], text)
				if c.count.Add(1) == int64(until) {
					close(c.reached)
				}
			}
		})
	}
}

func TestKill_EveryAcknowledgedCommandIsThere_InTheQueuesOrder(t *testing.T) {
	const patients, each = 8, 12
	p := startProcess(t)
	c := newClinic(t, &p.server)
	doctor := c.clinician(t, "Dr. Ada Byron")
	var writers chatter
	var visits []visit
	var seats []string
	for i := range patients {
		v := c.visit(t, fmt.Sprintf("Patient %d", i))
		visits, seats = append(visits, v), append(seats, v.Seats[0].ID)
		writers.pages = append(writers.pages, arrive(t, v.Seats[0].Link))
	}
	must(t, doctor.Move(within(t), visits[patients-1].ID, visits[1].ID, "in pain"))
	seats = slices.Insert(seats[:patients-1:patients-1], 1, seats[patients-1])
	queued(t, doctor, seats...)

	writers.start(t, each, patients*each/2)
	<-writers.reached
	p.kill(t) // while all of them write
	p.start(t)
	for _, page := range writers.pages {
		_ = get(page.WaitClosed(within(t)))(t)
		must(t, page.Connect(within(t))) // and what had no answer is said again
	}
	writers.writing.Wait()
	p.restart(t)

	fresh := again(t, doctor)
	for i, page := range writers.pages {
		page = again(t, page)
		if me := page.View().Me; me.State != wire.SeatWaiting {
			t.Errorf("patient %d is %q", i, me.State)
		}
		var texts []string
		for _, m := range page.Messages() {
			texts = append(texts, m.Text)
		}
		if !slices.Equal(texts, writers.acks[i]) {
			t.Errorf("patient %d wrote %d messages, of which there are %q", i, len(writers.acks[i]), texts)
		}
	}
	queued(t, fresh, seats...)
}

// What was acknowledged a moment before the end is there when nobody says anything again.
func TestKill_NothingIsRepeated_AcknowledgedIsThere(t *testing.T) {
	const patients, each = 8, 1000
	p := startProcess(t)
	c := newClinic(t, &p.server)
	var writers chatter
	for i := range patients {
		writers.pages = append(writers.pages, arrive(t, c.visit(t, fmt.Sprintf("Patient %d", i)).Seats[0].Link))
	}
	ctx := within(t)
	var acknowledged [patients]atomic.Int64
	var writing sync.WaitGroup
	enoughWritten := make(chan struct{})
	var total atomic.Int64
	for i, page := range writers.pages {
		writing.Go(func() {
			for n := range each {
				if _, err := page.Once(ctx, wire.TypeChat, wire.Chat{Text: fmt.Sprint(n)}); err != nil {
					return // the server is gone, and the page closed
				}
				acknowledged[i].Add(1)
				if total.Add(1) == 10*patients {
					close(enoughWritten)
				}
			}
		})
	}
	<-enoughWritten
	p.kill(t)
	var fresh []*client.Client
	for _, page := range writers.pages {
		_ = get(page.WaitClosed(within(t)))(t)
		page.Close()
	}
	writing.Wait()
	p.start(t)
	for i, page := range writers.pages {
		fresh = append(fresh, again(t, page))
		messages := fresh[i].Messages()
		if n := int(acknowledged[i].Load()); len(messages) < n || len(messages) > n+1 {
			t.Errorf("patient %d: %d messages were acknowledged, %d are there", i, n, len(messages))
		}
		for n, m := range messages {
			if m.Text != fmt.Sprint(n) {
				t.Errorf("patient %d: message %d is %q", i, n, m.Text)
			}
		}
	}
}

func TestKill_VisitUnderWay_IsBackWithoutAdmission(t *testing.T) {
	p := startProcess(t)
	c := newCompany(t, &p.server)
	talkAll(t, "before", c.doctor, c.patient, c.specialist)
	must(t, c.doctor.Hold(within(t), c.visit.ID, c.specialistSeat))
	started := c.doctor.View().Visit.StartedAt
	p.restart(t)

	for _, one := range []*person{c.doctor, c.patient, c.specialist} {
		before := one.peer
		_ = get(one.WaitClosed(within(t)))(t)
		must(t, one.Connect(within(t)))
		if one.Peer() == before {
			t.Errorf("the server has a peer of %s that cannot be", one.name)
		}
	}
	connect(t, c.doctor, c.patient, c.specialist)
	if state := c.patient.View().Me.State; state != wire.SeatAdmitted {
		t.Errorf("the patient is %q", state)
	}
	if visit := c.doctor.View().Visit; visit == nil || visit.ID != c.visit.ID || visit.StartedAt != started {
		t.Errorf("the doctor is in %+v, which had started at %d", visit, started)
	}
	talkAll(t, "after", c.doctor, c.patient)
	shout(t, c.specialist, "still held", p.forbidden(t))
	talkAll(t, "later", c.doctor, c.patient)
	deaf(t, c.specialist)
	if n := p.metric(t, admitted); n != 0 {
		t.Errorf("%d admissions after the restart", n)
	}
	must(t, c.doctor.Resume(within(t), c.visit.ID, c.specialistSeat))
	talkAll(t, "together", c.doctor, c.patient, c.specialist)
	neverHeard(t, c.specialist.says("still held"), c.doctor, c.patient)
}
