package integration

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/anishathalye/porcupine"

	"github.com/anteroom/anteroom/signaling/wire"
	"github.com/anteroom/anteroom/test/client"
)

const (
	chaosPatience = 45 * time.Second // for an answer, over all that goes wrong
	never         = time.Hour        // when an answer comes that did not
)

// busyRoom is a waiting room in which staff give commands, patients come and go, and others wait.
type busyRoom struct {
	race     // its histories
	chaos    *chaos
	number   int
	over     []chan struct{} // closed when a patient's page has come to its end
	ended    time.Duration   // when people stopped giving commands
	watchers []*client.Client
	order    []string // seats of the watchers
	links    []string // of all patients, watchers last
}

func newBusyRoom(t *testing.T, c *chaos, n int) *busyRoom {
	t.Helper()
	r := &busyRoom{chaos: c, number: n, race: race{clinic: newClinic(t, &c.server), numbers: map[string]int{}, counts: map[string]int{}}}
	for i := range chaosStaff {
		name := fmt.Sprintf("Dr. Number %d", i)
		id, link := r.staffLink(t, name, wire.RoleClinician)
		r.numbers[name], r.numbers[id] = i, i
		r.staff = append(r.staff, &racer{
			Client: open(t, link, wire.DeviceDesktop), number: i, random: c.randomOf(1 + 100*n + i), pace: rate.NewLimiter(6, 6),
		})
	}
	for i := range chaosPatients + chaosWatchers {
		v := r.visit(t, fmt.Sprintf("Patient %d", i))
		page := arrive(t, v.Seats[0].Link)
		r.links = append(r.links, v.Seats[0].Link)
		if i < chaosPatients {
			r.visits, r.patients = append(r.visits, v), append(r.patients, page)
		} else {
			r.watchers, r.order = append(r.watchers, page), append(r.order, v.Seats[0].ID)
		}
	}
	return r
}

// keep has all pages come back, whatever happens, until ctx ends.
func (r *busyRoom) keep(ctx context.Context, t *testing.T, pages *sync.WaitGroup) {
	r.over = make([]chan struct{}, len(r.patients))
	for i, page := range r.patients {
		r.over[i] = make(chan struct{})
		pages.Go(func() {
			defer close(r.over[i])
			keep(ctx, t, page)
		})
	}
	for _, page := range r.watchers {
		pages.Go(func() { keep(ctx, t, page) })
	}
	for _, who := range r.staff {
		pages.Go(func() { keep(ctx, t, who.Client) })
	}
}

// work has people give commands until ctx ends.
func (r *busyRoom) work(ctx context.Context, t *testing.T, work *sync.WaitGroup) {
	r.begin = time.Now()
	for i, page := range r.patients {
		random := r.chaos.randomOf(10_000 + 100*r.number + i)
		work.Go(func() {
			there, over := context.WithCancel(ctx)
			defer over()
			work.Go(func() {
				defer over()
				select {
				case <-r.over[i]:
				case <-there.Done():
				}
			})
			r.comeAndGo(there, t, i, page, random)
		})
	}
	for _, who := range r.staff {
		work.Go(func() {
			for who.pace.Wait(ctx) == nil && r.command(ctx, t, who, r.choose(who)) {
			}
		})
	}
}

// keep has a page come back as pages do, until ctx ends or its visit is over. Any other reason not to be let in is wrong.
func keep(ctx context.Context, t *testing.T, page *client.Client) {
	for {
		code, err := page.WaitClosed(ctx)
		if err != nil || code == wire.CloseOver {
			return
		}
		if code >= wire.CloseTakenOver && code <= wire.CloseBadMessage {
			t.Errorf("a page was closed with %d", code)
			return
		}
		err = comeBackAsPagesDo(ctx, page, func(err error) bool { return client.Code(err) == wire.CodeRetry || client.Code(err) == "" })
		switch code := client.Code(err); {
		case ctx.Err() != nil || code == wire.CodeVisitOver:
			return
		case err != nil:
			t.Errorf("a page was refused with %s", code)
			return
		}
	}
}

// choose draws a command of a member of staff.
func (r *busyRoom) choose(who *racer) visitCommand {
	kinds := []wire.Type{
		wire.TypeAdmit, wire.TypeAdmit, wire.TypeAdmit, wire.TypeResume, wire.TypeResume, wire.TypeJoin, wire.TypeHold, wire.TypeReturn,
		wire.TypeChat, wire.TypeChat,
	}
	n := who.random.IntN(len(r.visits))
	if in := who.View().Visit; in != nil && who.random.IntN(2) == 0 {
		n = slices.IndexFunc(r.visits, func(v visit) bool { return v.ID == in.ID })
		kinds = []wire.Type{wire.TypeHold, wire.TypeHold, wire.TypeReturn, wire.TypeChat}
		if who.random.IntN(12) == 0 {
			kinds = []wire.Type{wire.TypeEnd}
		}
	}
	return visitCommand{visit: n, t: kinds[who.random.IntN(len(kinds))], staff: who.number}
}

// command gives a command, which is repeated until it is answered, and notes what came of it; false if nothing did.
func (r *busyRoom) command(ctx context.Context, t *testing.T, who *racer, c visitCommand) bool {
	c.busy = slices.ContainsFunc(who.been, func(n int) bool { return n != c.visit })
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), chaosPatience)
	defer cancel()
	call := time.Since(r.begin)
	data, err := who.Do(ctx, c.t, r.dataOf(c))
	ret := time.Since(r.begin)
	var a visitAnswer
	if isUnknown(err) {
		a, ret = visitAnswer{unknown: true}, never
		t.Errorf("%+v has no answer: %v", c, err)
	} else {
		a = r.answer(t, c, data, err)
	}
	r.note(who.number+1, c, a, call, ret)
	r.entered(who, c, a, call, ret)
	return !a.unknown
}

// isUnknown tells whether nothing is known of what became of a command.
func isUnknown(err error) bool {
	return err != nil && (client.Code(err) == "" || client.Code(err) == wire.CodeRetry)
}

// comeAndGo has a patient leave and come back now and then, until ctx ends.
func (r *busyRoom) comeAndGo(ctx context.Context, t *testing.T, n int, page *client.Client, random *rand.Rand) {
	pace := rate.NewLimiter(rate.Every(time.Second), 1)
	for pace.Wait(ctx) == nil {
		if random.IntN(4) > 0 {
			continue
		}
		for _, kind := range []wire.Type{wire.TypeLeave, wire.TypeCheckIn} {
			c := visitCommand{visit: n, t: kind, staff: -1}
			call := time.Since(r.begin)
			_, err := page.Do(ctx, kind, wire.Empty{})
			ret, a := time.Since(r.begin), visitAnswer{code: client.Code(err)}
			if isUnknown(err) { // the visit is over, or the test; it may still be done when the page comes back
				a, ret = visitAnswer{unknown: true}, never
			}
			r.note(len(r.staff)+1+n, c, a, call, ret)
			if a.unknown {
				return
			}
		}
	}
}

// lastLook reads every visit once everything is mended, and has something said in it, whose number tells what was said before.
func (r *busyRoom) lastLook(t *testing.T) {
	t.Helper()
	who := r.staff[0]
	for n, v := range r.visits {
		call := time.Since(r.begin)
		seen := stateOfRead(r.clinic.look(t, v.ID), r.numbers)
		r.note(0, visitCommand{visit: n, t: typeLook}, visitAnswer{seen: seen, glance: true}, call, time.Since(r.begin))
		if !r.command(t.Context(), t, who, visitCommand{visit: n, t: wire.TypeChat, staff: who.number}) {
			return
		}
	}
}

// looked is a visit as the REST API shows it.
type looked struct {
	Phase     string
	StartedAt *time.Time
	Seats     []struct{ Staff, State string }
}

func (c *clinic) look(t *testing.T, id string) looked {
	t.Helper()
	return call[looked](t, c.server, http.MethodGet, "/v1/visits/"+id, nil)
}

// stateOfRead is a visit as the model has it, as far as the REST API shows it.
func stateOfRead(v looked, numbers map[string]int) visitState {
	s := visitState{by: -1, begun: v.StartedAt != nil, over: v.Phase == string(wire.PhaseEnded)}
	for _, seat := range v.Seats {
		if seat.Staff == "" {
			s.patient = wire.SeatState(seat.State)
			if s.patient == wire.SeatChecking {
				s.patient = wire.SeatLeft // whose page has come back
			}
			continue
		}
		bit := uint32(1) << numbers[seat.Staff]
		s.seats |= bit
		if seat.State == string(wire.SeatAdmitted) {
			s.inside |= bit
		}
	}
	return s
}

// seatsLost opens every link anew and answers how many do not lead to their seat, or are out of order.
func (r *busyRoom) seatsLost(t *testing.T) (lost int) {
	t.Helper()
	desk := r.staff[0].Client
	_, err := desk.WaitList(within(t), func(rows []wire.Row) bool {
		var got []string
		for _, row := range rows {
			if slices.Contains(r.order, row.Seat) && row.State == wire.SeatWaiting {
				got = append(got, row.Seat)
			}
		}
		return slices.Equal(got, r.order)
	})
	if err != nil {
		t.Errorf("who has waited all the time is not in line: %v", err)
		lost++
	}
	seats := r.order
	for n := range r.visits {
		seats = slices.Insert(slices.Clone(seats), n, r.visits[n].Seats[0].ID)
	}
	for i, link := range r.links {
		page, err := client.Join(within(t), link, client.Options{})
		if err == nil {
			defer page.Close() // they are few
			err = page.ConnectAs(within(t), client.Hello{Takeover: true})
		}
		over := i < len(r.visits) && r.clinic.look(t, r.visits[i].ID).Phase == string(wire.PhaseEnded)
		if !over && (err != nil || page.View().Me.Seat != seats[i]) {
			t.Errorf("link %d leads to %+v: %v", i, page, err)
			lost++
		}
	}
	return lost
}

// followTakeovers is visitState.follow where somebody admitted may be on hold at any moment: an owner that takes over less than a page has seen
// puts them there until staff resume (docs/architecture.md, 'What was seen is not undone').
func followTakeovers(s visitState, c visitCommand, a visitAnswer) []visitState {
	next := s.follow(c, a)
	if s.patient == wire.SeatAdmitted {
		s.patient = wire.SeatHeld
		next = append(next, s.follow(c, a)...)
	}
	return next
}

// judge asks the model of each visit. An acknowledged command is lost if the last look at a visit, and nothing else, cannot be.
func (r *busyRoom) judge(t *testing.T) (lost int, linearizable bool) {
	t.Helper()
	linearizable = true
	for n := range r.visits {
		var all, before []porcupine.Operation
		for _, op := range r.history {
			if op.Input.(visitCommand).visit != n {
				continue
			}
			all = append(all, op)
			if op.ClientId != 0 && op.Call < r.ended.Nanoseconds() {
				before = append(before, op)
			}
		}
		model := visitModel(followTakeovers)
		switch result, info := porcupine.CheckOperationsVerbose(model, all, judging); {
		case result == porcupine.Ok:
		case porcupine.CheckOperationsTimeout(model, before, judging) == porcupine.Ok:
			t.Errorf("visit %d of room %d has lost something; see %s", n, r.number, r.draw(t, info))
			lost++
		default:
			t.Errorf("visit %d of room %d: %s; see %s", n, r.number, result, r.draw(t, info))
			linearizable = false
		}
	}
	return lost, linearizable
}
