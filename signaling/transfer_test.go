package signaling

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/anteroom/anteroom/internal/auth"
	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/signaling/wire"
)

// twoRooms are two waiting rooms of one clinic at two instances.
type twoRooms struct {
	*instances
	from, to *world // each with the room and the doctor of its own
}

func newTwoRooms(t *testing.T) *twoRooms {
	t.Helper()
	i := newInstances(t, 2)
	from, to := i.hubs[0], i.hubs[1]
	to.room = rooms.WaitingRoom{ID: rooms.RoomID(newID()), Clinic: from.room.Clinic, Name: "Dermatology"}
	to.doctor = rooms.Staff{ID: rooms.StaffID(newID()), Clinic: from.room.Clinic, Name: "Dr Ek", Role: rooms.Clinician, Rooms: []rooms.RoomID{to.room.ID}}
	to.must(i.store.PutRoom(t.Context(), to.room))
	to.must(i.store.PutStaff(t.Context(), to.doctor))
	i.give(to.room.ID, 1)
	return &twoRooms{i, from, to}
}

// transfer is of a visit to the other room.
func (r *twoRooms) transfer(id auth.Identity) wire.Transfer {
	return wire.Transfer{Visit: string(id.Visit), Room: string(r.to.room.ID), Reason: "a rash"}
}

// waitList reads lists until the rows, by seat, are as wanted.
func (p *page) waitList(rows map[string]wire.Row, wanted func(map[string]wire.Row) bool) {
	p.w.t.Helper()
	for !wanted(rows) {
		m, err := p.next()
		p.w.must(err)
		if m.T != wire.EventList {
			continue
		}
		var l wire.List
		p.w.must(json.Unmarshal(m.D, &l))
		if l.Whole {
			clear(rows)
		}
		for _, key := range l.Removed {
			delete(rows, key)
		}
		for _, r := range l.Rows {
			rows[r.Seat] = r
		}
	}
}

// give sends a request as it is, and reads up to its answer.
func (p *page) give(req wire.Request) *wire.Error {
	p.w.t.Helper()
	p.w.must(p.ws.WriteJSON(req))
	for {
		m, err := p.next()
		p.w.must(err)
		if m.Re == req.ID {
			return m.Err
		}
	}
}

func rowsOf(welcome wire.Welcome) map[string]wire.Row {
	rows := map[string]wire.Row{}
	for _, r := range welcome.List.Rows {
		rows[r.Seat] = r
	}
	return rows
}

func TestTransfer_ToAnotherOwnersRoom_ThePatientFollowsByTheSameLink(t *testing.T) {
	r := newTwoRooms(t)
	id := r.from.visit("Ana Santos")
	seat := string(id.Seat)
	patient, _ := r.to.open(id) // passed on to the first room's owner
	desk, welcome := r.from.open(r.from.staff())
	rows := rowsOf(welcome)
	there, welcome := r.to.open(r.to.staff())
	rowsThere := rowsOf(welcome)
	r.from.must(nilOf(patient.ask(wire.TypeCheckIn, wire.Empty{}, nil)))
	waits := patient.waitView(func(v wire.View) bool { return v.Queue != nil })
	r.from.must(nilOf(patient.ask(wire.TypeChat, wire.Chat{Text: "it itches"}, nil)))
	desk.waitList(rows, func(rows map[string]wire.Row) bool { return rows[seat].State == wire.SeatWaiting })

	if err := desk.ask(wire.TypeTransfer, r.transfer(id), nil); err != nil {
		t.Fatal(err)
	}
	if got := patient.closeCode(); got != wire.CloseMoved {
		t.Errorf("closed with %d", got)
	}
	desk.waitList(rows, func(rows map[string]wire.Row) bool { return len(rows) == 0 })
	there.waitList(rowsThere, func(rows map[string]wire.Row) bool { return rows[seat].State == wire.SeatWaiting })
	row := rowsThere[seat]
	if row.Name != "Ana Santos" || row.WaitingSince != waits.Queue.Since || row.MovedReason != "a rash" || row.Moving {
		t.Errorf("arrived as %+v", row)
	}
	// By the same link, whichever instance takes the socket.
	for _, w := range []*world{r.from, r.to} {
		back, welcome := w.open(id)
		v := welcome.View
		if v.Room.ID != string(r.to.room.ID) || v.Me.Seat != seat || v.Me.State != wire.SeatWaiting || v.Queue.Since != waits.Queue.Since || v.Visit.ID != row.Visit {
			t.Errorf("back as %+v of %+v in %+v", v.Me, v.Visit, v.Room)
		}
		if len(welcome.Messages) != 1 || welcome.Messages[0].Text != "it itches" || !welcome.Messages[0].Mine {
			t.Errorf("chat %+v", welcome.Messages)
		}
		there.waitList(rowsThere, func(rows map[string]wire.Row) bool { return rows[seat].Link == wire.LinkConnected })
		r.from.must(back.ws.Close())
		there.waitList(rowsThere, func(rows map[string]wire.Row) bool { return rows[seat].Link == wire.LinkReconnecting })
	}
	back, _ := r.from.open(id)
	r.to.must(nilOf(there.ask(wire.TypeAdmit, wire.Target{Visit: row.Visit, Seat: seat}, nil)))
	back.waitView(func(v wire.View) bool { return v.Me.State == wire.SeatAdmitted && v.Send })
	if err := desk.ask(wire.TypeAdmit, wire.Target{Visit: string(id.Visit), Seat: seat}, nil); code(err) != wire.CodeVisitOver {
		t.Errorf("let in where they were: %v", err)
	}
}

func TestTransfer_WithinOneInstance_AndBack(t *testing.T) {
	r := newTwoRooms(t)
	r.give(r.to.room.ID, 0)
	id := r.from.visit("Ana Santos")
	doctor, _ := r.from.open(r.from.staff())
	there, welcome := r.from.open(r.to.staff())
	if err := doctor.ask(wire.TypeTransfer, r.transfer(id), nil); err != nil {
		t.Fatal(err)
	}
	rows := rowsOf(welcome)
	there.waitList(rows, func(rows map[string]wire.Row) bool { return len(rows) == 1 })
	back := wire.Transfer{Visit: rows[string(id.Seat)].Visit, Room: string(r.from.room.ID)}
	if err := there.ask(wire.TypeTransfer, back, nil); err != nil {
		t.Fatal(err)
	}
	patient, welcome := r.from.open(id)
	if v := welcome.View; v.Room.ID != string(r.from.room.ID) || v.Me.Seat != string(id.Seat) || v.Visit.ID == string(id.Visit) {
		t.Errorf("back as %+v of %+v in %+v", v.Me, v.Visit, v.Room)
	}
	r.from.must(nilOf(patient.ask(wire.TypeCheckIn, wire.Empty{}, nil)))
	doctorRows := map[string]wire.Row{}
	doctor.waitList(doctorRows, func(rows map[string]wire.Row) bool { return rows[string(id.Seat)].State == wire.SeatWaiting })
}

// TestTransfer_TheOwnerDiesBetweenTheSteps_TheNextFinishes: the visit is in the other room, and its first owner dies before it hears so.
func TestTransfer_TheOwnerDiesBetweenTheSteps_TheNextFinishes(t *testing.T) {
	r := newTwoRooms(t)
	id := r.from.visit("Ana Santos")
	seat := string(id.Seat)
	patient, _ := r.from.open(id)
	desk, welcome := r.from.open(r.from.staff())
	rows := rowsOf(welcome)
	r.from.must(nilOf(patient.ask(wire.TypeCheckIn, wire.Empty{}, nil)))
	there, welcome := r.to.open(r.to.staff())
	rowsThere := rowsOf(welcome)
	r.cutAfterNext()
	desk.send(wire.TypeTransfer, r.transfer(id))
	there.waitList(rowsThere, func(rows map[string]wire.Row) bool { return rows[seat].State == wire.SeatWaiting })
	desk.waitList(rows, func(rows map[string]wire.Row) bool { return rows[seat].Moving })
	admit := wire.Target{Visit: string(id.Visit), Seat: seat}
	if err := desk.ask(wire.TypeAdmit, admit, nil); code(err) != wire.CodeRetry || !err.Retry {
		t.Errorf("let in on the way: %v", err)
	}
	lost := r.leaseOf(r.from.room.ID)
	r.moveTo(1)
	close(lost.gone)
	r.mend()
	if got := patient.closeCode(); got != wire.CloseMoved {
		t.Errorf("closed with %d", got)
	}
	// Whoever is first to need the room, here the patient, has the next owner go on.
	back, welcome := r.from.open(id)
	if welcome.View.Room.ID == string(r.from.room.ID) { // before it had
		if got := back.closeCode(); got != wire.CloseMoved {
			t.Errorf("closed with %d", got)
		}
		back, welcome = r.from.open(id)
	}
	if v := welcome.View; v.Room.ID != string(r.to.room.ID) || v.Me.State != wire.SeatWaiting {
		t.Errorf("back as %+v in %+v", v.Me, v.Room)
	}
	r.to.must(nilOf(there.ask(wire.TypeAdmit, wire.Target{Visit: rowsThere[seat].Visit, Seat: seat}, nil)))
	back.waitView(func(v wire.View) bool { return v.Send })
	v, err := r.store.Visit(t.Context(), id.Visit)
	r.from.must(err)
	if v.Phase != rooms.PhaseMoved || len(v.Chat) > 0 || slices.ContainsFunc(v.Seats, func(s rooms.Seat) bool { return s.Name != "" }) {
		t.Errorf("left behind: %+v", v)
	}
	if rows, err := r.store.ListVisits(t.Context(), r.to.room.ID, "", 0); err != nil || len(rows) != 1 {
		t.Errorf("%d visits there, %v", len(rows), err)
	}
}

// TestTransfer_NothingIsKnownOfTheOtherOwner_ItIsAnsweredRetry_AndDoneLater: and once, however often it was asked for.
func TestTransfer_NothingIsKnownOfTheOtherOwner_ItIsAnsweredRetry_AndDoneLater(t *testing.T) {
	r := newTwoRooms(t)
	id := r.from.visit("Ana Santos")
	desk, _ := r.from.open(r.from.staff())
	r.cutAfterNext()
	data, err := json.Marshal(r.transfer(id))
	r.from.must(err)
	req := wire.Request{T: wire.TypeTransfer, ID: 90, D: data}
	answer := func() *wire.Error { return desk.give(req) }
	if err := answer(); code(err) != wire.CodeRetry || !err.Retry {
		t.Errorf("answered %v", err)
	}
	r.mend()
	for err := answer(); err != nil; err = answer() {
		if code(err) != wire.CodeRetry {
			t.Fatal(err)
		}
	}
	if err := answer(); err != nil {
		t.Errorf("again: %v", err)
	}
	if all, err := r.store.ListVisits(t.Context(), r.to.room.ID, "", 0); err != nil || len(all) != 1 {
		t.Errorf("%d visits there, %v", len(all), err)
	}
}

func TestTransfer_WhereTo(t *testing.T) {
	r := newTwoRooms(t)
	ctx := t.Context()
	strange := rooms.WaitingRoom{ID: rooms.RoomID(newID()), Clinic: rooms.ClinicID(newID()), Name: "Of others"}
	r.from.must(r.store.PutClinic(ctx, rooms.Clinic{ID: strange.Clinic, Name: "Others"}))
	r.from.must(r.store.PutRoom(ctx, strange))
	id := r.from.visit("Ana Santos")
	patient, _ := r.from.open(id)
	desk, _ := r.from.open(r.from.staff())
	var got wire.Rooms
	r.from.must(nilOf(desk.ask(wire.TypeRooms, wire.Empty{}, &got)))
	if want := []wire.RoomInfo{{ID: string(r.to.room.ID), Name: r.to.room.Name}}; !slices.Equal(got.Rooms, want) {
		t.Errorf("other rooms %+v", got)
	}
	if err := patient.ask(wire.TypeRooms, wire.Empty{}, nil); code(err) != wire.CodeForbidden {
		t.Errorf("to a patient: %v", err)
	}
	if err := patient.ask(wire.TypeTransfer, r.transfer(id), nil); code(err) != wire.CodeForbidden {
		t.Errorf("by a patient: %v", err)
	}
	for _, room := range []rooms.RoomID{strange.ID, r.from.room.ID, "", rooms.RoomID(newID())} {
		to := wire.Transfer{Visit: string(id.Visit), Room: string(room)}
		if err := desk.ask(wire.TypeTransfer, to, nil); code(err) != wire.CodeBadValue {
			t.Errorf("to %q: %v", room, err)
		}
	}
	r.from.must(nilOf(patient.ask(wire.TypeCheckIn, wire.Empty{}, nil)))
	r.from.must(nilOf(desk.ask(wire.TypeAdmit, wire.Target{Visit: string(id.Visit), Seat: string(id.Seat)}, nil)))
	if err := desk.ask(wire.TypeTransfer, r.transfer(id), nil); code(err) != wire.CodeAlreadyAdmitted || err.By == "" {
		t.Errorf("of who is admitted: %v", err)
	}
}

func TestTransfer_TheStoreHasLostTheRooms_IsRetried(t *testing.T) {
	r := newTwoRooms(t)
	id := r.from.visit("Ana Santos")
	desk, _ := r.from.open(r.from.staff())
	r.lost.Store(true)
	if err := desk.ask(wire.TypeTransfer, r.transfer(id), nil); code(err) != wire.CodeRetry {
		t.Errorf("a transfer: %v", err)
	}
	if err := desk.ask(wire.TypeRooms, wire.Empty{}, nil); code(err) != wire.CodeRetry {
		t.Errorf("what rooms there are: %v", err)
	}
	r.lost.Store(false)
	r.from.must(nilOf(desk.ask(wire.TypeTransfer, r.transfer(id), nil)))
}

// TestTransfer_TheRoomIsHandedOverMeanwhile_TheNextOwnerFinishes, and whoever asked is answered there.
func TestTransfer_TheRoomIsHandedOverMeanwhile_TheNextOwnerFinishes(t *testing.T) {
	r := newTwoRooms(t)
	id := r.from.visit("Ana Santos")
	desk := r.from.dial(r.from.staff())
	hello := desk.hello()
	r.from.must(nilOf(desk.ask(wire.TypeHello, hello, nil)))
	r.cutAfterNext()
	data, err := json.Marshal(r.transfer(id))
	r.from.must(err)
	req := wire.Request{T: wire.TypeTransfer, ID: 90, D: data}
	r.from.must(desk.ws.WriteJSON(req))
	desk.waitList(map[string]wire.Row{}, func(rows map[string]wire.Row) bool { return rows[string(id.Seat)].Moving })
	r.from.hub.HandOver(t.Context())
	if got := desk.closeCode(); got != wire.CloseHandedOver {
		t.Errorf("closed with %d", got)
	}
	r.mend()
	back := r.to.dial(r.from.staff())
	hello.Handle = back.handle
	r.to.must(nilOf(back.ask(wire.TypeHello, hello, nil)))
	refused := back.give(req)
	for code(refused) == wire.CodeRetry {
		refused = back.give(req)
	}
	if refused != nil {
		t.Errorf("answered %v", refused)
	}
	_, welcome := r.to.open(id)
	if welcome.View.Room.ID != string(r.to.room.ID) || welcome.View.Me.Seat != string(id.Seat) {
		t.Errorf("in %+v as %+v", welcome.View.Room, welcome.View.Me)
	}
}
