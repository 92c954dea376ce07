package integration

import (
	"testing"

	"github.com/anteroom/anteroom/signaling/wire"
	"github.com/anteroom/anteroom/test/client"
)

// inBackground gives a command whose answer a test wants later. It is repeated as long as the answer is retry.
func inBackground(do func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- do() }()
	return done
}

// unanswered asks that a command has no answer yet.
func unanswered(t *testing.T, what string, done <-chan error) {
	t.Helper()
	select {
	case err := <-done:
		t.Errorf("%s was answered: %v", what, err)
	default:
	}
}

// answered waits for a command's answer, which is not a refusal.
func answered(t *testing.T, what string, done <-chan error) {
	t.Helper()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	case <-within(t).Done():
		t.Errorf("%s was not answered", what)
	}
}

// parting is a command that parts the patient from the others.
type parting struct {
	do func(t *testing.T, c *company) error
	// dropped is how the server counts what the patient sends afterwards.
	dropped func(l *local) func() uint64
	ends    bool // the visit, so that nobody talks any more
}

func (l *local) closedGate() func() uint64 { return l.forbidden }
func (l *local) noPeer() func() uint64     { return l.strangers }

// stop stops the store and has the server find that out, by a command that cannot be saved.
func (l *local) stop(t *testing.T, c *company) {
	t.Helper()
	l.store.Stop()
	if _, err := c.otherDoctor.Once(within(t), wire.TypeLock, wire.Lock{Visit: c.otherVisit.ID, On: true}); client.Code(err) != wire.CodeRetry {
		t.Fatalf("a command without a store: %v", err)
	}
}

var partings = map[string]parting{
	"hold": {do: func(t *testing.T, c *company) error {
		return c.doctor.Hold(within(t), c.visit.ID, c.patientSeat)
	}, dropped: (*local).closedGate},
	"return": {do: func(t *testing.T, c *company) error {
		return c.doctor.Return(within(t), c.visit.ID, c.patientSeat)
	}, dropped: (*local).closedGate},
	"remove": {do: func(t *testing.T, c *company) error {
		return c.doctor.Remove(within(t), c.visit.ID, c.patientSeat)
	}, dropped: (*local).noPeer},
	"leave": {do: func(t *testing.T, c *company) error { return c.patient.Leave(within(t)) }, dropped: (*local).noPeer},
	"end": {do: func(t *testing.T, c *company) error {
		return c.doctor.End(within(t), c.visit.ID, wire.DispositionDone)
	}, dropped: (*local).noPeer, ends: true},
}

func TestStoreStopped_PartingIsInForceAtOnce_JoiningSaysRetry(t *testing.T) {
	for name, p := range partings {
		t.Run(name, func(t *testing.T) {
			l := startLocal(t)
			c := newCompany(t, &l.server)
			talkAll(t, "before", c.doctor, c.patient, c.specialist)
			l.stop(t, c)
			parted := inBackground(func() error { return p.do(t, c) })
			c.patient.mayNotSend(t)
			shout(t, c.patient, "parted", p.dropped(l))
			if !p.ends {
				talkAll(t, "aside", c.doctor, c.specialist)
				c.joinsNobody(t)
			}
			unanswered(t, name, parted)

			l.store.Resume()
			answered(t, name, parted)
			if p.ends {
				talkAll(t, "there", c.otherDoctor, c.otherPatient)
				neverHeard(t, c.patient.says("parted"), c.everybody...)
				return
			}
			c.joins(t)
			neverHeard(t, c.patient.says("parted"), c.everybody...)
			neverHeard(t, c.doctor.says("aside"), c.patient)
		})
	}
}

// joinsNobody asks that nobody is let in while nothing can be saved.
func (c *company) joinsNobody(t *testing.T) {
	t.Helper()
	target := wire.Target{Visit: c.visit.ID, Seat: c.newcomerSeat}
	if _, err := c.otherDoctor.Once(within(t), wire.TypeAdmit, target); client.Code(err) != wire.CodeRetry {
		t.Errorf("admit without a store: %v", err)
	}
	target.Seat = c.patientSeat
	if _, err := c.otherDoctor.Once(within(t), wire.TypeResume, target); client.Code(err) != wire.CodeRetry {
		t.Errorf("resume without a store: %v", err)
	}
	if v := c.newcomer.View(); v.Send || v.Me.State != wire.SeatWaiting || len(v.People) != 0 {
		t.Errorf("the newcomer's view: %q, send %t, people %v", v.Me.State, v.Send, v.People)
	}
	deaf(t, c.newcomer)
}

// joins lets the newcomer in.
func (c *company) joins(t *testing.T) {
	t.Helper()
	must(t, c.doctor.Admit(within(t), c.visit.ID, c.newcomerSeat))
	talkAll(t, "with the newcomer", c.doctor, c.specialist, c.newcomer)
}

func TestStoreStopped_RepeatedCommands_AreAppliedOnceWhenItIsBack(t *testing.T) {
	l := startLocal(t)
	c := newCompany(t, &l.server)
	before := c.read(t, c.visit.ID)
	l.stop(t, c)
	hold := inBackground(func() error { return c.doctor.Hold(within(t), c.visit.ID, c.patientSeat) })
	c.patient.mayNotSend(t)
	said := inBackground(func() error {
		_, err := c.specialist.Chat(within(t), wire.Chat{Text: "are you there?"})
		return err
	})
	invited := inBackground(func() error {
		_, err := c.otherDoctor.Invite(within(t), wire.Invite{Visit: c.visit.ID, Role: wire.RoleInterpreter, Name: "Iva"})
		return err
	})
	for what, done := range map[string]<-chan error{"hold": hold, "chat": said, "invite": invited} {
		unanswered(t, what, done)
	}
	l.store.Resume()
	for what, done := range map[string]<-chan error{"hold": hold, "chat": said, "invite": invited} {
		answered(t, what, done)
	}

	page := c.doctor.Refreshed()
	t.Cleanup(page.Close)
	must(t, page.Connect(within(t)))
	if messages := page.Messages(); len(messages) != 1 || messages[0].Text != "are you there?" {
		t.Errorf("messages %+v", messages)
	}
	if after := c.read(t, c.visit.ID); len(after.Seats) != len(before.Seats)+1 {
		t.Errorf("%d seats after one invitation, %d before", len(after.Seats), len(before.Seats))
	}
	waitState(t, c.patient.Client, wire.SeatHeld)
}

// A store that hangs is worse than one that fails: nothing tells so for a while.
func TestStoreHangs_HoldIsInForceAtOnce_AdmitOpensNothing(t *testing.T) {
	l := startLocal(t)
	c := newCompany(t, &l.server)
	talkAll(t, "before", c.doctor, c.patient, c.specialist)
	l.store.Block()
	held := inBackground(func() error { return c.doctor.Hold(within(t), c.visit.ID, c.patientSeat) })
	l.store.AwaitBlocked(1)
	c.patient.mayNotSend(t)
	shout(t, c.patient, "held", l.forbidden)
	admitted := inBackground(func() error { return c.doctor.Admit(within(t), c.visit.ID, c.newcomerSeat) })
	talkAll(t, "aside", c.doctor, c.specialist)
	shout(t, c.newcomer, "waiting", l.forbidden)
	deaf(t, c.newcomer)
	unanswered(t, "hold", held)
	unanswered(t, "admit", admitted)

	l.store.Resume()
	answered(t, "hold", held)
	answered(t, "admit", admitted)
	must(t, c.doctor.Resume(within(t), c.visit.ID, c.patientSeat))
	talkAll(t, "after", c.doctor, c.patient, c.specialist, c.newcomer)
	neverHeard(t, c.patient.says("held"), c.everybody...)
	neverHeard(t, c.doctor.says("aside"), c.patient, c.newcomer)
	neverHeard(t, c.newcomer.says("waiting"), c.everybody...)
}
