package sfu

import (
	"sync"
	"time"

	"github.com/anteroom/anteroom/sfu/transport"
)

// What has to be done without a packet that causes it is done by one goroutine. It wakes seldom: a server with little to do spends most of
// its time on waking up.
const (
	tickEvery     = 20 * time.Millisecond  // for peers that hurry: NACKs, keyframe requests
	feedbackEvery = 100 * time.Millisecond // for every peer: what came and what did not, reports, and whatever else is due
	together      = 64                     // peers that are served at once, so that one system call serves them and no packet waits long
	mostGroups    = 100                    // of peers, at different times between two feedbacks
)

// run serves the peers until the SFU is closed.
func (s *SFU) run() {
	defer close(s.stopped)
	defer s.feedback.Stop()
	defer s.hurried.timer.Stop()
	batch := s.transport.NewBatch()
	var peers []*Peer
	for group := 0; ; {
		select {
		case <-s.stop:
			return
		case <-s.hurried.timer.C:
			peers = s.hurried.take(peers[:0], time.Now())
			serve(peers, batch, false)
		case <-s.feedback.C:
			peers, group = s.group(peers[:0], group)
			serve(peers, batch, true)
		}
		clear(peers) // a closed peer must not live on in the spare capacity
	}
}

func serve(peers []*Peer, batch *transport.Batch, feedback bool) {
	for _, p := range peers {
		p.tick(batch, time.Now(), feedback)
		batch.FlushFull()
	}
	batch.Flush()
}

// group appends the peers of one group of about as many peers each, says which group is the next, and has feedback fire for that, unless
// there is no peer. A peer stays with its group but for one who takes the place of another that left.
func (s *SFU) group(peers []*Peer, i int) (group []*Peer, next int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.peers)
	if n == 0 {
		return peers, 0
	}
	groups := min((n+together-1)/together, mostGroups)
	i = min(i, groups-1)
	s.feedback.Reset(feedbackEvery / time.Duration(groups))
	return append(peers, s.peers[i*n/groups:(i+1)*n/groups]...), (i + 1) % groups
}

// tick does what is due: feedback to the peer as publisher, reports to it as viewer, callbacks.
func (p *Peer) tick(via *transport.Batch, now time.Time, feedback bool) {
	if p.failed.Load() {
		return
	}
	defer p.recovered()
	hurried := p.hurried.Swap(false)
	media, changed := p.in.tick(via, now, feedback, hurried)
	p.out.tick(via, now)
	p.tickLink(via, now)
	if changed && p.onMedia != nil {
		p.onMedia(media)
	}
}

// hurry says that something is due at the next tick, not only when feedback is.
func (p *Peer) hurry() {
	if !p.hurried.Load() && !p.hurried.Swap(true) {
		p.sfu.hurried.add(p)
	}
}

// hurried are the peers that hurry. Its lock is a leaf.
type hurried struct {
	timer *time.Timer // runs while there are any
	mu    sync.Mutex
	peers []*Peer
	next  time.Time // a tick after the last
}

func newHurried() *hurried {
	h := &hurried{timer: time.NewTimer(time.Hour)}
	h.timer.Stop()
	return h
}

// add has a peer served within a tick, together with others who hurry meanwhile. It waits for half a tick at the least: what is missing may
// only be late.
func (h *hurried) add(p *Peer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.peers = append(h.peers, p)
	if len(h.peers) == 1 {
		h.timer.Reset(max(tickEvery/2, time.Until(h.next)))
	}
}

// take appends those to be served now. Others come a little later.
func (h *hurried) take(peers []*Peer, now time.Time) []*Peer {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := min(together, len(h.peers))
	peers = append(peers, h.peers[:n]...)
	rest := copy(h.peers, h.peers[n:])
	clear(h.peers[rest:])
	h.peers = h.peers[:rest]
	h.next = now.Add(tickEvery)
	if rest > 0 {
		h.timer.Reset(tickEvery / mostGroups)
	}
	return peers
}
