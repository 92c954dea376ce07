package integration

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"golang.org/x/time/rate"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/signaling/wire"
	"github.com/anteroom/anteroom/test/client"
)

var (
	raceSeed   = flag.Uint64("races.seed", 0, "choose the commands of the logged seed; 0: others each time")
	raceStaff  = flag.Int("races.staff", 8, "staff of the race, up to 32")
	raceVisits = flag.Int("races.visits", 12, "patients of the race")
	raceSteps  = flag.Int("races.steps", 40, "commands of each member of staff")
)

const (
	raceReach = 3 // how far from one another the visits are that staff work at, so that they meet
	judging   = 4 * time.Minute
	faultEach = 100 // commands between two troubles of the store
)

// race is a history in the making: staff and patients give commands at once, over sockets that are cut now and then,
// while the store fails or hangs now and then.
type race struct {
	*local
	*clinic
	visits   []visit
	patients []*client.Client
	staff    []*racer
	numbers  map[string]int // of staff by name and by id
	begin    time.Time
	given    atomic.Int64 // commands of staff

	mu      sync.Mutex
	history []porcupine.Operation
	counts  map[string]int // of answers
}

// racer is one member of staff.
type racer struct {
	*client.Client
	number int
	random *rand.Rand
	pace   *rate.Limiter
	been   []int // visits where they may be or have been since they were surely in one
}

func TestRace_StaffAndPatients_EveryVisitIsLinearizable(t *testing.T) {
	seed := *raceSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-races.seed=%d -races.staff=%d -races.visits=%d -races.steps=%d", seed, *raceStaff, *raceVisits, *raceSteps)
	l := startLocal(t)
	r := &race{local: l, clinic: newClinic(t, &l.server), numbers: map[string]int{}, counts: map[string]int{}}
	for i := range *raceStaff {
		name := fmt.Sprintf("Dr. Number %d", i)
		id, link := r.staffLink(t, name, wire.RoleClinician)
		r.numbers[name], r.numbers[id] = i, i
		r.staff = append(r.staff, &racer{
			Client: open(t, link, wire.DeviceDesktop), number: i, random: rand.New(rand.NewPCG(seed, uint64(i))), //nolint:gosec // a test repeats it
			pace: rate.NewLimiter(15, 10), // below the limits of the protocol
		})
	}
	for i := range *raceVisits {
		r.visits = append(r.visits, r.visit(t, fmt.Sprintf("Patient %d", i)))
		r.patients = append(r.patients, arrive(t, r.visits[i].Seats[0].Link))
	}
	r.run(t, seed)
	for i := range r.visits {
		r.look(t, 0, i)
	}
	r.judge(t)
}

// run has everybody at work until the staff have given all their commands.
func (r *race) run(t *testing.T, seed uint64) {
	t.Helper()
	r.begin = time.Now()
	var work, comings sync.WaitGroup
	for _, who := range r.staff {
		work.Go(func() {
			for range *raceSteps {
				r.step(t, who)
			}
		})
	}
	ctx, stop := context.WithCancel(t.Context())
	for i := range r.patients {
		random := rand.New(rand.NewPCG(seed, uint64(1000+i))) //nolint:gosec // a test repeats it
		comings.Go(func() { r.comeAndGo(ctx, i, random) })
	}
	work.Wait()
	stop()
	comings.Wait()
	r.store.Resume()
}

// front is the visit around which staff work now: all begin at the first and end at the last.
func (r *race) front() int {
	return int(r.given.Load()) * len(r.visits) / (*raceStaff * *raceSteps)
}

// step gives one command of a member of staff.
func (r *race) step(t *testing.T, who *racer) {
	_ = who.pace.Wait(t.Context()) // fails with the test only
	if n := r.given.Add(1); n%faultEach == 0 {
		r.trouble(int(n / faultEach))
	}
	n := min(max(r.front()+who.random.IntN(2*raceReach+1)-raceReach, 0), len(r.visits)-1)
	kinds := []wire.Type{
		wire.TypeAdmit, wire.TypeAdmit, wire.TypeAdmit, wire.TypeAdmit, wire.TypeResume, wire.TypeResume, wire.TypeJoin, wire.TypeHold,
		wire.TypeReturn, wire.TypeChat, wire.TypeChat, typeLook,
	}
	if in := who.View().Visit; in != nil && who.random.IntN(2) == 0 { // or they would stay there and could do nothing else
		n = slices.IndexFunc(r.visits, func(v visit) bool { return v.ID == in.ID })
		kinds = []wire.Type{wire.TypeHold, wire.TypeHold, wire.TypeReturn, wire.TypeEnd, wire.TypeChat}
	}
	kind := kinds[who.random.IntN(len(kinds))]
	if kind == typeLook {
		r.look(t, who.number+1, n)
		return
	}
	r.command(t, who, visitCommand{visit: n, t: kind, staff: who.number})
}

// command gives a command and notes it. One in ten is not repeated when the answer is retry; from one in twenty the
// socket is cut.
func (r *race) command(t *testing.T, who *racer, c visitCommand) {
	c.busy = slices.ContainsFunc(who.been, func(n int) bool { return n != c.visit })
	do := who.Do
	if who.random.IntN(10) == 0 {
		do = who.Once
	}
	call := time.Since(r.begin)
	data, err := r.cutting(t, who, func(ctx context.Context) (json.RawMessage, error) {
		return do(ctx, c.t, r.dataOf(c))
	})
	ret := time.Since(r.begin)
	a := r.answer(t, c, data, err)
	r.note(who.number+1, c, a, call, ret)
	r.entered(who, c, a, call, ret)
}

// entered notes where a member of staff is after an answer, and that they are nowhere else.
func (r *race) entered(who *racer, c visitCommand, a visitAnswer, call, ret time.Duration) {
	enters := c.t == wire.TypeAdmit || c.t == wire.TypeResume || c.t == wire.TypeJoin
	switch {
	case enters && a.unknown:
		who.been = append(who.been, c.visit)
	case enters && a.code == "":
		for _, other := range who.been {
			if other != c.visit {
				r.note(who.number+1, visitCommand{visit: other, t: typeAway, staff: who.number}, visitAnswer{}, call, ret)
			}
		}
		who.been = []int{c.visit}
	}
}

// cutting waits for an answer, over as many connections as that takes.
func (r *race) cutting(t *testing.T, who *racer, do func(context.Context) (json.RawMessage, error)) (data json.RawMessage, err error) {
	cut := who.random.IntN(20) == 0
	ctx := within(t)
	waiting, answered := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer answered()
		data, err = do(ctx)
	}()
	if cut {
		who.Cut()
	}
	for {
		code, ended := who.WaitClosed(waiting)
		if ended != nil {
			<-done
			return data, err
		}
		r.mu.Lock()
		r.counts[fmt.Sprintf("closed %d", code)]++
		r.mu.Unlock()
		if err := who.Connect(ctx); err != nil && ctx.Err() == nil {
			t.Logf("come back: %v", err)
		}
	}
}

func (r *race) dataOf(c visitCommand) any {
	v := r.visits[c.visit]
	switch c.t {
	case wire.TypeEnd:
		return wire.End{Visit: v.ID, Disposition: wire.DispositionDone}
	case wire.TypeChat:
		return wire.Chat{Visit: v.ID, Text: "x"}
	case wire.TypeLeave, wire.TypeCheckIn:
		return wire.Empty{}
	}
	return wire.Target{Visit: v.ID, Seat: v.Seats[0].ID}
}

// answer reads what came back; it is an error of the test's own if that says so.
func (r *race) answer(t *testing.T, c visitCommand, data json.RawMessage, err error) visitAnswer {
	refusal := (*client.Error)(nil)
	switch {
	case errors.As(err, &refusal) && refusal.Code == wire.CodeRetry:
		return visitAnswer{unknown: true}
	case errors.As(err, &refusal):
		a := visitAnswer{code: refusal.Code}
		if a.code == wire.CodeAlreadyAdmitted {
			by, ok := r.numbers[refusal.By]
			if !ok {
				t.Errorf("%+v: by %q", c, refusal.By)
			}
			a.by = by
		}
		return a
	case err != nil:
		t.Errorf("%+v: %v", c, err)
		return visitAnswer{unknown: true}
	}
	var said wire.Said
	if c.t == wire.TypeChat {
		must(t, json.Unmarshal(data, &said))
	}
	return visitAnswer{message: said.N}
}

func (r *race) note(who int, c visitCommand, a visitAnswer, call, ret time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.history = append(r.history, porcupine.Operation{
		ClientId: who, Input: c, Output: a, Call: call.Nanoseconds(), Return: ret.Nanoseconds(),
	})
	result := string(a.code)
	if a.unknown {
		result = "unknown"
	}
	r.counts[strings.TrimSpace(string(c.t)+" "+result)]++
}

// look reads a visit as its owner has it.
func (r *race) look(t *testing.T, who, n int) {
	call := time.Since(r.begin)
	v, err := r.hub.Visit(within(t), rooms.RoomID(r.room), rooms.VisitID(r.visits[n].ID))
	ret := time.Since(r.begin)
	if err != nil {
		t.Errorf("look: %v", err)
		return
	}
	r.note(who, visitCommand{visit: n, t: typeLook}, visitAnswer{seen: stateOf(v, r.numbers)}, call, ret)
}

// stateOf reads a stored visit as the model has it; numbers are those of staff by id.
func stateOf(v *rooms.Visit, numbers map[string]int) visitState {
	s := visitState{by: -1, begun: !v.StartedAt.IsZero(), over: v.Phase.Over(), messages: v.LastMessage}
	for _, seat := range v.Seats {
		if seat.Staff == "" {
			s.patient = wire.SeatState(seat.State)
			if seat.State == rooms.SeatChecking {
				s.patient = wire.SeatLeft // whose page has come back
			}
			if by, ok := numbers[string(seat.AdmittedBy)]; ok {
				s.by = by
			}
			continue
		}
		bit := uint32(1) << numbers[string(seat.Staff)]
		s.seats |= bit
		if seat.State == rooms.SeatAdmitted {
			s.inside |= bit
		}
	}
	return s
}

// comeAndGo has a patient leave and come back whenever staff work at their visit, until that is over.
func (r *race) comeAndGo(ctx context.Context, n int, random *rand.Rand) {
	page := r.patients[n]
	ctx, over := context.WithCancel(ctx)
	defer over()
	go func() {
		_, _ = page.WaitClosed(ctx)
		over()
	}()
	pace := rate.NewLimiter(5, 1)
	for pace.Wait(ctx) == nil {
		if away := n - r.front(); away < -raceReach || away > raceReach || random.IntN(3) > 0 {
			continue
		}
		for _, kind := range []wire.Type{wire.TypeLeave, wire.TypeCheckIn} {
			c := visitCommand{visit: n, t: kind, staff: -1}
			call := time.Since(r.begin)
			_, err := page.Do(ctx, kind, wire.Empty{})
			ret, a := time.Since(r.begin), visitAnswer{code: client.Code(err)}
			if err != nil && (a.code == "" || a.code == wire.CodeRetry) { // the page was closed meanwhile
				a, ret = visitAnswer{unknown: true}, time.Hour
			}
			r.note(len(r.staff)+1+n, c, a, call, ret)
			if a.unknown {
				return
			}
		}
	}
}

// trouble stops the store for a moment, or has it hang.
func (r *race) trouble(n int) {
	if n%2 == 0 {
		r.store.Block()
	} else {
		r.store.Stop()
	}
	time.AfterFunc(100*time.Millisecond, r.store.Resume)
}

// judge asks the model of every visit, and a model that is wrong whether it would be found.
func (r *race) judge(t *testing.T) {
	t.Helper()
	t.Logf("%d operations in %v: %v", len(r.history), time.Since(r.begin).Round(time.Second), r.counts)
	for _, tried := range []string{
		"admit", "admit already_admitted", "hold", "resume", "return", "end", "chat", "leave", "check_in", "look", "away",
	} {
		if r.counts[tried] == 0 {
			t.Errorf("never: %s", tried)
		}
	}
	result, info := porcupine.CheckOperationsVerbose(visitModel(visitState.follow), r.history, judging)
	if result != porcupine.Ok {
		t.Errorf("the histories of the visits: %s; see %s", result, r.draw(t, info))
	}
	for name, wrong := range brokenModels {
		if result := porcupine.CheckOperationsTimeout(visitModel(wrong), r.history, judging); result != porcupine.Illegal {
			t.Errorf("a server that %s: %s", name, result)
		}
	}
}

// draw writes the histories as a page to look at, which stays after the test.
func (r *race) draw(t *testing.T, info porcupine.LinearizationInfo) string {
	t.Helper()
	file := get(os.CreateTemp("", "anteroom-race-*.html"))(t)
	defer file.Close()
	must(t, porcupine.Visualize(visitModel(visitState.follow), info, file))
	return file.Name()
}
