package integration

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/anteroom/anteroom/signaling/wire"
	"github.com/anteroom/anteroom/test/client"
)

var (
	seatSeed  = flag.Uint64("seat.seed", 0, "repeat the disturbances that logged this seed; 0: others each time")
	seatTurns = flag.Int("seat.turns", 20, "disturbances")
	seatLong  = flag.Bool("seat.long", false, "networks stay away for up to two minutes")
)

const (
	linesATurn   = 4 // of a person: a visit takes 1,000
	longPatience = 5 * time.Minute
)

// sitter is somebody who has a seat, whatever happens to their page.
type sitter struct {
	person
	cable *cable
	link  string
	opts  client.Options
	was   wire.View // at first
	lines []written

	mu      sync.Mutex // guards all below, for the writer
	current *client.Client
	shown   context.Context //nolint:containedctx // as long as current is the person's page
	leave   context.CancelFunc
}

// written is a chat message. Nobody knows of one whose page was gone before the answer whether it was said.
type written struct {
	text   string
	unsure bool
}

// house is a waiting room in which two talk and two wait, and a colleague at the desk, who is never disturbed.
type house struct {
	*process
	*clinic
	random *rand.Rand
	desk   *client.Client
	doctor *sitter
	maria  *sitter   // is in the visit
	line   []*sitter // wait
	all    []*sitter
	long   bool // the two minutes are over
}

// disturbance is something that happens to a person's page.
type disturbance struct {
	name string
	do   func(h *house, t *testing.T, who *sitter)
}

var disturbances = []disturbance{
	{"refresh", (*house).refresh},
	{"cut", (*house).cut},
	{"cut with media", (*house).cutWithMedia},
	{"reopen", (*house).reopen},
	{"second device", (*house).secondDevice},
	{"dead socket", (*house).deadSocket},
	{"wrong clock", (*house).wrongClock},
}

func TestSeat_WhateverHappensToPages_IsKept(t *testing.T) {
	seed := *seatSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-seat.seed=%d -seat.turns=%d", seed, *seatTurns)
	h := newHouse(t, rand.New(rand.NewPCG(seed, 0))) //nolint:gosec // a test repeats it
	h.check(t, "before anything happened")
	happened := map[string]int{}
	var deck []int // each kind comes once before any comes again
	for turn := range *seatTurns {
		if len(deck) == 0 {
			deck = h.random.Perm(len(disturbances))
		}
		what, who := disturbances[deck[0]], h.all[h.random.IntN(len(h.all))]
		deck = deck[1:]
		happened[what.name]++
		h.turn(t, fmt.Sprintf("turn %d: %s of %s", turn, what.name, who.name), what, who)
	}
	h.checkChat(t)
	t.Logf("%v", happened)
}

func newHouse(t *testing.T, random *rand.Rand) *house {
	t.Helper()
	h := &house{process: startProcess(t), random: random}
	h.clinic = newClinic(t, &h.process.server)
	h.desk = h.clinician(t, "Dr. Lee")
	_, link := h.staffLink(t, "Dr. Ada Byron", wire.RoleClinician)
	h.doctor = h.seat(t, "doctor", link, wire.DeviceDesktop)
	for _, name := range []string{"maria", "omar", "wei"} {
		s := h.seat(t, name, h.visit(t, name).Seats[0].Link, wire.DevicePhone)
		must(t, s.CheckIn(within(t)))
		waitState(t, s.Client, wire.SeatWaiting)
		h.all = append(h.all, s)
	}
	h.maria, h.line = h.all[0], h.all[1:]
	h.all = append(h.all, h.doctor)
	for _, s := range h.all {
		connect(t, &s.person)
	}
	must(t, h.doctor.Admit(within(t), h.maria.View().Visit.ID, h.maria.View().Me.Seat))
	h.maria.maySend(t)
	h.doctor.maySend(t)
	for i, s := range h.line {
		_, err := s.WaitView(within(t), func(v wire.View) bool { return v.Queue != nil && v.Queue.Ahead == i })
		must(t, err)
	}
	for _, s := range h.all {
		s.was = s.View()
	}
	return h
}

func (h *house) seat(t *testing.T, name, link string, device wire.Device) *sitter {
	t.Helper()
	s := &sitter{cable: newCable(t, h.process.url), opts: client.Options{Device: device}}
	s.name, s.link = name, s.cable.through(t, link)
	s.take(s.join(t))
	t.Cleanup(func() { s.leave() })
	must(t, s.Connect(within(t)))
	return s
}

// join opens the link in a browser that never saw it.
func (s *sitter) join(t *testing.T) *client.Client {
	t.Helper()
	page := get(client.Join(within(t), s.link, s.opts))(t)
	t.Cleanup(page.Close)
	return page
}

// take makes a page the person's own.
func (s *sitter) take(page *client.Client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leave != nil {
		s.leave()
	}
	s.Client, s.current = page, page
	s.shown, s.leave = context.WithCancel(context.Background())
}

// say says something on the person's page, and gives up when they have another one.
func (s *sitter) say(t *testing.T, what wire.Chat) error {
	t.Helper()
	s.mu.Lock()
	page, shown := s.current, s.shown
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(shown, longPatience)
	defer cancel()
	_, err := page.Chat(ctx, what)
	return err
}

// turn disturbs somebody while everybody writes, and asks whether anything was lost.
func (h *house) turn(t *testing.T, name string, what disturbance, who *sitter) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	var writing sync.WaitGroup
	for _, s := range h.all {
		writing.Go(func() { h.write(ctx, t, s) })
	}
	what.do(h, t, who)
	connect(t, &who.person)
	stop()
	writing.Wait()
	h.check(t, name)
	if t.Failed() {
		t.Fatalf("after %s", name)
	}
}

// write writes a few lines, on whatever page the person has by then. A line that was begun is waited for.
func (h *house) write(ctx context.Context, t *testing.T, s *sitter) {
	beat := time.NewTicker(25 * time.Millisecond)
	defer beat.Stop()
	for range linesATurn {
		l := written{text: fmt.Sprintf("%s %d", s.name, len(s.lines))}
		said := wire.Chat{Text: l.text}
		if s == h.doctor {
			said.Visit = h.maria.was.Visit.ID
		}
		err := s.say(t, said)
		l.unsure = errors.Is(err, client.ErrDisconnected) || errors.Is(err, context.Canceled)
		if err != nil && !l.unsure {
			t.Errorf("%s: %v", l.text, err)
			return
		}
		s.lines = append(s.lines, l)
		select {
		case <-beat.C:
		case <-ctx.Done():
			return
		}
	}
}

// check asks that everybody is where they were, once, that they hear and read each other, and that nobody was admitted again.
func (h *house) check(t *testing.T, when string) {
	t.Helper()
	for i, s := range h.all {
		_, err := s.WaitView(within(t), func(v wire.View) bool {
			ahead := (v.Queue == nil) == (s.was.Queue == nil) && (v.Queue == nil || v.Queue.Ahead == s.was.Queue.Ahead && v.Queue.Since == s.was.Queue.Since)
			return v.Me == s.was.Me && ahead && v.Visit != nil && v.Visit.ID == s.was.Visit.ID && v.Send == s.was.Send
		})
		if err != nil {
			t.Fatalf("%s: %d %s has %+v %+v, had %+v %+v", when, i, s.name, s.View().Me, s.View().Queue, s.was.Me, s.was.Queue)
		}
	}
	h.checkList(t, when)
	together(t, h.doctor.Client, h.maria.was.Me.Seat, h.doctor.was.Me.Seat)
	together(t, h.maria.Client, h.maria.was.Me.Seat, h.doctor.was.Me.Seat)
	talkAll(t, when[:min(len(when), 20)], &h.doctor.person, &h.maria.person)
	for _, s := range h.all {
		h.read(t, s)
	}
	for action, want := range map[string]uint64{"admit": 1, "check_in": 3, "return": 0, "leave": 0, "remove": 0} {
		if n := h.metric(t, fmt.Sprintf(`anteroom_commands_total{action=%q,result="ok"}`, action)); n != want {
			t.Errorf("%s: %d of %s", when, n, action)
		}
	}
	h.noGhosts(t, when)
}

// checkList asks of the colleague's list that each person is there once, present, and in order.
func (h *house) checkList(t *testing.T, when string) {
	t.Helper()
	want := []string{h.maria.was.Me.Seat + " admitted"}
	for _, s := range h.line {
		want = append(want, s.was.Me.Seat+" waiting")
	}
	var got []string
	_, err := h.desk.WaitList(within(t), func(rows []wire.Row) bool {
		got = got[:0]
		for _, r := range rows {
			if r.Link == wire.LinkConnected && r.Ready {
				got = append(got, fmt.Sprint(r.Seat, " ", r.State))
			}
		}
		return slices.Equal(got, want) && len(rows) == len(want)
	})
	if err != nil {
		t.Fatalf("%s: the list has %+v, not %v; the desk is connected: %t", when, h.desk.List(), want, h.desk.Connected())
	}
}

// noGhosts asks that there is a socket for each page and no other, once the server has let go of those it closed.
func (h *house) noGhosts(t *testing.T, when string) {
	t.Helper()
	ctx, beat := within(t), time.NewTicker(20*time.Millisecond)
	defer beat.Stop()
	for want := uint64(len(h.all) + 1); ; <-beat.C {
		n := h.metric(t, "anteroom_sockets")
		if n == want {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("%s: %d sockets of %d pages", when, n, want)
		}
	}
}

// read asks that what a person wrote is there once, in the order of writing, for somebody who may read it.
func (h *house) read(t *testing.T, from *sitter) {
	t.Helper()
	reader := h.desk
	switch from {
	case h.maria:
		reader = h.doctor.Client
	case h.doctor:
		reader = h.maria.Client
	}
	lines := from.lines
	for len(lines) > 0 && lines[len(lines)-1].unsure {
		lines = lines[:len(lines)-1]
	}
	if len(lines) == 0 {
		return
	}
	if _, err := reader.WaitMessage(within(t), lines[len(lines)-1].text); err != nil {
		t.Fatalf("%q is not there: %v", lines[len(lines)-1].text, err)
	}
	found := map[string]int{}
	for _, m := range reader.Messages() {
		found[m.Text]++
	}
	for _, l := range lines[max(0, len(lines)-2*linesATurn):] { // a page that comes anew is sent the newest only
		if n := found[l.text]; n > 1 || n == 0 && !l.unsure {
			t.Errorf("%q is there %d times", l.text, n)
		}
	}
}

// checkChat reads every line again, as the desk and the pages that were open all the time were told them.
func (h *house) checkChat(t *testing.T) {
	t.Helper()
	lines, unsure := 0, 0
	for _, s := range h.all {
		for _, l := range s.lines {
			lines++
			if l.unsure {
				unsure++
			}
		}
	}
	found := map[string]int{}
	for _, m := range h.desk.Messages() {
		found[m.Text]++
	}
	for _, s := range h.line {
		for _, l := range s.lines {
			if n := found[l.text]; n > 1 || n == 0 && !l.unsure {
				t.Errorf("%q is there %d times", l.text, n)
			}
		}
	}
	t.Logf("%d lines of chat, %d of them of pages that were gone before the answer", lines, unsure)
}

// refresh: the old page goes before the new one comes, or the other way round.
func (h *house) refresh(t *testing.T, who *sitter) {
	t.Helper()
	old := who.Client
	page := old.Refreshed()
	t.Cleanup(page.Close)
	if h.random.IntN(2) == 0 {
		old.Close()
		must(t, page.Connect(within(t)))
	} else {
		must(t, page.Connect(within(t)))
		if code := get(old.WaitClosed(within(t)))(t); code != wire.CloseTakenOver {
			t.Errorf("the page before was closed with %d", code)
		}
		old.Close()
	}
	who.take(page)
}

// cut: the network resets the socket; media goes on.
func (h *house) cut(t *testing.T, who *sitter) {
	t.Helper()
	peer := who.Peer()
	who.cable.cut()
	_ = get(who.WaitClosed(within(t)))(t)
	must(t, who.Connect(within(t)))
	if who.Peer() != peer {
		t.Errorf("%s lost the media connection with the socket", who.name)
	}
}

// cutWithMedia: no network at all, until the server has seen it; in long tests until media has failed, and once for two minutes.
func (h *house) cutWithMedia(t *testing.T, who *sitter) {
	t.Helper()
	peer := who.Peer()
	peer.Sever(true)
	who.cable.sever()
	_ = get(who.WaitClosed(within(t)))(t)
	switch {
	case *seatLong && !h.long:
		h.long = true
		away := time.NewTimer(2 * time.Minute)
		<-away.C
	case *seatLong && h.random.IntN(4) == 0:
		must(t, peer.WaitEnded(context.WithoutCancel(t.Context())))
	case h.random.IntN(3) > 0:
		h.seenAway(t, who)
	}
	peer.Sever(false)
	who.cable.mend()
	must(t, who.Connect(within(t)))
}

// seenAway waits until the others see that somebody's signaling is away.
func (h *house) seenAway(t *testing.T, who *sitter) {
	t.Helper()
	seat := who.was.Me.Seat
	var err error
	if who == h.doctor {
		_, err = h.maria.WaitView(within(t), func(v wire.View) bool {
			return slices.ContainsFunc(v.People, func(p wire.Person) bool { return p.Seat == seat && p.Link != wire.LinkConnected })
		})
	} else {
		_, err = h.desk.WaitList(within(t), func(rows []wire.Row) bool {
			return slices.ContainsFunc(rows, func(r wire.Row) bool { return r.Seat == seat && r.Link != wire.LinkConnected })
		})
	}
	if err != nil {
		t.Fatalf("nobody sees that %s is away: %v", who.name, err)
	}
}

// reopen: the tab is closed, and the link opened again, in this browser or in one that never saw it.
func (h *house) reopen(t *testing.T, who *sitter) {
	t.Helper()
	old := who.Client
	old.Close()
	h.seenAway(t, who)
	page := old.NewTab()
	if h.random.IntN(2) == 0 {
		page = who.join(t)
	}
	t.Cleanup(page.Close)
	must(t, page.Connect(within(t)))
	who.take(page)
}

// secondDevice: another device asks, takes over, and gives back.
func (h *house) secondDevice(t *testing.T, who *sitter) {
	t.Helper()
	first, second := who.Client, who.join(t)
	who.move(t, first, second)
	connect(t, &who.person)
	who.move(t, second, first)
	second.Close()
}

// move has the seat taken over from one page by another, which asks first.
func (s *sitter) move(t *testing.T, from, to *client.Client) {
	t.Helper()
	if err := to.Connect(within(t)); client.Code(err) != wire.CodeSeatInUse {
		t.Fatalf("%s on another device: %v", s.name, err)
	}
	must(t, to.ConnectAs(within(t), client.Hello{Takeover: true}))
	if code := get(from.WaitClosed(within(t)))(t); code != wire.CloseTakenOver {
		t.Errorf("the other device was closed with %d", code)
	}
	s.take(to)
}

// deadSocket: nothing passes any more and nobody is told.
func (h *house) deadSocket(t *testing.T, who *sitter) {
	t.Helper()
	who.cable.clog()
	h.seenAway(t, who)
	_ = get(who.WaitClosed(within(t)))(t)
	must(t, who.Connect(within(t)))
}

// wrongClock: the link is opened on a phone whose clock is an hour off, and the page refreshed there.
func (h *house) wrongClock(t *testing.T, who *sitter) {
	t.Helper()
	who.Close()
	h.seenAway(t, who)
	off := []time.Duration{-time.Hour, time.Hour}[h.random.IntN(2)]
	opts := who.opts
	opts.Jar = &skewedJar{Jar: get(cookiejar.New(nil))(t), off: off}
	page := get(client.Join(within(t), who.link, opts))(t)
	t.Cleanup(page.Close)
	must(t, page.Connect(within(t)))
	page.Close()
	again := page.Refreshed()
	t.Cleanup(again.Close)
	must(t, again.Connect(within(t)))
	who.take(again)
}

// skewedJar is the cookie jar of a browser whose clock is off: what expires at a time seems to do so earlier or later.
type skewedJar struct {
	*cookiejar.Jar
	off time.Duration
}

// SetCookies implements [http.CookieJar].
func (j *skewedJar) SetCookies(u *url.URL, cookies []*http.Cookie) {
	for _, c := range cookies {
		if !c.Expires.IsZero() {
			c.Expires = c.Expires.Add(-j.off)
		}
	}
	j.Jar.SetCookies(u, cookies)
}
