package transport

import (
	"net"
	"os"
	"time"
)

// maxTurn bounds a turn that does not end, because pion/dtls waits for something: longer than any client's mathematics takes.
const maxTurn = 5 * time.Millisecond

// turns bounds the processors that handshakes have, so that a flood of them leaves the others to media: a handshake takes a
// turn for each datagram, and the turn then rests for as long as it took. With one turn for two processors that is a quarter
// of them, or half of a single one, and what comes beyond waits.
type turns chan struct{}

func newTurns(processors int) turns { return make(turns, max(1, processors/2)) }

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
	case all <- struct{}{}:
	case <-h.deadline.Done():
		return os.ErrDeadlineExceeded
	case <-h.closed:
		return net.ErrClosed
	}
	h.turnBegan = time.Now()
	h.turn = time.AfterFunc(maxTurn, func() { <-all })
	return nil
}

func (h *handshake) endTurn() {
	if h.turn != nil && h.turn.Stop() { // else it has ended by itself
		h.turn.Reset(time.Since(h.turnBegan))
	}
	h.turn = nil
}
