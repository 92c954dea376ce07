package transport

import (
	"net"
	"os"
	"time"
)

const (
	// maxTurn bounds a turn that does not end, because pion/dtls waits for something: longer than any client's mathematics takes.
	maxTurn = 5 * time.Millisecond
	// restAfter is how long a turn works before it rests: longer than what the runtime's timers are late by, and no more than
	// media may wait for.
	restAfter = 2 * time.Millisecond
)

// turns bounds the processors that handshakes have, so that a flood of them leaves the others to media: a handshake takes a
// turn for each datagram, and what comes beyond waits. There is one for two processors, and it rests for as long as it has
// worked, so that a single processor is half media's as well. What is in the channel is how long each has worked since it rested.
type turns chan time.Duration

func newTurns(processors int) turns {
	t := make(turns, max(1, processors/2))
	for range cap(t) {
		t <- 0
	}
	return t
}

// turn is one that a handshake has.
type turn struct {
	began  time.Time
	worked time.Duration // before
	limit  *time.Timer
}

// ReadFrom implements net.PacketConn. What pion/dtls does with a datagram, it does before it reads the next.
func (h *handshake) ReadFrom(b []byte) (int, net.Addr, error) {
	h.endTurn()
	n, addr, err := h.mailbox.ReadFrom(b)
	if err == nil {
		err = h.takeTurn()
	}
	return n, addr, err
}

func (h *handshake) takeTurn() error {
	all := h.p.t.turns
	select {
	case worked := <-all:
		h.turn.Store(&turn{began: time.Now(), worked: worked, limit: time.AfterFunc(maxTurn, func() { all <- maxTurn })})
		return nil
	case <-h.deadline.Done():
		return os.ErrDeadlineExceeded
	case <-h.closed:
		return net.ErrClosed
	}
}

func (h *handshake) endTurn() {
	t, all := h.turn.Swap(nil), h.p.t.turns
	if t == nil || !t.limit.Stop() { // none, or it has ended by itself
		return
	}
	if worked := t.worked + time.Since(t.began); worked < restAfter {
		all <- worked
	} else {
		time.AfterFunc(worked, func() { all <- 0 })
	}
}
