package integration

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/rooms/store/bolt"
	"github.com/anteroom/anteroom/rooms/store/storetest"
	"github.com/anteroom/anteroom/signaling/wire"
	"github.com/anteroom/anteroom/test/client"
)

var (
	killSeed  = flag.Uint64("kills.seed", 0, "choose the commands and moments of the logged seed; 0: others each time")
	killTimes = flag.Int("kills.times", 10, "how often the server is killed under load")
)

const (
	workers    = 4
	workVisits = 3
)

// worker is a member of staff who gives one command after the other to visits of their own, and does for their patients
// what those do. So at most one command has no answer when the server dies, and everything else is known.
type worker struct {
	*clinic
	number int
	random *rand.Rand
	page   *client.Client
	id     string
	pace   *rate.Limiter

	visits   []visit
	patients []*client.Client
	states   []visitState

	open *openCommand // that has no answer
	acks *atomic.Int64
}

// openCommand is a command on its way.
type openCommand struct {
	visitCommand
	after  []visitState // the visits once it is done
	want   visitAnswer
	answer chan visitAnswer
	giveUp context.CancelFunc
}

// TestKills_UnderLoad_StateIsOfAllAnsweredCommandsAndPerhapsOfTheOpenOne kills the server at random moments, reads the
// file it left, starts it again on that file and goes on.
func TestKills_UnderLoad_StateIsOfAllAnsweredCommandsAndPerhapsOfTheOpenOne(t *testing.T) {
	seed := *killSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-kills.seed=%d -kills.times=%d", seed, *killTimes)
	p := startProcess(t)
	c := newClinic(t, &p.server)
	random := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // a test repeats it
	var acks atomic.Int64
	var staff []*worker
	for i := range workers {
		w := &worker{clinic: c, number: i, random: rand.New(rand.NewPCG(seed, uint64(i+1))), acks: &acks} //nolint:gosec // a test repeats it
		var link string
		w.id, link = c.staffLink(t, fmt.Sprintf("Dr. Number %d", i), wire.RoleClinician)
		w.page = open(t, link, wire.DeviceDesktop)
		staff = append(staff, w)
	}
	maker := &maker{clinic: newClinicNamed(t, &p.server, "made under load"), acks: &acks}

	found := map[string]int{}
	for range *killTimes {
		loadUntilKilled(t, p, staff, maker, random, found)
		storetest.CheckFile(t, p.file())
		db := get(bolt.Open(p.file(), bolt.Options{}))(t)
		for _, w := range staff {
			w.compare(t, p.opened(t, db), found)
		}
		maker.compare(t, p.opened(t, db))
		must(t, db.Close())
		p.start(t)
		for _, w := range staff {
			w.comeBack(t, found)
		}
		if n := p.metric(t, admitted); int(n) > found["admitted again, because repeated"] {
			t.Errorf("%d admissions after the restart", n)
		}
		found["admitted again, because repeated"] = 0
		maker.comeBack(t)
		if t.Failed() {
			return
		}
	}
	t.Logf("%d acknowledged, of them %d visits made by REST; open ones: %v", acks.Load(), len(maker.made), found)
	if found["open, done"] == 0 || found["open, not done"] == 0 {
		t.Log("no command was caught on one of the two sides") // a matter of luck with few kills
	}
}

// loadUntilKilled has everybody at work and kills the server at a moment of chance.
func loadUntilKilled(t *testing.T, p *process, staff []*worker, m *maker, random *rand.Rand, found map[string]int) {
	t.Helper()
	for _, w := range staff {
		w.renew(t)
	}
	dead := make(chan struct{})
	var work sync.WaitGroup
	for _, w := range staff {
		work.Go(func() { w.work(t, dead) })
	}
	ctx, stop := context.WithCancel(within(t))
	work.Go(func() { m.work(ctx) })

	until := staff[0].acks.Load() + 1 + random.Int64N(150)
	beat := time.NewTicker(time.Millisecond)
	defer beat.Stop()
	for staff[0].acks.Load() < until && ctx.Err() == nil {
		<-beat.C
	}
	moment := time.NewTimer(time.Duration(random.Int64N(int64(5 * time.Millisecond))))
	<-moment.C
	p.kill(t)
	for _, w := range staff {
		_ = get(w.page.WaitClosed(within(t)))(t)
		for _, page := range w.patients {
			_ = get(page.WaitClosed(within(t)))(t)
		}
	}
	close(dead)
	stop()
	work.Wait()
	found["kills"]++
}

func (p *process) file() string { return filepath.Join(p.data, "anteroom.db") }

// renew makes new visits for those that are over.
func (w *worker) renew(t *testing.T) {
	t.Helper()
	w.pace = rate.NewLimiter(15, 80) // below the limits of the protocol, which begin anew with a connection
	for i := range workVisits {
		if i < len(w.visits) && !w.states[i].over {
			continue
		}
		v := w.visit(t, fmt.Sprintf("Patient %d of %d", i, w.number))
		page := arrive(t, v.Seats[0].Link)
		if i == len(w.visits) {
			w.visits, w.patients, w.states = append(w.visits, v), append(w.patients, page), append(w.states, newVisitState())
			continue
		}
		w.visits[i], w.patients[i], w.states[i] = v, page, newVisitState()
	}
}

// work gives commands until the server is dead.
func (w *worker) work(t *testing.T, dead <-chan struct{}) {
	ctx, stop := context.WithCancel(within(t))
	defer stop()
	go func() {
		select {
		case <-dead:
			stop()
		case <-ctx.Done():
		}
	}()
	for w.pace.Wait(ctx) == nil {
		w.open = w.give(t, w.choose())
		select {
		case got := <-w.open.answer:
			w.answered(t, got)
		case <-dead:
			return
		}
	}
}

func (w *worker) answered(t *testing.T, got visitAnswer) {
	if got != w.open.want {
		t.Errorf("worker %d: %+v is answered %+v, not %+v", w.number, w.open.visitCommand, got, w.open.want)
	}
	w.states, w.open = w.open.after, nil
	w.acks.Add(1)
}

// choose takes any command, more often one that is allowed than not.
func (w *worker) choose() visitCommand {
	kinds := []wire.Type{
		wire.TypeAdmit, wire.TypeAdmit, wire.TypeHold, wire.TypeHold, wire.TypeResume, wire.TypeReturn, wire.TypeJoin, wire.TypeChat, wire.TypeLeave,
		wire.TypeCheckIn, wire.TypeCheckIn,
	}
	if w.random.IntN(25) == 0 {
		kinds = []wire.Type{wire.TypeEnd}
	}
	var c visitCommand
	for range 3 {
		c = visitCommand{visit: w.random.IntN(workVisits), t: kinds[w.random.IntN(len(kinds))], staff: w.number}
		if _, want := w.predict(c); want.code == "" {
			break
		}
	}
	if w.states[c.visit].over && (c.t == wire.TypeLeave || c.t == wire.TypeCheckIn) { // its patient's page is closed
		c.t = wire.TypeAdmit
	}
	return c
}

// predict answers the visits after a command, and the answer.
func (w *worker) predict(c visitCommand) ([]visitState, visitAnswer) {
	after := slices.Clone(w.states)
	var want visitAnswer
	after[c.visit], want = w.states[c.visit].apply(c)
	enters := c.t == wire.TypeAdmit || c.t == wire.TypeJoin || c.t == wire.TypeResume
	if !enters || want.code != "" {
		return after, want
	}
	for i := range after {
		var ok bool
		if i == c.visit {
			continue
		}
		if after[i], ok = w.states[i].away(w.number); !ok {
			return slices.Clone(w.states), visitAnswer{code: wire.CodeInOtherVisit}
		}
	}
	return after, want
}

// give sends a command. Its answer comes even if that takes another connection, unless it is given up.
func (w *worker) give(t *testing.T, c visitCommand) *openCommand {
	ctx, giveUp := context.WithCancel(t.Context())
	o := &openCommand{visitCommand: c, answer: make(chan visitAnswer, 1), giveUp: giveUp}
	o.after, o.want = w.predict(c)
	page, v := w.page, w.visits[c.visit]
	var data any = wire.Target{Visit: v.ID, Seat: v.Seats[0].ID}
	switch c.t {
	case wire.TypeLeave, wire.TypeCheckIn:
		page, data = w.patients[c.visit], wire.Empty{}
	case wire.TypeChat:
		data = wire.Chat{Visit: v.ID, Text: "x"}
	case wire.TypeEnd:
		data = wire.End{Visit: v.ID, Disposition: wire.DispositionDone}
	}
	go func() {
		raw, err := page.Do(ctx, c.t, data)
		a := visitAnswer{code: client.Code(err)}
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && a.code == "":
			t.Errorf("%+v: %v", c, err)
		case a.code == wire.CodeAlreadyAdmitted:
			a.by = w.number
		case err == nil && c.t == wire.TypeChat:
			var said wire.Said
			if err := json.Unmarshal(raw, &said); err != nil {
				t.Error(err)
			}
			a.message = said.N
		}
		o.answer <- a
	}()
	return o
}

// compare asks that the file has all that was answered, and of the open command everything or nothing.
func (w *worker) compare(t *testing.T, db store.Store, found map[string]int) {
	t.Helper()
	stored := make([]visitState, len(w.visits))
	for i, v := range w.visits {
		visit, err := db.Visit(t.Context(), rooms.VisitID(v.ID))
		if err != nil {
			t.Fatalf("visit %d of worker %d: %v", i, w.number, err)
		}
		stored[i] = stateOf(visit, map[string]int{w.id: w.number}).shown()
	}
	is := func(states []visitState) bool {
		return slices.EqualFunc(states, stored, func(a, b visitState) bool { return a.shown() == b })
	}
	switch {
	case w.open == nil && is(w.states):
		found["none open"]++
	case w.open == nil:
		t.Errorf("worker %d: the file has %+v; answered was %+v", w.number, stored, w.states)
	case is(w.states) && is(w.open.after):
		found["open, refused or nothing to do"]++
	case is(w.states):
		found["open, not done"]++
	case is(w.open.after):
		found["open, done"]++
	default:
		t.Errorf("worker %d: the file has %+v; answered was %+v, and %+v may have led to %+v",
			w.number, stored, w.states, w.open.visitCommand, w.open.after)
	}
	if w.open != nil && w.random.IntN(2) == 0 { // never to be repeated: what the file has counts
		w.open.giveUp()
		if is(w.open.after) {
			w.states = w.open.after
		}
		w.forget()
	}
}

// forget has the pages come back as other browsers would, which know of no command.
func (w *worker) forget() {
	w.page = w.page.Refreshed()
	for i := range w.patients {
		w.patients[i] = w.patients[i].Refreshed()
	}
	w.open = nil
}

// comeBack connects all pages again. A command that is still open is repeated by its page and done, once.
func (w *worker) comeBack(t *testing.T, found map[string]int) {
	t.Helper()
	t.Cleanup(w.page.Close)
	must(t, w.page.Connect(within(t)))
	for i, page := range w.patients {
		t.Cleanup(page.Close)
		ending := w.open != nil && w.open.visit == i && w.open.t == wire.TypeEnd // and if it was done, nobody is let in
		if !w.states[i].over && !ending {
			must(t, page.Connect(within(t)))
		}
	}
	if w.open != nil {
		if w.open.t == wire.TypeAdmit && w.open.want.code == "" {
			found["admitted again, because repeated"]++
		}
		select {
		case got := <-w.open.answer:
			w.answered(t, got)
		case <-within(t).Done():
			t.Fatalf("%+v has no answer", w.open.visitCommand)
		}
	}
	for i, s := range w.states {
		if !s.over {
			w.isBack(t, i, s)
		}
	}
}

// isBack waits until the pages of a visit show that it goes on.
func (w *worker) isBack(t *testing.T, i int, s visitState) {
	t.Helper()
	states := []wire.SeatState{s.patient}
	if s.patient == wire.SeatLeft { // and the page has come back
		states = append(states, wire.SeatChecking)
	}
	if view, err := w.patients[i].WaitView(within(t), func(v wire.View) bool {
		return slices.Contains(states, v.Me.State) && v.Send == (s.patient == wire.SeatAdmitted)
	}); err != nil {
		t.Errorf("the patient is %q, send %t; before %q", view.Me.State, view.Send, s.patient)
	}
	if !s.contains(w.number) {
		return
	}
	if view, err := w.page.WaitView(within(t), func(v wire.View) bool { return v.Visit != nil && v.Visit.ID == w.visits[i].ID }); err != nil {
		t.Errorf("worker %d is in %+v, not in %s", w.number, view.Visit, w.visits[i].ID)
	}
}

// maker makes visits by REST, each by a key of its own, so that a request without an answer can be repeated.
type maker struct {
	*clinic
	made []string // ids of visits that were answered
	open string   // key of the request without an answer
	keys int
	acks *atomic.Int64
}

func newClinicNamed(t *testing.T, s *server, name string) *clinic {
	t.Helper()
	return &clinic{server: s, room: call[struct{ ID string }](t, s, http.MethodPost, "/v1/rooms", object{"name": name}).ID}
}

// work makes visits until one has no answer.
func (m *maker) work(ctx context.Context) {
	for m.open == "" && ctx.Err() == nil {
		m.keys++
		key := fmt.Sprint("key ", m.keys)
		if id, err := m.make(ctx, key); err == nil {
			m.made = append(m.made, id)
			m.acks.Add(1)
		} else {
			m.open = key
		}
	}
}

var errNotMade = errors.New("not made")

func (m *maker) make(ctx context.Context, key string) (string, error) {
	body := fmt.Sprintf(`{"room":%q,"patient":{"name":"P"}}`, m.room)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, m.url+"/v1/visits", strings.NewReader(body))
	if err != nil {
		return "", err
	}
	r.Header.Set("Authorization", "Bearer "+m.key)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", key)
	transport := &http.Transport{DisableKeepAlives: true}
	resp, err := transport.RoundTrip(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var v visit
	if err := json.NewDecoder(resp.Body).Decode(&v); err != nil {
		return "", err
	}
	if resp.StatusCode >= 300 {
		return "", fmt.Errorf("%w: status %d", errNotMade, resp.StatusCode)
	}
	return v.ID, nil
}

// compare asks that the room has the visits that were answered, and at most the one more.
func (m *maker) compare(t *testing.T, db store.Store) {
	t.Helper()
	_, visits, err := db.LoadRoom(t.Context(), rooms.RoomID(m.room))
	must(t, err)
	there := map[string]bool{}
	for _, v := range visits {
		there[string(v.ID)] = true
	}
	for _, id := range m.made {
		if !there[id] {
			t.Errorf("visit %s was answered and is not there", id)
		}
	}
	if more := len(there) - len(m.made); more < 0 || more > 1 {
		t.Errorf("%d visits are there, %d were answered", len(there), len(m.made))
	}
}

// comeBack repeats the open request.
func (m *maker) comeBack(t *testing.T) {
	t.Helper()
	if m.open == "" {
		return
	}
	m.made = append(m.made, get(m.make(within(t), m.open))(t))
	m.open = ""
}
