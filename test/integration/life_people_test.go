package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/time/rate"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/signaling/wire"
	"github.com/anteroom/anteroom/test/client"
)

// surgery is two waiting rooms with staff at work. Two people talk all the time and three wait all the time, so that there is always
// something to count.
type surgery struct {
	*process
	rooms      [2]*clinic
	desks      [2]*tab
	clerks     []*clerk
	stayers    []*tab
	longVisit  visit
	generation atomic.Int64
	gate       sync.RWMutex // held for reading while somebody does something

	mu     sync.Mutex
	pages  map[*tab]struct{} // that are open
	did    map[string]int    // commands that were acknowledged, by action
	made   int               // visits
	failed error             // the first
	wrong  chan struct{}     // closed with it
	seen   []sample
	prints [][]fingerprint    // taken at each checkpoint
	from   map[*clinic]string // visits up to this one are erased
}

// clerk is a clinician who does one visit after the other.
type clerk struct {
	clinic *clinic
	page   *tab
	random *rand.Rand
	pace   *rate.Limiter // of visits, below what the protocol lets one page ask
}

func newSurgery(t *testing.T) *surgery {
	t.Helper()
	l := &surgery{process: startProcess(t), pages: map[*tab]struct{}{}, did: map[string]int{}, wrong: make(chan struct{}), from: map[*clinic]string{}}
	t.Cleanup(func() {
		for page := range l.pages { // nobody is at work any more
			page.close()
		}
	})
	for i := range l.rooms {
		l.rooms[i] = newClinicNamed(t, &l.server, fmt.Sprint("Room ", i))
		_, link := l.rooms[i].staffLink(t, "Desk", wire.RoleStaff)
		l.desks[i] = l.open(t, link, wire.DeviceDesktop)
		for j := range 2 {
			_, link := l.rooms[i].staffLink(t, fmt.Sprint("Clinician ", j), wire.RoleClinician)
			l.clerks = append(l.clerks, &clerk{clinic: l.rooms[i], page: l.open(t, link, wire.DeviceDesktop), pace: rate.NewLimiter(1, 1)})
		}
	}
	l.settleIn(t)
	return l
}

// open opens a page that stays.
func (l *surgery) open(t *testing.T, link string, device wire.Device) *tab {
	t.Helper()
	return get(l.join(within(t), link, device))(t)
}

// settleIn brings in those who stay.
func (l *surgery) settleIn(t *testing.T) {
	t.Helper()
	ctx := within(t)
	_, link := l.rooms[0].staffLink(t, "Dr. Long", wire.RoleClinician)
	doctor := l.open(t, link, wire.DeviceDesktop)
	for i := range 4 {
		v := get(l.visit(ctx, l.rooms[0], object{"patient": object{"name": fmt.Sprint(stays, " ", i)}}))(t)
		page := l.open(t, v.Seats[0].Link, wire.DevicePhone)
		must(t, l.ack(rooms.ActCheckIn, page.CheckIn(ctx)))
		l.stayers = append(l.stayers, page)
		if i == 0 {
			_ = get(page.media(ctx))(t)
			_ = get(doctor.media(ctx))(t)
			must(t, l.ack(rooms.ActAdmit, doctor.Admit(ctx, v.ID, v.Seats[0].ID)))
			l.longVisit = v
		}
	}
	l.stayers = append(l.stayers, doctor)
}

// join opens a link, says hello and counts the page as open.
func (l *surgery) join(ctx context.Context, link string, device wire.Device) (*tab, error) {
	page, err := client.Join(ctx, link, client.Options{Device: device})
	if err != nil {
		return nil, fmt.Errorf("join: %w", err)
	}
	return l.enter(ctx, page)
}

func (l *surgery) enter(ctx context.Context, page *client.Client) (*tab, error) {
	t, err := newTab(ctx, page)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pages[t] = struct{}{}
	return t, nil
}

// leave closes a page.
func (l *surgery) leave(page *tab) {
	page.close()
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.pages, page)
}

// refresh is the page after a refresh.
func (l *surgery) refresh(ctx context.Context, page *tab) (*tab, error) {
	again := page.Refreshed()
	l.leave(page)
	return l.enter(ctx, again)
}

// ack counts a command that was acknowledged.
func (l *surgery) ack(action string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", action, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.did[action]++
	return nil
}

// visit makes one by REST.
func (l *surgery) visit(ctx context.Context, at *clinic, body object) (v visit, err error) {
	body["room"] = at.room
	err = l.rest(ctx, http.MethodPost, "/v1/visits", body, &v)
	l.mu.Lock()
	l.made++
	l.mu.Unlock()
	return v, l.ack(rooms.ActCreate, err)
}

var errREST = errors.New("refused by REST")

func (l *surgery) rest(ctx context.Context, method, path string, body object, into any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, method, l.url+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+l.key)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", l.text(fmt.Sprint(rand.Uint64())))
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%w: %s %s: %d %s", errREST, method, path, resp.StatusCode, answer)
	}
	return json.Unmarshal(answer, into)
}

// work does one visit after the other until the context ends. The first thing that goes wrong ends all.
func (l *surgery) work(ctx context.Context, w *clerk) {
	for w.pace.Wait(ctx) == nil {
		if err := l.one(ctx, w); err != nil {
			l.goesWrong(err)
			return
		}
	}
}

func (l *surgery) goesWrong(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed == nil {
		l.failed = err
		close(l.wrong)
	}
}

// one is a visit from its making to its end, whatever that is. What has begun is brought to its end also if all is to stop.
func (l *surgery) one(ctx context.Context, w *clerk) error {
	l.gate.RLock()
	defer l.gate.RUnlock()
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), 4*patience)
	defer done()
	v, err := l.visit(ctx, w.clinic, object{
		"patient": object{"name": l.text("patient"), "birthDate": "1950-02-03"}, "reason": l.text("reason"), "externalId": l.text(fmt.Sprint(w.random.Uint64())),
		"guests": []object{{"role": "caregiver", "name": l.text("guest")}},
	})
	if err != nil {
		return err
	}
	if err := l.staffAtWork(ctx, w); err != nil {
		return err
	}
	switch w.random.IntN(12) {
	case 0:
		return l.ack(rooms.ActCancel, w.page.Cancel(ctx, v.ID, l.text("reason")))
	case 1:
		return l.ack(rooms.ActNoShow, w.page.NoShow(ctx, v.ID))
	case 2:
		var ended struct{ Phase string }
		return l.ack(rooms.ActCancel, l.rest(ctx, http.MethodPost, "/v1/visits/"+v.ID+"/cancel", object{"reason": l.text("reason")}, &ended))
	}
	return l.treat(ctx, w, v)
}

// staffAtWork is what happens to a clinician's own page.
func (l *surgery) staffAtWork(ctx context.Context, w *clerk) (err error) {
	switch w.random.IntN(12) {
	case 0:
		var page *tab
		if page, err = l.refresh(ctx, w.page); err == nil {
			w.page = page
		}
	case 1:
		err = w.page.cut(ctx)
	}
	return err
}

// treat is a visit whose patient comes.
func (l *surgery) treat(ctx context.Context, w *clerk, v visit) error {
	p := &caller{surgery: l, clerk: w, visit: v, seat: v.Seats[0].ID, talks: w.random.IntN(4) == 0}
	steps := []func(context.Context) error{p.come, p.wait, p.enter, p.speak}
	for range w.random.IntN(4) {
		steps = append(steps, []func(context.Context) error{p.hold, p.refresh, p.cut, p.guest, p.speak, p.sendBack}[w.random.IntN(6)])
	}
	for _, step := range append(steps, p.end) {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// caller is a patient in one visit.
type caller struct {
	*surgery
	clerk *clerk
	visit visit
	seat  string
	page  *tab
	talks bool // with sound and picture
}

func (p *caller) state(ctx context.Context, s wire.SeatState) error {
	if view, err := p.page.WaitView(ctx, func(v wire.View) bool { return v.Me.State == s }); err != nil {
		return fmt.Errorf("the patient is %q, not %q: %w", view.Me.State, s, err)
	}
	return nil
}

func (p *caller) come(ctx context.Context) (err error) {
	if p.page, err = p.join(ctx, p.visit.Seats[0].Link, wire.DevicePhone); err != nil {
		return err
	}
	return p.ack(rooms.ActCheckIn, p.page.CheckIn(ctx))
}

// wait is what people do who wait: write, refresh, lose their network, walk in and out.
func (p *caller) wait(ctx context.Context) error {
	_, err := p.page.Chat(ctx, wire.Chat{Text: p.text("are you there?")})
	if err := p.ack(rooms.ActSay, err); err != nil {
		return err
	}
	switch p.clerk.random.IntN(5) {
	case 0:
		return p.refresh(ctx)
	case 1:
		return p.cut(ctx)
	case 2:
		if err := p.ack(rooms.ActMove, p.clerk.page.Move(ctx, p.visit.ID, "", p.text("in pain"))); err != nil {
			return err
		}
	}
	return nil
}

// enter is an admission, with the identity card opened before.
func (p *caller) enter(ctx context.Context) error {
	if p.talks {
		if _, err := p.page.media(ctx); err != nil {
			return fmt.Errorf("the patient's media: %w", err)
		}
	}
	if err := persist(ctx, func() error { return p.clerk.page.Prepare(ctx, p.visit.ID, p.seat, true) }); err != nil {
		return fmt.Errorf("the identity card: %w", err)
	}
	if err := p.ack(rooms.ActAdmit, p.clerk.page.Admit(ctx, p.visit.ID, p.seat)); err != nil {
		return err
	}
	return p.state(ctx, wire.SeatAdmitted)
}

// speak is a word each way, and if there is media some packets.
func (p *caller) speak(ctx context.Context) error {
	for by, chat := range map[*tab]wire.Chat{
		p.page: {Text: p.text("hello")}, p.clerk.page: {Visit: p.visit.ID, Text: p.text("good morning")},
	} {
		_, err := by.Chat(ctx, chat)
		if err := p.ack(rooms.ActSay, err); err != nil {
			return err
		}
	}
	if !p.talks {
		return nil
	}
	theirs, err := p.page.media(ctx)
	if err != nil {
		return fmt.Errorf("the patient's media: %w", err)
	}
	ours, err := p.clerk.page.media(ctx)
	if err != nil {
		return fmt.Errorf("the clinician's media: %w", err)
	}
	return errors.Join(flows(ctx, theirs, ours, client.Mark(p.seat)), flows(ctx, ours, theirs, client.Mark(p.visit.ID)))
}

// flows sends until some has come.
func flows(ctx context.Context, from, to *client.Peer, m client.Mark) error {
	ctx, stop := context.WithCancel(ctx)
	var streaming sync.WaitGroup
	streaming.Go(func() { _ = from.Stream(ctx, func() client.Mark { return m }) })
	defer streaming.Wait()
	defer stop()
	if err := to.WaitMark(ctx, m, 2); err != nil {
		return fmt.Errorf("nothing is heard and seen: %w", err)
	}
	return nil
}

func (p *caller) hold(ctx context.Context) error {
	if err := p.ack(rooms.ActHold, p.clerk.page.Hold(ctx, p.visit.ID, p.seat)); err != nil {
		return err
	}
	if err := p.state(ctx, wire.SeatHeld); err != nil {
		return err
	}
	if err := p.ack(rooms.ActResume, p.clerk.page.Resume(ctx, p.visit.ID, p.seat)); err != nil {
		return err
	}
	return p.state(ctx, wire.SeatAdmitted)
}

func (p *caller) refresh(ctx context.Context) error {
	page, err := p.surgery.refresh(ctx, p.page)
	if err == nil {
		p.page = page
	}
	return err
}

func (p *caller) cut(ctx context.Context) error { return p.page.cut(ctx) }

// sendBack returns the patient to the waiting room, and admits them again.
func (p *caller) sendBack(ctx context.Context) error {
	if err := p.ack(rooms.ActReturn, p.clerk.page.Return(ctx, p.visit.ID, p.seat)); err != nil {
		return err
	}
	if err := p.state(ctx, wire.SeatWaiting); err != nil {
		return err
	}
	return p.enter(ctx)
}

// guest is somebody who is invited, comes, is let in and goes; the tab is closed before or after.
func (p *caller) guest(ctx context.Context) error {
	invited, err := p.clerk.page.Invite(ctx, wire.Invite{Visit: p.visit.ID, Role: wire.RoleInterpreter, Name: p.text("interpreter")})
	if err := p.ack(rooms.ActInvite, err); err != nil {
		return err
	}
	page, err := p.join(ctx, invited.Link, wire.DevicePhone)
	if err != nil {
		return err
	}
	defer p.leave(page)
	if err := p.ack(rooms.ActCheckIn, page.CheckIn(ctx)); err != nil {
		return err
	}
	if err := p.ack(rooms.ActAdmit, p.clerk.page.Admit(ctx, p.visit.ID, invited.Seat)); err != nil {
		return err
	}
	if p.clerk.random.IntN(2) == 0 {
		return nil // and is still in the visit
	}
	return p.ack(rooms.ActLeave, page.Leave(ctx))
}

// end is the end of the visit. Half of the patients have closed the tab before, also with their media on.
func (p *caller) end(ctx context.Context) error {
	if p.clerk.random.IntN(2) == 0 {
		p.leave(p.page)
	} else {
		defer p.leave(p.page)
	}
	return p.ack(rooms.ActEnd, p.clerk.page.End(ctx, p.visit.ID, wire.DispositionDone))
}

// pause has everybody stand still until resume is called.
func (l *surgery) pause() (resume func()) {
	l.gate.Lock()
	return l.gate.Unlock
}

// truth is what there is by the people's own account.
type truth struct {
	pages, peers int
	did          map[string]int
	made         int
}

func (l *surgery) truth() truth {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := truth{did: map[string]int{}, made: l.made}
	for page := range l.pages {
		if page.Connected() {
			now.pages++
		}
		if page.Peer() != nil {
			now.peers++
		}
	}
	for action, n := range l.did {
		now.did[action] = n
	}
	return now
}
