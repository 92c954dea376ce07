package signaling

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/anteroom/anteroom/internal/auth"
	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/signaling/wire"
)

const (
	benchStaff    = 50
	benchUpdates  = 100 // of each kind and size
	benchCallers  = 256
	benchCommands = 10 * time.Second
)

// BenchmarkRoom is `make bench-room`: what a waiting room's actor costs. It prints a table and one line of JSON.
func BenchmarkRoom(b *testing.B) {
	fmt.Fprintf(os.Stdout, "Updates: an actor without its goroutine, n patients and %d staff connected; from the change to the last outbox's\n"+
		"message being encoded, us: median, 95th percentile, n %d; and the median of the longest time without a look at the inbox.\n"+
		"check_in: one more comes to the end of the line. device: a camera goes on. chat: a patient writes to staff. first: the first of the line leaves, all others\n"+
		"move up and are told. whole: another member of staff comes and gets all rows; time in the actor. shift: all staff come back\n"+
		"at once; a person's part.\n\n", benchStaff, benchUpdates)
	type figures map[string]float64
	result := struct {
		Bench    string  `json:"bench"`
		Commands float64 `json:"commands_per_second"`
		Update   figures `json:"update_us"`
		Device   figures `json:"device_us"`
		Chat     figures `json:"chat_us"`
		First    figures `json:"first_us"`
		Whole    figures `json:"whole_us"`
		Shift    figures `json:"shift_us"`
	}{"room", 0, figures{}, figures{}, figures{}, figures{}, figures{}, figures{}}
	for _, n := range []int{10, 100, 1000, 10_000} {
		line := newBenchLine(b, n)
		for _, kind := range []struct {
			name string
			step func() time.Duration
			into figures
		}{
			{"check_in", line.checkIn, result.Update},
			{"device", line.device, result.Device},
			{"chat", line.chat, result.Chat},
			{"first", line.first, result.First},
			{"whole", line.whole, result.Whole},
			{"shift", line.shift, result.Shift},
		} {
			var took, stuck []float64
			for range benchUpdates {
				took = append(took, micros(kind.step()))
				stuck = append(stuck, micros(line.stuck))
			}
			slices.Sort(took)
			slices.Sort(stuck)
			kind.into[strconv.Itoa(n)] = took[len(took)/2]
			fmt.Fprintf(os.Stdout, "%6d %-9s %10.0f %10.0f %10.0f\n", n, kind.name, took[len(took)/2], took[len(took)*95/100], stuck[len(stuck)/2])
		}
	}
	alone, all := commandRate(b, 1), commandRate(b, benchCallers)
	fmt.Fprintf(os.Stdout, "\nCommands of one room, answered when durable (bbolt, %v each): one caller %.0f a second, %d callers %.0f.\n",
		benchCommands, alone, benchCallers, all)
	result.Commands = all
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		b.Fatal(err)
	}
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }

// benchLine is a line of n who wait and one who checks their devices.
type benchLine struct {
	*lineActor
	ids   []rooms.VisitID // in the order of the line
	staff []*session
	stuck time.Duration // the longest that the actor did not look at its inbox, in the last timed
}

func newBenchLine(b *testing.B, n int) *benchLine {
	var staff []rooms.Staff
	for i := range benchStaff + 1 {
		id := rooms.StaffID(fmt.Sprintf("staff%02d", i))
		staff = append(staff, rooms.Staff{ID: id, Name: "Dr " + string(id), Role: rooms.Clinician, Rooms: []rooms.RoomID{"room"}})
	}
	var visits []*rooms.Visit
	for i := range n + 1 {
		seat := rooms.Seat{Role: rooms.Patient, Name: fmt.Sprint("Patient ", i), BirthDate: "1970-01-01", State: rooms.SeatChecking, ArrivedAt: time.Now()}
		if i < n {
			seat.State, seat.WaitingSince = rooms.SeatWaiting, time.Now().Add(time.Duration(i-n)*time.Second)
		}
		v := lineVisit(i, seat)
		v.Phase, v.Reason, v.Expected = rooms.PhaseWaiting, "Follow-up after surgery", []rooms.StaffID{"staff01"}
		visits = append(visits, v)
	}
	l := &benchLine{lineActor: newLineActor(b, staff, visits...)}
	for _, v := range visits {
		l.ids = append(l.ids, v.ID)
		l.join(identityOf(v, 0))
	}
	for _, s := range staff[1:] {
		l.staff = append(l.staff, l.join(auth.Identity{Kind: auth.Staff, Staff: s.ID}))
	}
	l.timed(func() {})
	return l
}

// timed is how long a change takes to be in every outbox, and encoded for staff.
func (l *benchLine) timed(change func()) time.Duration {
	l.stuck = 0
	begin := time.Now()
	change()
	for more := true; more; {
		l.now = l.now.Add(time.Second)
		from := time.Now()
		l.a.settle(l.now)
		l.stuck = max(l.stuck, time.Since(from))
		more = l.a.untilNext(l.now) <= wire.ListEveryMS*time.Millisecond
	}
	for _, s := range l.staff {
		s.drain()
	}
	took := time.Since(begin)
	for _, s := range l.pages { // of those who wait
		s.drain()
	}
	return took
}

// drain is what the writer does, if there is something to send.
func (s *session) drain() {
	if s.conn != nil && !s.conn.out.empty() {
		_, _, _ = s.conn.out.take()
	}
}

// seatDo is a command of the seat of a visit.
func (l *benchLine) seatDo(id rooms.VisitID, do rooms.Action) {
	v, _ := l.a.room.Visit(id)
	if err := l.do(rooms.Actor{Seat: v.Seats[0].ID}, id, do); err != nil {
		l.t.Fatal(err)
	}
}

func (l *benchLine) checkIn() time.Duration {
	last := l.ids[len(l.ids)-1]
	took := l.timed(func() { l.seatDo(last, rooms.CheckIn{}) })
	stuck := l.stuck
	l.timed(func() { l.seatDo(last, rooms.Leave{}) })
	l.timed(func() { l.seatDo(last, rooms.Open{}) })
	l.stuck = stuck
	return took
}

func (l *benchLine) device() time.Duration {
	v, _ := l.a.room.Visit(l.ids[len(l.ids)/2])
	s := l.a.atSeat[v.Seats[0].ID]
	return l.timed(func() {
		s.media.Video = map[wire.MediaState]wire.MediaState{wire.MediaOff: wire.MediaOn, wire.MediaOn: wire.MediaOff}[s.media.Video]
		l.a.touchSession(s)
	})
}

func (l *benchLine) chat() time.Duration {
	id := l.ids[len(l.ids)/2]
	v, _ := l.a.room.Visit(id)
	return l.timed(func() { l.seatDo(id, rooms.Say{Text: "I am ready.", Thread: v.Seats[0].ID}) })
}

func (l *benchLine) first() time.Duration {
	head := l.ids[0]
	took := l.timed(func() { l.seatDo(head, rooms.Leave{}) })
	stuck := l.stuck
	l.timed(func() { l.seatDo(head, rooms.Open{}) })
	l.timed(func() { l.seatDo(head, rooms.CheckIn{}) })
	l.stuck = stuck
	spare := len(l.ids) - 1 // does not wait
	l.ids = slices.Insert(slices.Delete(l.ids, 0, 1), spare-1, head)
	return took
}

func (l *benchLine) whole() time.Duration {
	e := arrival{
		conn: &conn{out: newOutbox(&meters{})}, who: auth.Identity{Kind: auth.Staff, Staff: "staff00"},
		hello: wire.Hello{Device: wire.DeviceDesktop, Client: "staff00"}, result: make(chan arrived, 1),
	}
	begin := time.Now()
	e.apply(l.a)
	took := time.Since(begin)
	got := <-e.result
	if got.err != nil || len(got.list.rows) != len(l.ids) {
		l.t.Fatal("not the whole list")
	}
	l.timed(func() { gone{e.conn, got.session}.apply(l.a) })
	l.stuck = took
	return took
}

// shift is how long all staff's arriving at once takes, a person: pages that have the list already.
func (l *benchLine) shift() time.Duration {
	for _, s := range l.staff {
		gone{s.conn, s}.apply(l.a)
	}
	l.timed(func() {})
	version := l.a.list.version
	return l.timed(func() {
		for i, s := range l.staff {
			e := arrival{
				conn: &conn{out: newOutbox(&meters{})}, who: s.who, result: make(chan arrived, 1),
				hello: wire.Hello{Device: wire.DeviceDesktop, Client: "page", List: version},
			}
			e.conn.out.welcomed = true
			e.apply(l.a)
			l.a.settle(l.now) // as after each event
			l.staff[i] = (<-e.result).session
		}
		l.now = l.now.Add(time.Second)
	}) / benchStaff
}

// commandRate is how many commands a second a room does for callers who each wait for the answer of the last, by the hub's
// own goroutines and store.
func commandRate(b *testing.B, callers int) float64 {
	w := newWorld(b, nil)
	var ids []rooms.VisitID
	for i := range callers {
		ids = append(ids, w.visit(fmt.Sprint("Patient ", i)).Visit)
	}
	var done sync.WaitGroup
	counts := make([]int, callers)
	begin := time.Now()
	for i, id := range ids {
		done.Go(func() {
			for time.Since(begin) < benchCommands {
				if _, err := w.do(id, rooms.Lock{On: counts[i]%2 == 0}); err != nil {
					b.Error(err)
					return
				}
				counts[i]++
			}
		})
	}
	done.Wait()
	total := 0
	for _, n := range counts {
		total += n
	}
	return float64(total) / time.Since(begin).Seconds()
}
