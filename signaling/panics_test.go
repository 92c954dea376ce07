package signaling

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/anteroom/anteroom/internal/auth"
	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/signaling/wire"
)

// mined is a store of which one method panics once.
type mined struct {
	store.Store
	mine atomic.Value // string: the method; empty: none
}

func (m *mined) step(method string) {
	if m.mine.CompareAndSwap(method, "") {
		panic("mined")
	}
}

func (m *mined) LoadRoom(ctx context.Context, id rooms.RoomID) (rooms.WaitingRoom, []*rooms.Visit, error) {
	m.step("LoadRoom")
	return m.Store.LoadRoom(ctx, id)
}

func (m *mined) Commit(ctx context.Context, b store.Batch) error {
	m.step("Commit")
	return m.Store.Commit(ctx, b)
}

func (m *mined) Room(ctx context.Context, id rooms.RoomID) (rooms.WaitingRoom, error) {
	m.step("Room")
	return m.Store.Room(ctx, id)
}

func (m *mined) Staff(ctx context.Context, id rooms.StaffID) (rooms.Staff, error) {
	m.step("Staff")
	return m.Store.Staff(ctx, id)
}

// happens is an event of a test.
type happens func(*actor)

func (f happens) apply(a *actor) { f(a) }

// struck is a room with Maria's page, over whose visit the server panics.
type struck struct {
	*world
	mines *mined
	actor *actor
	maria auth.Identity
	page  *page
}

// change sets what the hub is made of while nobody looks: whoever comes by a socket has held the lock.
func (s *struck) change(set func(h *Hub)) {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	set(s.hub)
}

// closes asks that Maria's page is told to come back.
func (s *struck) closes() {
	s.t.Helper()
	if got := s.page.closeCode(); got != wire.CloseBusy {
		s.t.Errorf("close %d", got)
	}
}

// post has an event happen and waits until it is over.
func (s *struck) post(e event) {
	s.t.Helper()
	s.actor.post(e)
	_, _ = s.hub.Visit(s.ctx(), s.room.ID, s.maria.Visit)
}

func TestPanic_WhereverAVisitsCodeRuns_EndsNothingElseAndIsToldOnce(t *testing.T) {
	for _, c := range []struct {
		name, logged string
		meet         func(s *struck)
	}{
		{"an event", "actor_panic", func(s *struck) { s.post(bomb{}) }},
		{"a view", "actor_panic", func(s *struck) {
			s.post(poison{s.maria.Seat})
			s.closes()
		}},
		{"a row of the list", "actor_panic", func(s *struck) {
			s.post(happens(func(a *actor) {
				a.list.seats[s.maria.Visit] = append(a.list.seats[s.maria.Visit], "nobody") // of which there is no row
				a.list.touch(s.maria.Visit)
				a.list.update(a)
			}))
		}},
		{"a person", "actor_panic", func(s *struck) {
			s.post(happens(func(a *actor) {
				a.confine(a.atSeat[s.maria.Seat], func(*session) { panic("boom") })
			}))
			s.closes()
		}},
		{"an answer", "actor_panic", func(s *struck) {
			result := make(chan error, 1)
			told := 0
			s.post(happens(func(a *actor) {
				a.decide(rooms.Command{Actor: rooms.Actor{System: true}, Visit: s.maria.Visit, Do: rooms.Lock{On: true}}, func(_ rooms.Outcome, err error) {
					if told++; told == 1 {
						panic("boom")
					}
					result <- err
				})
			}))
			if err := <-result; !errors.Is(err, errInternal) {
				s.t.Errorf("answered %v", err)
			}
		}},
		{"what is written", "conn_panic", func(s *struck) {
			s.post(happens(func(a *actor) {
				a.atSeat[s.maria.Seat].conn.out.setList(func() json.RawMessage { panic("boom") })
			}))
			for {
				if _, err := s.page.read(); err != nil {
					return
				}
			}
		}},
		{"what the reader does", "conn_panic", func(s *struck) {
			s.change(func(h *Hub) { h.sfu = nil })
			again, _ := s.open(s.visit("Ana")) // whose reader knows of the change
			if err := again.ask(wire.TypeCheckIn, wire.Empty{}, nil); err != nil {
				s.t.Error(err)
			}
			again.send(wire.TypeOffer, wire.Offer{SDP: "v=0"})
			if got := again.closeCode(); got != wire.CloseBusy {
				s.t.Errorf("close %d", got)
			}
		}},
		{"hello, before the room is known", "conn_panic", func(s *struck) {
			s.mines.mine.Store("Staff")
			doctor := s.dial(s.staff())
			doctor.send(wire.TypeHello, doctor.hello())
			if got := doctor.closeCode(); got != wire.CloseBusy {
				s.t.Errorf("close %d", got)
			}
		}},
		{"hello, in the room", "actor_panic", func(s *struck) {
			servers := s.hub.iceServers
			var met atomic.Bool
			s.change(func(h *Hub) {
				h.iceServers = func(id string) []wire.ICEServer {
					if !met.Swap(true) {
						panic("boom")
					}
					return servers(id)
				}
			})
			ana := s.visit("Ana")
			p := s.dial(ana)
			if err := p.ask(wire.TypeHello, p.hello(), nil); code(err) != wire.CodeInternal {
				s.t.Errorf("%+v", err)
			}
			if _, welcome := s.open(ana); welcome.View.Me.Seat != string(ana.Seat) { // nobody sits there who is not here
				s.t.Errorf("%+v", welcome.View.Me)
			}
		}},
		{"a save", "saver_panic", func(s *struck) {
			s.mines.mine.Store("Commit")
			for _, want := range []error{ErrRetry, nil} {
				if _, err := s.do(s.maria.Visit, rooms.Revoke{Seat: s.maria.Seat}); !errors.Is(err, want) {
					s.t.Errorf("%v, not %v", err, want)
				}
			}
			out, err := s.do(s.maria.Visit, rooms.Reissue{Seat: s.maria.Seat})
			s.must(err)
			s.maria.Gen = out.Visit.Patient().LinkGen
		}},
		{"a room that is loaded", "room_panic", func(s *struck) {
			other := s.room
			other.ID = rooms.RoomID(newID())
			s.must(s.store.PutRoom(s.ctx(), other))
			s.mines.mine.Store("LoadRoom")
			for _, want := range []error{errInternal, rooms.ErrNoVisit} {
				if _, err := s.hub.Visit(s.ctx(), other.ID, "x"); !errors.Is(err, want) {
					s.t.Errorf("%v, not %v", err, want)
				}
			}
		}},
		{"a change of the directory", "room_panic", func(s *struck) {
			s.mines.mine.Store("Room")
			s.hub.refresh(s.actor, s.room.ID)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &struck{}
			s.world = newWorld(t, func(db store.Store) store.Store { s.mines = &mined{Store: db}; return s.mines })
			s.mines.mine.Store("")
			core, seen := observer.New(zap.ErrorLevel)
			s.change(func(h *Hub) { h.log = zap.New(core) })
			s.maria = s.visit("Maria")
			s.page, _ = s.open(s.maria)
			john, _ := s.open(s.visit("John"))
			doctor, _ := s.open(s.staff())
			var err error
			s.actor, err = s.hub.actorOf(s.ctx(), s.room.ID)
			s.must(err)

			c.meet(s)

			s.goesOn(john, doctor)
			var told []string
			for _, e := range seen.All() {
				if strings.HasSuffix(e.Message, "_panic") {
					told = append(told, e.Message)
				}
				if text, ok := e.ContextMap()["panic"].(string); ok && strings.Contains(text, "boom") {
					t.Errorf("the log quotes %q", text)
				}
			}
			if n := s.hub.Panics(); n != 1 || len(told) != 1 || told[0] != c.logged {
				t.Errorf("%d counted, logged %v", n, told)
			}
		})
	}
}

// goesOn asks that the visit beside goes on over the same sockets, that staff see it, and that Maria comes back to her seat.
func (s *struck) goesOn(john, doctor *page) {
	s.t.Helper()
	if err := john.ask(wire.TypeCheckIn, wire.Empty{}, nil); err != nil {
		s.t.Fatal(err)
	}
	me := john.waitView(func(v wire.View) bool { return v.Me.State == wire.SeatWaiting }).Me.Seat
	doctor.waitRow(me, wire.SeatWaiting)
	p := s.dial(s.maria)
	hello, welcome := p.hello(), wire.Welcome{}
	hello.Takeover = true // the actor may not have heard yet that her page is gone
	if err := p.ask(wire.TypeHello, hello, &welcome); err != nil || welcome.View.Me.Seat != string(s.maria.Seat) {
		s.t.Errorf("Maria: %+v, %+v", err, welcome.View.Me)
	}
	if err := p.ask(wire.TypeCheckIn, wire.Empty{}, nil); err != nil {
		s.t.Errorf("Maria: %+v", err)
	}
	doctor.waitRow(string(s.maria.Seat), wire.SeatWaiting)
}

// waitRow reads until staff see a seat in a state.
func (p *page) waitRow(seat string, state wire.SeatState) {
	p.w.t.Helper()
	for {
		m, err := p.next()
		p.w.must(err)
		if m.T != wire.EventList {
			continue
		}
		var l wire.List
		p.w.must(json.Unmarshal(m.D, &l))
		for _, r := range l.Rows {
			if r.Seat == seat && r.State == state {
				return
			}
		}
	}
}
