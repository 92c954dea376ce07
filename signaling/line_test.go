package signaling

import (
	"fmt"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/anteroom/anteroom/internal/auth"
	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/signaling/wire"
)

// lineActor is an actor that is driven by hand, with pages that take what they get.
type lineActor struct {
	t     testing.TB
	a     *actor
	now   time.Time
	pages []*session
}

func newLineActor(t testing.TB, staff []rooms.Staff, visits ...*rooms.Visit) *lineActor {
	h := &Hub{log: zap.NewNop(), now: time.Now, warm: defaultWarm, epoch: 1, iceServers: func(string) []wire.ICEServer { return nil }}
	h.metrics = newMetrics(h)
	d := directory{about: rooms.WaitingRoom{ID: "room", Clinic: "clinic"}, staff: staff}
	return &lineActor{t: t, a: newActor(h, d, visits), now: time.Now()}
}

// join is a page that has said hello.
func (l *lineActor) join(who auth.Identity) *session {
	s := l.a.begin(arrival{conn: &conn{out: newOutbox(&meters{})}, who: who, hello: wire.Hello{Device: wire.DevicePhone}})
	s.conn.out.welcomed = true
	l.a.cameOrWent(s)
	l.pages = append(l.pages, s)
	return s
}

// settle lets the actor work until it would sleep, and answers how often it had to.
func (l *lineActor) settle() (times int) {
	for times = 1; ; times++ {
		l.now = l.now.Add(time.Second)
		l.a.settle(l.now)
		if l.a.untilNext(l.now) > wire.ListEveryMS*time.Millisecond {
			return times
		}
	}
}

// do applies a command and makes it durable.
func (l *lineActor) do(who rooms.Actor, id rooms.VisitID, do rooms.Action) error {
	var refused error
	l.a.decide(rooms.Command{Actor: who, Visit: id, Do: do}, func(_ rooms.Outcome, err error) { refused = err })
	visits, upTo := l.a.saver.take()
	saved{upTo: upTo, visits: visits}.apply(l.a)
	return refused
}

// took is what a page has been sent since the last time.
func took(s *session) []message {
	if s.conn.out.empty() {
		return nil
	}
	return taken(s.conn.out)
}

func lineVisit(n int, seats ...rooms.Seat) *rooms.Visit {
	v := &rooms.Visit{
		ID: rooms.VisitID(fmt.Sprint("v", n)), Room: "room", Clinic: "clinic", Version: 1, Phase: rooms.PhaseScheduled, Seats: seats,
	}
	for i := range v.Seats {
		v.Seats[i].ID = rooms.SeatID(fmt.Sprint("v", n, "s", i))
	}
	return v
}

func identityOf(v *rooms.Visit, i int) auth.Identity {
	return auth.Identity{Kind: auth.Seat, Room: "room", Visit: v.ID, Seat: v.Seats[i].ID}
}
