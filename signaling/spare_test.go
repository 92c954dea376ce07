package signaling

import (
	"context"
	"sync"
	"testing"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/signaling/wire"
)

func anything(int, int) bool { return true }

func TestSpare_ARoomInWhichPeopleWaitGoes_AndTheyFindTheirPlace(t *testing.T) {
	i := newInstances(t, 2)
	from, to := i.hubs[0], i.hubs[1]
	id := from.visit("Ana Santos")
	if from.hub.Spare(t.Context(), anything) {
		t.Fatal("a room went in which nobody is")
	}
	patient, _ := from.open(id)
	doctor, _ := to.open(from.staff())
	from.must(nilOf(patient.ask(wire.TypeCheckIn, wire.Empty{}, nil)))
	if from.hub.Spare(t.Context(), func(peers, sockets int) bool { return peers > 0 || sockets != 2 }) {
		t.Fatal("a room went that did not fit")
	}
	if !from.hub.Spare(t.Context(), anything) {
		t.Fatal("it did not go")
	}
	for _, p := range []*page{patient, doctor} {
		if got := p.closeCode(); got != wire.CloseHandedOver {
			t.Errorf("closed with %d", got)
		}
	}
	if _, welcome := from.open(id); welcome.View.Me.State != wire.SeatWaiting || welcome.View.Epoch != i.lease().Fence().Epoch {
		t.Errorf("back as %+v", welcome.View.Me)
	}
	if _, err := to.do(id.Visit, rooms.Lock{On: true}); err != nil {
		t.Errorf("a command to the new owner: %v", err)
	}
}

func TestSpare_WhoIsInAVisitOrAboutToBe_KeepsTheRoom(t *testing.T) {
	i := newInstances(t, 2)
	w := i.hubs[0]
	_, target, _, doctor := w.somebodyWaits()
	for _, step := range []struct {
		t    wire.Type
		data any
	}{
		{wire.TypePrepare, wire.Prepare{Visit: target.Visit, Seat: target.Seat, On: true}}, {wire.TypeAdmit, target}, {wire.TypeHold, target},
	} {
		w.must(nilOf(doctor.ask(step.t, step.data, nil)))
		if w.hub.Spare(t.Context(), anything) {
			t.Fatalf("the room went after %s", step.t)
		}
	}
}

// slow is a store whose writes wait while a test has the lock.
type slow struct {
	store.Store
	mu *sync.RWMutex
}

func (s slow) Commit(ctx context.Context, b store.Batch) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.Store.Commit(ctx, b)
}

func TestSpare_SomebodyIsAdmittedMeanwhile_TheRoomStays(t *testing.T) {
	i := newInstances(t, 2)
	w := i.hubs[0]
	var writes sync.RWMutex
	w.hub.store = slow{w.hub.store, &writes}
	id := w.visit("Ana Santos")
	_, err := w.do(id.Visit, rooms.Lock{On: true})
	w.must(err)
	a, err := w.hub.actorOf(t.Context(), w.room.ID)
	w.must(err)
	patient, _ := w.open(id)
	w.must(nilOf(patient.ask(wire.TypeCheckIn, wire.Empty{}, nil)))

	writes.Lock()
	unlock, admit := make(chan givenResult, 1), make(chan givenResult, 1)
	doctor := rooms.Actor{Staff: w.doctor.ID, Name: w.doctor.Name, Role: w.doctor.Role}
	a.post(given{rooms.Command{Actor: rooms.Actor{System: true}, Visit: id.Visit, Do: rooms.Lock{}}, unlock})
	a.post(sparing{true}) // waits for what is to be saved
	a.post(given{rooms.Command{Actor: doctor, Visit: id.Visit, Do: rooms.Admit{Seat: id.Seat}}, admit})
	writes.Unlock()
	w.must((<-unlock).err)
	w.must((<-admit).err)
	if _, err := w.do(id.Visit, rooms.Lock{On: true}); err != nil || a.isHanded() {
		t.Errorf("the room has gone: %v", err)
	}
}
