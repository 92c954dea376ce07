package integration

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/signaling/wire"
	"github.com/anteroom/anteroom/test/client"
)

var (
	walkSeed  = flag.Uint64("walk.seed", 0, "repeat the walk that logged this seed; 0: another each time")
	walkSteps = flag.Int("walk.steps", 60, "commands of the walk")
)

// walk gives random commands, legal and illegal, one after the other, to live pages that never stop sending. What
// anybody sends after the n-th reply is marked with n. The bound is causal, not one of time: whatever comes must have
// been allowed by the state at some moment between its sending and its coming. So nothing that is sent after the reply to a
// command that parts two people is forwarded while they are parted.
type walk struct {
	*local
	*clinic
	random  *rand.Rand
	visits  []visit
	members []*member
	joined  []map[link]bool // after each reply
	came    int             // packets
	used    map[string]bool // links after a reply, over which something came
}

// link is from one member to another, by their numbers.
type link struct{ from, to int }

// member is a person with a page; peers are their media connections, the newest last.
type member struct {
	*client.Client
	number int
	staff  rooms.StaffID
	seat   rooms.SeatID // of those who came by a link
	visit  string
	peers  []*client.Peer
	parted bool           // the server has ended the newest
	had    []client.Tally // of each peer, when it was looked at last
}

func TestRandomCommands_NobodyIsReachedByWhomTheStateParts(t *testing.T) {
	seed := *walkSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-walk.seed=%d", seed)
	l := startLocal(t)
	w := &walk{local: l, clinic: newClinic(t, &l.server), random: rand.New(rand.NewPCG(seed, 0)), used: map[string]bool{}} //nolint:gosec // a test repeats it
	for _, name := range []string{"Dr. Ada Byron", "Dr. Lee"} {
		id, link := w.staffLink(t, name, wire.RoleClinician)
		w.add(open(t, link, wire.DeviceDesktop), member{staff: rooms.StaffID(id)})
	}
	w.addVisit(t)
	w.addVisit(t)
	w.note(t)
	for range *walkSteps {
		w.step(t)
	}
	w.check(t)
}

func (w *walk) add(page *client.Client, m member) {
	m.Client, m.number = page, len(w.members)
	w.members = append(w.members, &m)
}

// addVisit makes a visit whose people wait.
func (w *walk) addVisit(t *testing.T) {
	t.Helper()
	v := w.visit(t, "Maria Santos", guest{"specialist", "Dr. Chen"}, guest{"observer", "A student"})
	w.visits = append(w.visits, v)
	for _, s := range v.Seats {
		w.add(arrive(t, s.Link), member{seat: rooms.SeatID(s.ID), visit: v.ID})
	}
	w.connect(t)
}

// connect makes the media connections that the pages should have.
func (w *walk) connect(t *testing.T) {
	t.Helper()
	for _, m := range w.members {
		switch {
		case !m.Connected():
		case !m.View().Connect:
			m.parted = true
		case len(m.peers) == 0 || m.parted:
			peer, err := m.NewMedia(within(t))
			if client.Code(err) == wire.CodeNotYet || errors.Is(err, client.ErrDisconnected) {
				continue // the view was about to change
			}
			must(t, err)
			m.peers, m.had, m.parted = append(m.peers, peer), append(m.had, nil), false
		}
	}
}

// send sends a packet of each kind from everybody, by the newest connection they have or had.
func (w *walk) send(n int) {
	for _, m := range w.members {
		if len(m.peers) > 0 {
			mark := client.Mark(fmt.Sprintf("%d/%d", m.number, len(w.joined)-1))
			_ = m.peers[len(m.peers)-1].Send(mark, n) // fails where the connection is over
		}
	}
}

// step gives one command while everybody sends, and goes on once it is answered.
func (w *walk) step(t *testing.T) {
	t.Helper()
	who := w.members[w.random.IntN(len(w.members))]
	if w.random.IntN(3) > 0 {
		who = w.members[w.random.IntN(2)] // staff, who may do most
	}
	if w.random.IntN(20) == 0 {
		who.Cut()
		w.send(1)
		_ = who.Connect(within(t)) // refused to who was removed and after the end of the visit
	}
	request, data := w.command(who)
	err := w.say(t, who, request, data)
	if refusal := (*client.Error)(nil); errors.As(err, &refusal) && (refusal.Code == wire.CodeInternal || refusal.Code == wire.CodeBadMessage) {
		t.Fatalf("%s: %v", request, err)
	}
	w.note(t)
	w.send(3)
	w.connect(t)
	w.send(3)
}

// say waits for the answer to a request while everybody sends. A page that is closed meanwhile gets none.
func (w *walk) say(t *testing.T, who *member, request wire.Type, data any) error {
	t.Helper()
	answer := make(chan error, 1)
	ctx, giveUp := context.WithCancel(within(t))
	defer giveUp()
	go func() {
		_, err := who.Once(ctx, request, data)
		answer <- err
	}()
	beat := time.NewTicker(time.Millisecond)
	defer beat.Stop()
	for who.Connected() {
		w.send(1)
		select {
		case err := <-answer:
			return err
		case <-beat.C:
		}
	}
	return client.ErrDisconnected
}

// command is anything that anybody could say, mostly what keeps visits going.
func (w *walk) command(who *member) (wire.Type, any) {
	v := w.visits[len(w.visits)-1-w.random.IntN(2)]
	target := wire.Target{Visit: v.ID, Seat: v.Seats[w.random.IntN(len(v.Seats))].ID}
	if who.staff == "" {
		switch w.random.IntN(6) {
		case 0:
			return wire.TypeLeave, wire.Empty{}
		case 1:
			return wire.TypeAdmit, target
		case 2:
			return wire.TypeResume, target
		default:
			return wire.TypeCheckIn, wire.Empty{}
		}
	}
	switch w.random.IntN(40) {
	case 0:
		return wire.TypeRemove, target
	case 1:
		return wire.TypeEnd, wire.End{Visit: v.ID, Disposition: wire.DispositionDone}
	case 2:
		return wire.TypeLeave, wire.Empty{}
	case 3, 4:
		return wire.TypeHandOver, wire.HandOver{Visit: v.ID, To: string(w.members[1-who.number].staff)}
	case 5, 6, 7, 8, 9:
		return wire.TypeHold, target
	case 10, 11:
		return wire.TypeHold, wire.Target{Visit: v.ID}
	case 12, 13, 14, 15:
		return wire.TypeReturn, target
	case 16, 17, 18:
		return wire.TypeJoin, wire.Target{Visit: v.ID}
	case 19, 20, 21, 22, 23, 24, 25:
		return wire.TypeResume, target
	default:
		return wire.TypeAdmit, target
	}
}

// note keeps who may reach whom by now, read from the seats alone, and replaces a visit that is over.
func (w *walk) note(t *testing.T) {
	t.Helper()
	joined := map[link]bool{}
	for _, made := range w.visits {
		v := get(w.hub.Visit(within(t), rooms.RoomID(w.room), rooms.VisitID(made.ID)))(t)
		for _, from := range v.Seats {
			for _, to := range v.Seats {
				if !v.Phase.Over() && from.ID != to.ID && from.State == rooms.SeatAdmitted && to.State == rooms.SeatAdmitted && from.Role != rooms.Observer {
					joined[link{w.holder(from), w.holder(to)}] = true
				}
			}
		}
	}
	w.joined = append(w.joined, joined)
	for _, m := range w.members {
		w.look(t, m)
	}
	for _, made := range w.visits[len(w.visits)-min(2, len(w.visits)):] {
		if v := get(w.hub.Visit(within(t), rooms.RoomID(w.room), rooms.VisitID(made.ID)))(t); v.Phase.Over() {
			w.addVisit(t)
		}
	}
}

func (w *walk) holder(s rooms.Seat) int {
	for _, m := range w.members {
		if m.seat == s.ID || s.Staff != "" && m.staff == s.Staff {
			return m.number
		}
	}
	return -1
}

// look asks of every packet that has come since the last look whether it may have.
func (w *walk) look(t *testing.T, m *member) {
	t.Helper()
	for i, peer := range m.peers {
		tally := peer.Tally()
		for key, flow := range tally {
			n := flow.Packets - m.had[i][key].Packets
			if n == 0 {
				continue
			}
			var from, step int
			if _, err := fmt.Sscanf(string(key.Mark), "%d/%d", &from, &step); err != nil {
				t.Fatalf("member %d got %d packets of nobody", m.number, n)
			}
			l := link{from, m.number}
			if !slices.ContainsFunc(w.joined[step:], func(joined map[link]bool) bool { return joined[l] }) {
				t.Errorf("member %d got %d packets that member %d sent after reply %d, before reply %d",
					m.number, n, from, step, len(w.joined)-1)
			}
			w.came += n
			w.used[fmt.Sprint(l, step)] = true
		}
		m.had[i] = tally
	}
}

// check asks whether the walk has tried much.
func (w *walk) check(t *testing.T) {
	t.Helper()
	links, forbidden := 0, w.forbidden()
	for _, joined := range w.joined {
		links += len(joined)
	}
	t.Logf("%d visits, %d packets over %d links of %d; %d packets forbidden", len(w.visits), w.came, len(w.used), links, forbidden)
	if len(w.used) < links/2 || links < *walkSteps/4 || forbidden == 0 { // else it has proved little
		t.Error("little was tried")
	}
}
