package cluster

import (
	"container/heap"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/anteroom/anteroom/rooms"
)

// A simulated region. What an instance decides is this package's own code; sockets, the hop and Redis are numbers.
var (
	simInstances = flag.Int("simulation.instances", 100, "how many instances there are")
	simRooms     = flag.Int("simulation.rooms", 10_000, "how many waiting rooms, of ten people each")
	simMasters   = flag.Int("simulation.masters", 2, "of a Redis Cluster")
)

const (
	simPeople  = 10                   // who wait in each room, behind a balancer that knows nothing
	simMost    = 50_000               // commands a second of a master
	simHop     = 2 * time.Millisecond // there and back, between instances and to Redis
	simReaches = 3                    // of signaling's hello

	// A claim, by the commands of rooms/store/redis: what it is before, itself, and a room that is loaded.
	simLookups, simClaims, simLoads = 1, 1, 8
	simList                         = 3 // a second: the list is written and read, the schema read
)

// Pages whose connection says nothing any more notice it by their pings, which come each 2.6 s and are waited for 1.8 s (wire.PingEveryMS,
// wire.PongTimeoutMS).
const simPing, simPong = 2600 * time.Millisecond, 1800 * time.Millisecond

// Pages that lose their connection come back within this time, and then in steps that double (web/client/line/backoff.ts).
const (
	simAtOnce  = 250 * time.Millisecond
	simStep    = 500 * time.Millisecond
	simLongest = 15 * time.Second
)

// region is a simulation's state. Its clock is that of the event that is looked at.
type region struct {
	random    *rand.Rand
	now       time.Duration
	instances []*simInstance
	rooms     []simRoom
	masters   []simMaster
	queue     pages
	listed    []member // what the store lists

	// Of the instances that died last: when, and whether they say nothing, as without power, instead of refusing connections.
	died   time.Duration
	silent bool

	peak, refused, late int // of commands a second at one master; of tries that found dead instances only; that waited too long for Redis
	lastOwned           time.Duration
	lastBack            time.Duration
}

type simInstance struct {
	*Cluster
	dead    bool
	sockets int // taken from people
	passed  int // of its rooms, taken by others
	rooms   int
}

type simRoom struct {
	owner  int   // -1: nobody
	people []int // at which instance each is; -1: at none
}

// simMaster is a master of Redis that takes one command after the other.
type simMaster struct {
	free    time.Duration // when it has done all
	second  int64
	through int // commands in this second
}

// page is a page that tries to come in.
type page struct {
	at           time.Duration
	room, person int
	try          int
}

type pages []page

func (p pages) Len() int           { return len(p) }
func (p pages) Less(i, j int) bool { return p[i].at < p[j].at }
func (p pages) Swap(i, j int)      { p[i], p[j] = p[j], p[i] }
func (p *pages) Push(x any)        { *p = append(*p, x.(page)) }
func (p *pages) Pop() any {
	old := *p
	last := old[len(old)-1]
	*p = old[:len(old)-1]
	return last
}

func newRegion(seed uint64) *region {
	r := &region{died: -time.Hour, random: rand.New(rand.NewPCG(seed, 0)), masters: make([]simMaster, *simMasters)} //nolint:gosec // a test repeats it
	for i := range *simInstances {
		s := &simInstance{}
		s.Cluster = &Cluster{
			id: fmt.Sprint(i), at: address(i), log: zap.NewNop(), now: func() time.Duration { return r.now }, lot: r.random.IntN,
			routes: map[rooms.RoomID]string{}, suspects: map[string]time.Duration{},
			load: func() Load { return Load{Sockets: s.sockets + s.passed} },
		}
		r.instances = append(r.instances, s)
	}
	for range *simRooms {
		r.rooms = append(r.rooms, simRoom{owner: -1, people: slices.Repeat([]int{-1}, simPeople)})
	}
	return r
}

func address(i int) string { return fmt.Sprint(i) }

// announce is what each instance does every second: who died longer ago than TTL is not listed any more.
func (r *region) announce() {
	r.listed = r.listed[:0:0]
	for i, s := range r.instances {
		if !s.dead || r.now-r.died < TTL {
			r.listed = append(r.listed, member{ID: s.id, At: address(i), Load: s.load()})
		}
	}
	for _, s := range r.instances {
		s.members = r.listed
		clear(s.suspects)
	}
}

// ask has a master do commands; false if the answer comes later than whoever asks waits.
func (r *region) ask(room, commands int) (took time.Duration, ok bool) {
	m := &r.masters[room%len(r.masters)]
	m.free = max(m.free, r.now)
	if m.free-r.now > callTimeout {
		r.late++
		return callTimeout, false
	}
	m.free += time.Duration(commands) * time.Second / time.Duration(simMost-r.steady(room%len(r.masters)))
	if second := int64(m.free / time.Second); second != m.second {
		m.second, m.through = second, 0
	}
	m.through += commands
	r.peak = max(r.peak, m.through+r.steady(room%len(r.masters)))
	return m.free - r.now + simHop, true
}

// steady is what a master does every second without anybody coming or going: a renewal of each of its rooms; and one of them, for each
// instance, what the list of instances takes.
func (r *region) steady(master int) int {
	n := len(r.rooms) / len(r.masters)
	if master == 0 {
		n += simList * len(r.instances)
	}
	return n
}

// live is the instance that the balancer brings a page to: one that takes connections.
func (r *region) live() int {
	for {
		if i := r.random.IntN(len(r.instances)); !r.instances[i].dead {
			return i
		}
	}
}

// try is one try of a page, a model of Own and of hello in which the placing, and what is remembered of the dead, are the real code.
func (r *region) try(p page) bool {
	room, at := &r.rooms[p.room], r.live()
	for range simReaches {
		took, ok := r.ask(p.room, simLookups)
		if !ok {
			return false
		}
		to := room.owner
		if to < 0 || r.instances[to].dead {
			if r.silent { // it is probed until its lease has run out, and is among those who are asked then
				took += max(callTimeout, r.died+TTL-r.now) + callTimeout
			}
			if to = r.placeBy(at); r.instances[to].dead {
				r.instances[at].Failed("", address(to), errUnreached)
				continue
			}
			more, ok := r.claim(p.room, to)
			if !ok {
				return false
			}
			took += more
			r.lastOwned = max(r.lastOwned, r.now+took)
		}
		r.seat(p, at, to)
		r.lastBack = max(r.lastBack, r.now+took+2*simHop)
		return true
	}
	r.refused++
	return false
}

// placeBy is an instance's own choice.
func (r *region) placeBy(at int) int {
	to := at
	if where := r.instances[at].place(); where != "" {
		_, _ = fmt.Sscan(where, &to)
	}
	return to
}

// claim gives a room to an instance at the cost of the scripts of Redis, which are not run.
func (r *region) claim(id, to int) (time.Duration, bool) {
	took, ok := r.ask(id, simLookups+simClaims+simLoads)
	if !ok {
		return 0, false
	}
	room := &r.rooms[id]
	room.owner = to
	r.instances[to].rooms++
	return took, true
}

func (r *region) seat(p page, at, owner int) {
	r.rooms[p.room].people[p.person] = at
	r.instances[at].sockets++
	if at != owner {
		r.instances[owner].passed++
	}
}

// play has pages come in until none is left, announcing every second.
func (r *region) play() {
	next := r.now
	for len(r.queue) > 0 {
		p := heap.Pop(&r.queue).(page)
		for r.now = p.at; next <= r.now; next += Every {
			r.announce()
		}
		if !r.try(p) {
			ceiling := min(simStep<<min(p.try, 10), simLongest)
			p.at += ceiling/2 + time.Duration(r.random.Int64N(int64(ceiling/2)))
			p.try++
			heap.Push(&r.queue, p)
		}
	}
}

// open has all come for the first time, within a minute.
func (r *region) open() {
	for room := range r.rooms {
		for person := range simPeople {
			r.queue = append(r.queue, page{at: time.Duration(r.random.Int64N(int64(time.Minute))), room: room, person: person})
		}
	}
	heap.Init(&r.queue)
	r.play()
}

// die kills instances, in silence or not, and has everybody who was at one of them, or in a room of one, come back.
func (r *region) die(n int, silent bool) (rooms, people int) {
	r.now += time.Minute
	r.announce()
	r.died, r.silent = r.now, silent
	r.peak, r.refused, r.late, r.lastOwned, r.lastBack = 0, 0, 0, r.now, r.now
	for _, i := range r.random.Perm(len(r.instances)) {
		if n > 0 && !r.instances[i].dead {
			r.instances[i].dead = true
			n--
		}
	}
	for id := range r.rooms {
		room := &r.rooms[id]
		gone := r.instances[room.owner].dead
		if gone {
			rooms++
		}
		for person, at := range room.people {
			if !gone && !r.instances[at].dead {
				continue
			}
			people++
			room.people[person] = -1
			r.instances[at].sockets--
			if at != room.owner {
				r.instances[room.owner].passed--
			}
			back := time.Duration(r.random.Int64N(int64(simAtOnce)))
			if silent {
				back += simPong + time.Duration(r.random.Int64N(int64(simPing)))
			}
			r.queue = append(r.queue, page{at: r.now + back, room: id, person: person})
		}
	}
	heap.Init(&r.queue)
	return rooms, people
}

// spreadOf is by how much the busiest live instance is above the mean.
func (r *region) spreadOf() float64 {
	most, sum, n := 0, 0, 0
	for _, s := range r.instances {
		if !s.dead {
			most, sum, n = max(most, s.load().score()), sum+s.load().score(), n+1
		}
	}
	return float64(most) * float64(n) / float64(sum)
}

// TestSimulation places rooms with people, a thousand instances and a million people in make simulation, and then kills one instance, one in a
// hundred, and a third of a region; and of what is left another sixth, which loses its power. All rooms come to live owners; load is spread; nobody stays outside. That a room has one owner, and fences grow,
// is for the conformance suite of stores to show: here a claim is a number.
func TestSimulation_Takeovers(t *testing.T) {
	const seed = 1
	r := newRegion(seed)
	r.open()
	report := func(what string, rooms, people int, since time.Duration) {
		t.Logf("%s: %d rooms and %d people; all rooms have an owner after %v, all people are back after %v; busiest instance %.2f of the mean; "+
			"at most %d commands a second at one of %d masters; %d tries found dead instances only, %d waited too long for Redis",
			what, rooms, people, (r.lastOwned - since).Round(time.Millisecond), (r.lastBack - since).Round(time.Millisecond), r.spreadOf(), r.peak, len(r.masters), r.refused, r.late)
	}
	report("first", len(r.rooms), len(r.rooms)*simPeople, 0)
	if s := r.spreadOf(); s > 1.2 {
		t.Errorf("the busiest instance has %.2f of the mean", s)
	}
	for _, death := range []struct {
		what      string
		instances int
		spread    float64
		within    time.Duration
		silent    bool
	}{
		{"one instance dies", 1, 1.2, time.Second, false},
		{"one in a hundred dies", *simInstances / 100, 1.2, 2 * time.Second, false},
		{"a third dies", *simInstances / 3, 1.4, 15 * time.Second, false},
		{"a sixth loses its power", *simInstances / 6, 1.4, 20 * time.Second, true},
	} {
		rooms, people := r.die(death.instances, death.silent)
		since := r.now
		r.play()
		report(death.what, rooms, people, since)
		for id := range r.rooms {
			room := &r.rooms[id]
			if r.instances[room.owner].dead || slices.Contains(room.people, -1) {
				t.Fatalf("room %d is at %d (dead: %t); people at %v", id, room.owner, r.instances[room.owner].dead, room.people)
			}
		}
		if took := r.lastOwned - since; took > death.within {
			t.Errorf("%s: the last room has an owner after %v", death.what, took)
		}
		if s := r.spreadOf(); s > death.spread {
			t.Errorf("%s: the busiest instance has %.2f of the mean", death.what, s)
		}
	}
}
