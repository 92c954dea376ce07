package signaling

import (
	"fmt"
	"runtime"
	"time"

	"go.uber.org/zap"

	"github.com/anteroom/anteroom/signaling/wire"
)

// A panic is a defect of ours that one visit has met. Wherever a visit's own code runs it is kept from all others: it is
// counted and logged once, what it was about is refused or ends closed, and the rest goes on.

// Panics answers how many there were that ended nothing but what they were about.
func (h *Hub) Panics() uint64 { return h.metrics.panics.Load() }

func (m *metrics) panicked(log *zap.Logger, event string, p any) {
	m.panics.Add(1)
	log.Error(event, zap.String("panic", panicText(p)), zap.Stack("stack"))
}

// panicText is what logs say of a panic: only the runtime's own words, for other values may hold personal data.
func panicText(p any) string {
	if err, ok := p.(runtime.Error); ok {
		return err.Error()
	}
	return fmt.Sprintf("a value of type %T", p)
}

func (a *actor) panicked(p any) { a.hub.metrics.panicked(a.log, "actor_panic", p) }

// recovered is deferred where nobody waits for what a panic has kept from being done.
func (a *actor) recovered() {
	if p := recover(); p != nil {
		a.panicked(p)
	}
}

// failing is an event for whose result somebody waits. After a panic failed refuses it; the result may have been given
// before.
type failing interface{ failed(a *actor) }

// safely keeps a panic in one event from ending the room. What an event decides is installed in one step, so
// that the state is whole whatever happens.
func (a *actor) safely(e event) {
	defer func() {
		if p := recover(); p != nil {
			a.panicked(p)
			if f, ok := e.(failing); ok {
				a.refuse(f)
			}
		}
	}()
	e.apply(a)
}

func (a *actor) refuse(f failing) {
	defer a.recovered()
	f.failed(a)
}

// instead gives a result unless there is one.
func instead[T any](result chan<- T, r T) {
	select {
	case result <- r:
	default:
	}
}

// step is a part of settle. A panic in it leaves the others to be done: what parts people must not wait for what goes wrong
// with a list.
func (a *actor) step(do func(*actor, time.Time), now time.Time) {
	defer a.recovered()
	do(a, now)
}

// confine keeps a panic over one person from everybody else. Theirs ends closed: no media, and a connection that comes
// back and starts anew; whole is false then.
func (a *actor) confine(s *session, step func(*session)) (whole bool) {
	defer func() {
		if p := recover(); p != nil {
			a.panicked(p)
			a.cutOff(s)
		}
	}()
	step(s)
	return true
}

// cutOff ends a session in whatever state it is.
func (a *actor) cutOff(s *session) {
	defer a.recovered()
	if s.conn != nil {
		s.conn.out.close(wire.CloseBusy)
	}
	s.dropPeer()
	a.forgetIfGone(s)
}

// confine keeps a panic from ending more than one connection.
func (h *Hub) confine(step func() wire.CloseCode) (code wire.CloseCode) {
	defer func() {
		if p := recover(); p != nil {
			h.metrics.panicked(h.log, "conn_panic", p)
			code = wire.CloseBusy
		}
	}()
	return step()
}
