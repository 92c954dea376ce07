package integration

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anteroom/anteroom/signaling/wire"
	"github.com/anteroom/anteroom/test/client"
)

// After deafness nothing that is sent after a hold was acknowledged comes to anybody, and after atMost also where an owner was so busy that another has
// taken its room, and has not heard of that yet (docs/architecture.md, 'How long can a stale owner forward'). The people here send through the media
// connections that their pages have, as docs/protocol.md says, and so to one owner at a time.
const (
	deafness = 500 * time.Millisecond
	atMost   = 1500 * time.Millisecond
)

// aSecond is how many packets somebody sends in a second.
const aSecond = 100

// meeting is a patient and a clinician in a waiting room of their own, who send all the time. The clinician puts the patient on hold and
// takes them back, again and again.
type meeting struct {
	*clinic
	visit  visit
	seat   string
	people []*talker // patient, clinician
	parted atomic.Int64
	holds  int
	// Packets that came to somebody while they were parted from who had sent them then: between deafness and atMost, and later.
	slow, leaked int
}

// talker sends marks that say whether they are parted from the other.
type talker struct {
	*client.Client
	name    string
	meeting *meeting

	mu    sync.Mutex
	peers []*client.Peer // all so far
}

func newMeeting(t *testing.T, c *chaos) *meeting {
	t.Helper()
	k := &meeting{clinic: newClinic(t, &c.server)}
	k.visit = k.clinic.visit(t, "Maria Santos")
	k.seat = k.visit.Seats[0].ID
	k.people = []*talker{
		{Client: arrive(t, k.visit.Seats[0].Link), name: "patient", meeting: k}, {Client: k.clinician(t, "Dr. Ada Byron"), name: "clinician", meeting: k},
	}
	must(t, k.people[1].Admit(within(t), k.visit.ID, k.seat))
	return k
}

// mark is what a talker sends now: while they are parted, by which hold.
func (p *talker) mark() client.Mark {
	if n := p.meeting.parted.Load(); n > 0 {
		return client.Mark(fmt.Sprintf("%s parted %d", p.name, n))
	}
	return client.Mark(p.name + " together")
}

// keep has both pages come back, and send, until ctx ends.
func (k *meeting) keep(ctx context.Context, t *testing.T, pages *sync.WaitGroup) {
	for _, p := range k.people {
		pages.Go(func() { keep(ctx, t, p.Client) })
		pages.Go(func() { p.talk(ctx) })
	}
}

// work has the clinician part them and let them meet, until ctx ends.
func (k *meeting) work(ctx context.Context, t *testing.T) {
	pause := time.NewTicker(700 * time.Millisecond)
	defer pause.Stop()
	for {
		if !k.partAndMeet(ctx, t) {
			return
		}
		select {
		case <-pause.C:
		case <-ctx.Done():
			return
		}
	}
}

// partAndMeet is one hold. All that is sent between its acknowledgement, and a moment, and the resumption has a mark of its own. None of it, nor of
// earlier holds, may come in that time. Afterwards it may: an owner that stands still finds what was sent in its sockets together with the request to resume.
func (k *meeting) partAndMeet(ctx context.Context, t *testing.T) bool {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), chaosPatience)
	defer cancel()
	doctor := k.people[1]
	if err := doctor.Hold(limited, k.visit.ID, k.seat); err != nil && client.Code(err) != wire.CodeNotAdmitted {
		t.Errorf("hold: %v", err)
		return false
	}
	timer := time.NewTimer(deafness)
	<-timer.C
	before := k.heard()
	k.holds++
	k.parted.Store(int64(k.holds))
	timer.Reset(atMost - deafness)
	<-timer.C
	bound := k.heard()
	timer.Reset(deafness)
	<-timer.C
	k.slow += bound - before
	k.leaked += k.heard() - bound
	k.parted.Store(0)
	if err := doctor.Resume(limited, k.visit.ID, k.seat); err != nil && client.Code(err) != wire.CodeNotHeld {
		t.Errorf("resume: %v", err)
		return false
	}
	return ctx.Err() == nil
}

// talk sends through whatever media connection the page has.
func (p *talker) talk(ctx context.Context) {
	for ctx.Err() == nil {
		peer, err := p.Media(ctx)
		if err != nil {
			select {
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
			}
			continue
		}
		p.mu.Lock()
		p.peers = append(p.peers, peer)
		p.mu.Unlock()
		streaming, stop := context.WithCancel(ctx)
		go func() {
			defer stop()
			_ = peer.WaitEnded(streaming)
		}()
		_ = peer.Stream(streaming, p.mark)
		stop()
	}
}

// all are the media connections that the page has had.
func (p *talker) all() []*client.Peer {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.peers)
}

// end holds that both hear each other once everything is mended, and answers how many packets came that were sent while people were parted.
func (k *meeting) end(t *testing.T) (forbidden int) {
	t.Helper()
	if err := k.people[1].Resume(within(t), k.visit.ID, k.seat); err != nil && client.Code(err) != wire.CodeNotHeld {
		t.Error(err)
	}
	for i, p := range k.people {
		other := k.people[1-i]
		for n := 0; n == 0 || t.Context().Err() == nil; n++ {
			peer, err := p.Media(within(t))
			if err == nil {
				err = peer.WaitMark(within(t), client.Mark(other.name+" together"), enough)
			}
			if err == nil {
				break
			}
			if !errors.Is(err, client.ErrPeerEnded) {
				t.Errorf("%s does not hear the other at the end: %v", p.name, err)
				break
			}
		}
	}
	forbidden = k.leaked
	if forbidden > 0 {
		t.Errorf("%d packets came through %d holds", forbidden, k.holds)
	}
	late := k.heard() - forbidden - k.slow
	if says := fmt.Sprintf("of %d holds %d packets came within %v, %d after the end", k.holds, k.slow, atMost, late); late > aSecond || k.slow > aSecond {
		t.Error(says)
	} else if late+k.slow > 0 {
		t.Log(says)
	}
	return forbidden
}

// heard is how many packets have come so far that were sent while people were parted.
func (k *meeting) heard() (n int) {
	for i, p := range k.people {
		from := k.people[1-i].name + " parted "
		for _, peer := range p.all() {
			for key, flow := range peer.Tally() {
				if strings.HasPrefix(string(key.Mark), from) {
					n += flow.Packets
				}
			}
		}
	}
	return n
}
