package signaling

import (
	"cmp"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anteroom/anteroom/internal/auth"
	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/signaling/wire"
)

// systemClock is a clock that goes with the bubble's and can be set beside it.
type systemClock struct{ ahead atomic.Int64 }

func (c *systemClock) set(by time.Duration) { c.ahead.Add(int64(by)) }
func (c *systemClock) now() time.Time       { return time.Now().Add(time.Duration(c.ahead.Load())) }

// clockChanges are what may happen to the system clock while the other goes on. A machine that slept knows only by the system
// clock: the other stood still.
var clockChanges = map[string]time.Duration{
	"an hour ahead": time.Hour, "an hour back": -time.Hour, "ten minutes asleep": 10 * time.Minute,
}

// whileTheClockIsSet plays with a world whose clock is set by change.
func whileTheClockIsSet(t *testing.T, play func(t *testing.T, w *world, set func(by time.Duration), change time.Duration)) {
	t.Helper()
	for name, change := range clockChanges {
		t.Run(name, func(t *testing.T) {
			stillWorld(t, func(t *testing.T, w *world) {
				var clock systemClock
				w.hub.now = clock.now
				play(t, w, clock.set, change)
			})
		})
	}
}

func (p *page) checksIn() {
	p.w.t.Helper()
	if err := p.ask(wire.TypeCheckIn, wire.Empty{}, nil); err != nil {
		p.w.t.Fatalf("%+v", err)
	}
}

// comesBack is the same page on a new line, by the cookie it had.
func (p *page) comesBack(hello wire.Hello) (*page, wire.Welcome) {
	p.w.t.Helper()
	again := &page{w: p.w, ws: dialPipe(p.w.t, p.header, p.w.hub.ServeHTTP), handle: p.handle, header: p.header}
	var welcome wire.Welcome
	if err := again.ask(wire.TypeHello, hello, &welcome); err != nil {
		p.w.t.Fatalf("%+v", err)
	}
	return again, welcome
}

// line is who waits, as staff see them from the first to the last.
func line(l *wire.List) (seats []rooms.SeatID) {
	rows := slices.DeleteFunc(slices.Clone(l.Rows), func(r wire.Row) bool { return r.State != wire.SeatWaiting })
	slices.SortFunc(rows, func(a, b wire.Row) int { return cmp.Compare(a.Rank, b.Rank) })
	for _, r := range rows {
		seats = append(seats, rooms.SeatID(r.Seat))
	}
	return seats
}

func TestClock_IsSetWhilePeopleWait_NobodyLosesTheirPlace(t *testing.T) {
	whileTheClockIsSet(t, func(t *testing.T, w *world, set func(time.Duration), change time.Duration) {
		var who []rooms.SeatID
		comes := func() (*page, wire.Hello) {
			id := w.visit("Patient")
			who = append(who, id.Seat)
			p := w.dial(id)
			hello := p.hello()
			w.must(refusal(p.ask(wire.TypeHello, hello, nil)))
			p.checksIn()
			return p, hello
		}
		first, hello := comes()
		comes()
		set(change)
		comes()
		_, welcome := first.comesBack(hello)
		if welcome.View.Me.Seat != string(who[0]) || welcome.View.Me.State != wire.SeatWaiting || welcome.View.Queue.Ahead != 0 {
			t.Errorf("the first has %+v, %+v", welcome.View.Me, welcome.View.Queue)
		}
		set(-change)
		comes()
		_, seen := w.open(w.staff())
		if got := line(seen.List); !slices.Equal(got, who) {
			t.Errorf("the line is %v, who came %v", got, who)
		}
	})
}

func refusal(err *wire.Error) error {
	if err == nil {
		return nil
	}
	return &rooms.Error{Code: rooms.Code(err.Code)}
}

func TestClock_IsSetInAVisit_ItGoesOn(t *testing.T) {
	whileTheClockIsSet(t, func(t *testing.T, w *world, set func(time.Duration), change time.Duration) {
		maria := w.visit("Maria")
		patient, doctor := w.dial(maria), w.dial(w.staff())
		hello, desk := patient.hello(), doctor.hello()
		w.must(refusal(patient.ask(wire.TypeHello, hello, nil)))
		w.must(refusal(doctor.ask(wire.TypeHello, desk, nil)))
		patient.checksIn()
		seat := wire.Target{Visit: string(maria.Visit), Seat: string(maria.Seat)}
		w.must(refusal(doctor.ask(wire.TypeAdmit, seat, nil)))
		w.must(refusal(patient.ask(wire.TypeChat, wire.Chat{Text: "one"}, nil)))
		set(change)
		w.must(refusal(patient.ask(wire.TypeChat, wire.Chat{Text: "two"}, nil)))
		w.must(refusal(doctor.ask(wire.TypeHold, seat, nil)))
		w.must(refusal(doctor.ask(wire.TypeResume, seat, nil)))

		_, welcome := patient.comesBack(hello)
		if welcome.View.Me.State != wire.SeatAdmitted || len(welcome.Messages) != 2 || welcome.Messages[1].Text != "two" {
			t.Errorf("the patient has %+v and %+v", welcome.View.Me, welcome.Messages)
		}
		if off := time.Duration(welcome.Now-time.Now().UnixMilli()) * time.Millisecond; off != change {
			t.Errorf("pages are told a clock that is off by %v, not %v", off, change)
		}
		_, welcome = doctor.comesBack(desk)
		if welcome.View.Me.State != wire.SeatAdmitted || welcome.View.Visit == nil || welcome.View.Visit.Phase != wire.PhaseActive {
			t.Errorf("staff have %+v, %+v", welcome.View.Me, welcome.View.Visit)
		}
	})
}

// Cookies are good by the system clock: staff's for twelve hours, a seat's for a week.
func TestClock_AnHourAhead_SignsNobodyOutButForThatHour(t *testing.T) {
	stillWorld(t, func(t *testing.T, w *world) {
		var clock systemClock
		w.hub.now = clock.now
		doctor := w.dial(w.staff())
		hello := doctor.hello()
		w.must(refusal(doctor.ask(wire.TypeHello, hello, nil)))
		clock.set(auth.StaffCookieAge - time.Second)
		doctor, _ = doctor.comesBack(hello)
		clock.set(time.Hour)
		doctor.ping(wire.Ping{}) // a line that stands is asked for nothing
		late := &page{w: w, ws: dialPipe(t, doctor.header, w.hub.ServeHTTP), handle: doctor.handle}
		if got := code(late.ask(wire.TypeHello, hello, nil)); got != wire.CodeNoSession {
			t.Errorf("after twelve hours by the clock: %q", got)
		}
		clock.set(-time.Hour)
		doctor.comesBack(hello) // the clock is right again, and so is the cookie
	})
}

func TestList_AfterARestartWithTheClockSetBack_IsSentWhole(t *testing.T) {
	before := newList(time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC).UnixMilli())
	before.version += 1000
	after := newList(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC).UnixMilli())
	after.version += 1000
	if news := after.since(before.version); !news.whole || news.version != after.version {
		t.Errorf("%+v", news)
	}
}

func TestConn_OpenButWithoutHello_IsNotWaitedForLong(t *testing.T) {
	stillWorld(t, func(t *testing.T, w *world) {
		p := w.dial(w.visit("Maria"))
		if got, want := p.lasts(), wire.HelloTimeoutMS*time.Millisecond; got != want {
			t.Errorf("held for %v, want %v", got, want)
		}
	})
}

func TestConn_ThatTakesNothing_IsGivenUp(t *testing.T) {
	stillWorld(t, func(t *testing.T, w *world) {
		p := w.dial(w.visit("Maria"))
		p.send(wire.TypeHello, p.hello()) // and never reads the welcome
		time.Sleep(writeTimeout - 1)      //nolint:forbidigo // in a bubble
		synctest.Wait()
		if got := w.hub.Limits()["write_seconds"].Hits; got != 0 {
			t.Errorf("given up early: %d", got)
		}
		time.Sleep(time.Nanosecond) //nolint:forbidigo // in a bubble
		synctest.Wait()
		if l := w.hub.Limits(); l["write_seconds"].Hits != 1 || l["sockets"].Use != 0 {
			t.Errorf("%d given up, %d sockets", l["write_seconds"].Hits, l["sockets"].Use)
		}
	})
}
