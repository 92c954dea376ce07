package sfu

import (
	"go.uber.org/zap"

	"github.com/anteroom/anteroom/sfu/transport"
)

// recovered is deferred where a peer's own code runs in a goroutine that is others' too. A panic is counted and logged once, and
// ends this peer's connection alone. Where the transport's loop runs a peer's code, the transport does the same.
//
// It may be called with another peer's inbound.mu held, and takes none.
func (p *Peer) recovered() {
	if r := recover(); r != nil {
		p.failed.Store(true)
		p.sfu.panics.Add(1)
		p.sfu.log.Error("peer_panic", zap.String("peer", p.id), zap.String("panic", transport.PanicText(r)), zap.Stack("stack"))
		p.out.disconnect() // nothing is forwarded to it while its end is under way
		p.hangUp()
	}
}

// hangUp ends the connection; State(Closed) follows.
func (p *Peer) hangUp() {
	p.out.mu.Lock()
	w := p.out.wire
	p.out.mu.Unlock()
	if w != nil {
		w.Close()
	}
}

// take hands a packet of src to a track. A panic over its viewer is not the publisher's.
func (t *track) take(via *transport.Batch, src *source, p *packet) (done bool) {
	defer t.owner.recovered()
	t.owner.out.mu.Lock()
	defer t.owner.out.mu.Unlock()
	return t.forward(via, src, p)
}
