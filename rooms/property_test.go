package rooms

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// opening are the only actions that may let somebody be with somebody who was not before.
var opening = []string{ActAdmit, ActJoin, ActResume}

// marker stands for everything personal.
const marker = "MARKER"

// run is a room under random commands, beside what was durable and all values that were ever handed out.
type run struct {
	t       *rapid.T
	room    *Room
	durable map[VisitID]*Visit
	seen    []handedOut
	now     time.Time
	ids     map[string]uint64
	hits    map[string]int
}

type handedOut struct {
	visit   *Visit
	content string
}

// TestRoom_RandomCommands holds everything that must hold, whatever is asked in whatever order.
func TestRoom_RandomCommands(t *testing.T) {
	hits := map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		w := about
		w.Order = rapid.SampledFrom([]Order{ByArrival, BySchedule}).Draw(rt, "order")
		r := &run{t: rt, room: NewRoom(w, nil), durable: map[VisitID]*Visit{}, now: start, ids: map[string]uint64{}, hits: hits}
		for range rapid.IntRange(50, 200).Draw(rt, "commands") {
			r.step()
		}
		for _, h := range r.seen {
			if frozen(rt, h.visit) != h.content {
				rt.Fatalf("a value was changed after it was handed out: visit %s version %d", h.visit.ID, h.visit.Version)
			}
		}
	})
	t.Log(hits)
	for name := range example { // else the run has proved nothing
		if hits[name] == 0 {
			t.Errorf("%s never changed anything", name)
		}
	}
}

func (r *run) step() {
	r.now = r.now.Add(time.Duration(rapid.IntRange(-1, 5).Draw(r.t, "seconds")) * time.Second)
	if rapid.IntRange(0, 30).Draw(r.t, "set") == 0 {
		r.now = r.now.Add(rapid.SampledFrom([]time.Duration{-time.Hour, time.Hour}).Draw(r.t, "clock"))
	}
	cmd := r.command()
	before, queue := maps.Clone(r.room.visits), r.room.Queue()
	out, err := r.room.Apply(cmd, r.now)
	if !maps.Equal(before, r.room.visits) || !slices.Equal(queue, r.room.Queue()) {
		r.t.Fatalf("%s changed the room before Install", cmd.Do.Name())
	}
	if err != nil {
		if refusal := (*Error)(nil); !errors.As(err, &refusal) || strings.Contains(err.Error(), marker) || len(out.Visits) > 0 {
			r.t.Fatalf("%s: %v %+v", cmd.Do.Name(), err, out)
		}
		return
	}
	r.changed(cmd, before, out)
	r.room.Install(out.Visits...)
	r.repeated(cmd, out)
	r.holds(cmd, queue)
	for _, v := range out.Visits {
		if rapid.Bool().Draw(r.t, "durable") {
			r.durable[v.ID] = v
		}
	}
}

// command is mostly one that its actor may give about a seat that there is.
func (r *run) command() Command {
	n := rapid.IntRange(1, 4).Draw(r.t, "visit")
	client := rapid.SampledFrom([]string{"", "a", "b"}).Draw(r.t, "client")
	if client != "" {
		r.ids[client]++
	}
	cmd := Command{Client: client, ID: r.ids[client], Visit: visitID(n)}
	v, known := r.room.Visit(cmd.Visit)
	if !known {
		cmd.Actor, cmd.Do = server, Create{Visit: personal(n)}
		if rapid.IntRange(0, 3).Draw(r.t, "received") == 0 {
			in := movingTo(about.ID, personal(n))
			in.Forward.Reason = marker
			in.Seats[0].State, in.Seats[0].WaitingSince, in.Phase = SeatWaiting, r.now.Add(-time.Hour), PhaseWaiting
			cmd.Do = Receive{Visit: in}
		}
		return cmd
	}
	seat := rapid.SampledFrom(v.Seats).Draw(r.t, "seat").ID
	cmd.Do = r.action(n, seat)
	cmd.Actor = rapid.SampledFrom([]Actor{doctor, another, desk, holder(seat), server}).Draw(r.t, "actor")
	switch name := cmd.Do.Name(); {
	case rapid.IntRange(0, 9).Draw(r.t, "anybody") == 0:
	case May(Clinician, name) && (!May(Patient, name) || cmd.Actor.Seat == ""):
		cmd.Actor = rapid.SampledFrom([]Actor{doctor, another, desk}).Draw(r.t, "staff")
	case May(Patient, name):
		cmd.Actor = holder(seat)
	default:
		cmd.Actor = server
	}
	if cmd.Actor.Staff != "" {
		cmd.Actor.Name = marker
	}
	return cmd
}

func personal(n int) Visit {
	v := newVisitOf(n)
	v.External, v.Reason, v.ScheduledAt = marker, marker, start.Add(time.Duration(n%2)*time.Minute)
	v.Seats[0].Name, v.Seats[0].Language, v.Seats[0].BirthDate = marker, "x-MARKER", "1970-01-31"
	return v
}

func (r *run) action(v int, seat SeatID) Action {
	names := slices.Sorted(maps.Keys(example))
	// Endings are rarer, so that visits live, and what makes them live is more frequent.
	names = append(names, ActCheckIn, ActCheckIn, ActCheckIn, ActCheckIn, ActAdmit, ActAdmit, ActAdmit, ActResume, ActHold, ActMove, ActTransfer, ActTransfer)
	name := rapid.SampledFrom(names).Draw(r.t, "action")
	if slices.Contains([]string{ActEnd, ActCancel, ActNoShow, ActRemove, ActTransfer}, name) && rapid.IntRange(0, 5).Draw(r.t, "really") > 0 {
		name = ActCheckIn
	}
	empty := rapid.Bool().Draw(r.t, "empty")
	if at, _ := r.room.Visit(visitID(v)); at.Moving() && empty { // else nothing more happens to it
		return Depart{Visit: at.Forward.Visit}
	}
	switch name {
	case ActHold, ActResume, ActSay:
		if empty {
			seat = ""
		}
		if name == ActSay {
			return Say{Text: marker, Thread: seat}
		}
	case ActInvite:
		role := rapid.SampledFrom([]Role{Specialist, Observer, Caregiver}).Draw(r.t, "role")
		i := guest(v, rapid.IntRange(1, 3).Draw(r.t, "guest"), role)
		i.Seat.Name = marker
		return i
	case ActHandOver:
		to := rapid.SampledFrom([]Actor{doctor, another, desk}).Draw(r.t, "to")
		return HandOver{To: to.Staff, ToName: marker, Role: to.Role}
	case ActMove:
		m := Move{Reason: marker}
		if !empty {
			m.Before = visitID(rapid.IntRange(1, 4).Draw(r.t, "before"))
		}
		return m
	case ActTransfer:
		return Transfer{To: elsewhere.ID, Reason: marker}
	case ActLock:
		return Lock{On: empty}
	case ActCancel:
		return Cancel{Reason: marker}
	}
	return example[name](seat)
}

// changed looks at what one command decided.
func (r *run) changed(cmd Command, before map[VisitID]*Visit, out Outcome) {
	name := cmd.Do.Name()
	if len(out.Visits) > 0 {
		r.hits[name]++
	}
	opens := false
	for _, v := range out.Visits {
		old := before[v.ID]
		if old == nil {
			old = &Visit{}
		}
		if v.Version != old.Version+1 {
			r.t.Fatalf("%s: version %d after %d", name, v.Version, old.Version)
		}
		mustRoundTrip(r.t, v)
		r.seen = append(r.seen, handedOut{v, frozen(r.t, v)})
		for _, route := range Routes(v) {
			opens = opens || !slices.Contains(Routes(old), route)
		}
		r.neverBack(old, v)
	}
	if opens && (!out.Opens || !slices.Contains(opening, name)) {
		r.t.Fatalf("%s lets somebody in, Opens is %v", name, out.Opens)
	}
	if (name == ActErase || name == ActDepart) && len(out.Visits) > 0 && strings.Contains(frozen(r.t, out.Visit), marker) {
		r.t.Fatalf("after %s: %s", name, frozen(r.t, out.Visit))
	}
	if old := before[cmd.Visit]; old != nil && old.Moving() && len(out.Visits) > 0 && name != ActDepart {
		r.t.Fatalf("%s of a visit that is on its way", name)
	}
}

// neverBack: over stays over, removed stays removed, chat is not lost but by erasure.
func (r *run) neverBack(old, v *Visit) {
	if old.Phase.Over() && v.Phase != old.Phase {
		r.t.Fatalf("%s became %s", old.Phase, v.Phase)
	}
	for _, was := range old.Seats {
		is, ok := v.Seat(was.ID)
		if !ok || (was.State == SeatRemoved && is.State != SeatRemoved) || is.LinkGen < was.LinkGen {
			r.t.Fatalf("%+v became %+v", was, is)
		}
	}
	if len(v.Chat) < len(old.Chat) && v.ErasedAt.IsZero() && v.Phase != PhaseMoved {
		r.t.Fatal("chat was lost")
	}
}

// repeated gives the command again, which must change nothing and answer the same.
func (r *run) repeated(cmd Command, out Outcome) {
	if cmd.Client == "" || len(out.Visits) == 0 || cmd.Do.Name() == ActErase {
		return
	}
	again, err := r.room.Apply(cmd, r.now.Add(time.Hour))
	if err != nil || !again.Repeated || again.Opens || len(again.Visits) > 0 ||
		again.Seat != out.Seat || again.Message != out.Message || again.Visit != r.room.visits[cmd.Visit] {
		r.t.Fatalf("%s again: %+v %v", cmd.Do.Name(), again, err)
	}
}

// holds looks at the whole room.
func (r *run) holds(cmd Command, queue []*Visit) {
	admitted, seats := map[StaffID]VisitID{}, map[SeatID]VisitID{}
	for v := range r.room.Visits() {
		r.routes(v)
		staffed, company := false, false
		for _, s := range v.Seats {
			if other, twice := seats[s.ID]; twice { // else a route of one visit could lead into the other
				r.t.Fatalf("seat %s is in %s and %s", s.ID, other, v.ID)
			}
			seats[s.ID] = v.ID
			switch {
			case s.State != SeatAdmitted:
			case s.Staff == "":
				company = true
			default:
				staffed = true
				if other, twice := admitted[s.Staff]; twice {
					r.t.Fatalf("%s is admitted to %s and %s", s.Staff, other, v.ID)
				}
				admitted[s.Staff] = v.ID
			}
		}
		if company && !staffed {
			r.t.Fatalf("after %s people are alone in %s", cmd.Do.Name(), v.ID)
		}
		if p := v.Patient(); (p.State == SeatAdmitted && v.Phase != PhaseActive) || (p.State == SeatHeld && v.Phase != PhaseHeld) {
			r.t.Fatalf("the patient is %s, the visit %s", p.State, v.Phase)
		}
	}
	if !maps.Equal(admitted, r.room.inVisit) {
		r.t.Fatalf("index of staff %v, truth %v", r.room.inVisit, admitted)
	}
	rebuilt := NewRoom(r.room.About(), slices.Collect(r.room.Visits()))
	if now := r.room.Queue(); !slices.Equal(now, rebuilt.Queue()) {
		r.t.Fatalf("queue %v, rebuilt %v", order(r.room), order(rebuilt))
	}
	ahead := 0
	for v := range r.room.QueueFrom(Place{}) {
		if got, ok := r.room.Ahead(v.ID); !ok || got != ahead {
			r.t.Fatalf("%d patients before %s, not %d", got, v.ID, ahead)
		}
		if p := v.Patient(); p != nil && p.State == SeatWaiting {
			ahead++
		}
	}
	r.order(cmd, queue)
}

// order: those that the command is not about stand to each other as before.
func (r *run) order(cmd Command, queue []*Visit) {
	var was []VisitID
	for _, v := range queue {
		was = append(was, v.ID)
	}
	is := order(r.room)
	was = slices.DeleteFunc(was, func(id VisitID) bool { return id == cmd.Visit || !slices.Contains(is, id) })
	is = slices.DeleteFunc(is, func(id VisitID) bool { return id == cmd.Visit || !slices.Contains(was, id) })
	if !slices.Equal(was, is) {
		r.t.Fatalf("%s of %s: order %v became %v", cmd.Do.Name(), cmd.Visit, was, is)
	}
}

// routes checks them seat by seat, and what is in force and shown of them.
func (r *run) routes(v *Visit) {
	durable := r.durable[v.ID]
	routes, force := Routes(v), InForce(v, durable)
	for _, route := range routes {
		for _, id := range []SeatID{route.From, route.To} {
			s, ok := v.Seat(id)
			if !ok || s.State != SeatAdmitted || v.Phase.Over() {
				r.t.Fatalf("a route of %s has %+v in a visit %s", v.ID, s, v.Phase)
			}
		}
		if from, _ := v.Seat(route.From); route.From == route.To || from.Role == Observer {
			r.t.Fatalf("route %+v", route)
		}
	}
	for _, route := range force {
		if durable == nil || !slices.Contains(routes, route) || !slices.Contains(Routes(durable), route) {
			r.t.Fatalf("in force, but not in both: %+v", route)
		}
		for _, id := range []SeatID{route.From, route.To} {
			if was, ok := durable.Seat(id); !ok || was.State != SeatAdmitted {
				r.t.Fatalf("in force before it is durable that %s is admitted: %+v", id, was)
			}
		}
	}
	shown := Shown(v, durable)
	for _, s := range shown.Seats {
		if s.State != SeatAdmitted {
			continue
		}
		if was, ok := before(durable, s); !ok || was.State != SeatAdmitted {
			r.t.Fatalf("%s is shown as admitted before that is durable", s.ID)
		}
	}
	if !v.Phase.Over() && shown.Phase != phaseOf(shown) {
		r.t.Fatalf("shown as %s", shown.Phase)
	}
}

// TestApply_DoesNotTouchItsInputs compares deep copies of everything a command could reach.
func TestApply_DoesNotTouchItsInputs(t *testing.T) {
	w := newWorld(t, about)
	w.wait(1, 2, 3)
	w.do(1, doctor, guest(1, 1, Specialist))
	w.do(1, doctor, Admit{seatID(1, 0)})
	w.do(1, doctor, Say{Text: "hello"})
	w.do(1, doctor, Hold{})
	for v := range w.room.Visits() { // room behind the slices, where a careless append would write
		v.Seats, v.Chat, v.Seen = slices.Grow(v.Seats, 4), slices.Grow(v.Chat, 4), slices.Grow(v.Seen, 4)
	}
	for name, action := range example {
		for _, actor := range []Actor{doctor, another, holder(seatID(2, 0)), server} {
			t.Run(fmt.Sprintf("%s/%s%s", name, actor.Name, actor.Seat), func(t *testing.T) {
				do := action(seatID(2, 0))
				visits, command := deep(t, w), fmt.Sprintf("%+v", do)
				_, _ = w.room.Apply(Command{Actor: actor, Client: "c", ID: 1, Visit: visitID(2), Do: do}, w.now)
				if !reflect.DeepEqual(visits, deep(t, w)) || fmt.Sprintf("%+v", do) != command {
					t.Error("changed")
				}
			})
		}
	}
}

func deep(t *testing.T, w *world) map[VisitID]string {
	all := map[VisitID]string{}
	for v := range w.room.Visits() {
		all[v.ID] = frozen(t, v) + frozen(t, v.Seats[:cap(v.Seats)]) + frozen(t, v.Chat[:cap(v.Chat)]) + frozen(t, v.Seen[:cap(v.Seen)])
	}
	return all
}
