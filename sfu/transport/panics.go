package transport

import (
	"fmt"
	"runtime"
	"time"

	"go.uber.org/zap"
)

// ReasonPanic is why a peer was closed over which this process panicked.
const ReasonPanic Reason = "defect of the server"

// strangersLogged is the time between two log lines of panics over what came from nobody's address.
const strangersLogged = 10 * time.Second

// panicked counts and logs a panic, and ends the peer whose code ran; nil: nobody's. Everybody else goes on.
func (t *Transport) panicked(p *Peer, what any) {
	t.count.panics.Add(1)
	if p == nil && !t.mayLogStrangers() {
		return
	}
	t.log.Error("media_panic", zap.String("panic", PanicText(what)), zap.Stack("stack"))
	if p != nil {
		p.close(ReasonPanic)
	}
}

func (t *Transport) mayLogStrangers() bool {
	now := int64(t.since(time.Now())) + 1 // 0 is never
	last := t.strangersLogged.Load()
	return (last == 0 || now-last >= int64(strangersLogged)) && t.strangersLogged.CompareAndSwap(last, now)
}

// recovered is deferred where a peer's own code runs in a goroutine of the transport.
func (t *Transport) recovered(p *Peer) {
	if r := recover(); r != nil {
		t.panicked(p, r)
	}
}

// recovered is deferred for each datagram.
func (in *inbound) recovered() {
	p := in.peer
	in.peer = nil
	if r := recover(); r != nil {
		in.t.panicked(p, r)
	}
}

// PanicText is what logs say of a panic: only the runtime's own words, for other values may be what somebody sent.
func PanicText(p any) string {
	if err, ok := p.(runtime.Error); ok {
		return err.Error()
	}
	return fmt.Sprintf("a value of type %T", p)
}
