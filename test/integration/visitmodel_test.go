package integration

import (
	"fmt"
	"math/bits"

	"github.com/anishathalye/porcupine"

	"github.com/anteroom/anteroom/signaling/wire"
)

// visitState is a visit of one patient as docs/protocol.md describes it, written without a look at package rooms: it
// is what the server's answers are judged by. Members of staff are numbers below 32. The zero value is not useful.
type visitState struct {
	patient  wire.SeatState // waiting, admitted, held or left
	by       int            // who admitted the patient last
	seats    uint32         // staff who have a seat here, whatever became of it
	inside   uint32         // staff who are in the visit
	begun    bool           // somebody was admitted once
	over     bool
	messages int // of chat
}

// maxStaffSeats is the document's limit.
const maxStaffSeats = 16

// newVisitState is a visit whose patient waits.
func newVisitState() visitState { return visitState{patient: wire.SeatWaiting, by: -1} }

// visitCommand is what somebody asks of a visit.
type visitCommand struct {
	visit int
	t     wire.Type // away: see visitState.away
	staff int       // -1: the patient
	// busy: this member of staff has been in another visit, so that in_other_visit may be the answer.
	busy bool
}

// These are no messages.
const (
	// typeAway: a member of staff was let into another visit, and so is not in this one if that is under way.
	typeAway wire.Type = "away"
	// typeLook reads the visit as its owner has it.
	typeLook wire.Type = "look"
)

// visitAnswer is what came back.
type visitAnswer struct {
	code    wire.Code  // empty: done
	by      int        // of already_admitted
	message int        // of chat
	unknown bool       // no answer, or retry: it was done, once, or it was not
	seen    visitState // of typeLook
	glance  bool       // who admitted and what was written is not in it
}

func (s visitState) underWay() bool {
	return !s.over && (s.patient == wire.SeatHeld || s.inside != 0 || s.patient == wire.SeatLeft && s.begun)
}

// active tells whether staff must hold or end this visit before they join another.
func (s visitState) active() bool { return !s.over && s.inside != 0 && s.patient != wire.SeatHeld }

func (s visitState) contains(staff int) bool { return s.inside&(1<<staff) != 0 }

// enter gives a member of staff a seat, unless there are too many.
func (s visitState) enter(staff int) (visitState, bool) {
	bit := uint32(1) << staff
	if s.seats&bit == 0 && bits.OnesCount32(s.seats) >= maxStaffSeats {
		return s, false
	}
	s.seats |= bit
	s.inside |= bit
	return s, true
}

// apply is the state after a command and the answer to it.
func (s visitState) apply(c visitCommand) (visitState, visitAnswer) {
	if s.over {
		return s, visitAnswer{code: wire.CodeVisitOver}
	}
	if rule, ok := visitRules[c.t]; ok {
		return rule(s, c)
	}
	panic("no rule for " + c.t)
}

func refused(s visitState, code wire.Code) (visitState, visitAnswer) {
	return s, visitAnswer{code: code}
}

// visitRules are the commands of the model.
var visitRules = map[wire.Type]func(visitState, visitCommand) (visitState, visitAnswer){
	wire.TypeAdmit: func(s visitState, c visitCommand) (visitState, visitAnswer) {
		switch s.patient {
		case wire.SeatAdmitted, wire.SeatHeld:
			return s, visitAnswer{code: wire.CodeAlreadyAdmitted, by: s.by}
		case wire.SeatWaiting:
			return s.admit(c.staff)
		}
		return refused(s, wire.CodeNotWaiting)
	},
	wire.TypeJoin: func(s visitState, c visitCommand) (visitState, visitAnswer) {
		if !s.underWay() {
			return refused(s, wire.CodeNotAdmitted)
		}
		after, ok := s.enter(c.staff)
		if !ok {
			return refused(s, wire.CodeFull)
		}
		return after, visitAnswer{}
	},
	wire.TypeHold: func(s visitState, _ visitCommand) (visitState, visitAnswer) {
		if s.patient != wire.SeatAdmitted {
			return refused(s, wire.CodeNotAdmitted)
		}
		s.patient = wire.SeatHeld
		return s, visitAnswer{}
	},
	wire.TypeResume: func(s visitState, c visitCommand) (visitState, visitAnswer) {
		if s.patient != wire.SeatHeld {
			return refused(s, wire.CodeNotHeld)
		}
		return s.admit(c.staff)
	},
	wire.TypeReturn: func(s visitState, _ visitCommand) (visitState, visitAnswer) {
		if s.patient != wire.SeatAdmitted && s.patient != wire.SeatHeld {
			return refused(s, wire.CodeNotAdmitted)
		}
		s.patient, s.inside = wire.SeatWaiting, 0
		return s, visitAnswer{}
	},
	wire.TypeEnd: func(s visitState, _ visitCommand) (visitState, visitAnswer) {
		s.over, s.inside = true, 0
		return s, visitAnswer{}
	},
	wire.TypeChat: func(s visitState, c visitCommand) (visitState, visitAnswer) {
		if c.staff < 0 && s.patient == wire.SeatLeft {
			return refused(s, wire.CodeNotAdmitted)
		}
		s.messages++
		return s, visitAnswer{message: s.messages}
	},
	wire.TypeLeave: func(s visitState, _ visitCommand) (visitState, visitAnswer) { // the patient's
		s.patient = wire.SeatLeft
		return s, visitAnswer{}
	},
	wire.TypeCheckIn: func(s visitState, _ visitCommand) (visitState, visitAnswer) {
		if s.patient == wire.SeatLeft {
			s.patient = wire.SeatWaiting
		}
		return s, visitAnswer{}
	},
}

func (s visitState) admit(staff int) (visitState, visitAnswer) {
	after, ok := s.enter(staff)
	if !ok {
		return refused(s, wire.CodeFull)
	}
	after.patient, after.by, after.begun = wire.SeatAdmitted, staff, true
	return after, visitAnswer{}
}

// away is the state after a member of staff was let into another visit; false if that may not be: they are in this one.
func (s visitState) away(staff int) (visitState, bool) {
	if !s.contains(staff) {
		return s, true
	}
	if s.active() {
		return s, false
	}
	s.inside &^= 1 << staff
	return s, true
}

// shown is what can be read of a state.
func (s visitState) shown() visitState {
	if s.over {
		s.patient = ""
	}
	if s.patient != wire.SeatAdmitted && s.patient != wire.SeatHeld {
		s.by = -1
	}
	return s
}

// follow answers the states that a visit may be in after a command that was answered so; none: it may not.
func (s visitState) follow(c visitCommand, got visitAnswer) []visitState {
	before := s
	switch c.t {
	case typeAway:
		if after, ok := s.away(c.staff); ok {
			return []visitState{after}
		}
		return nil
	case typeLook:
		if got.glance {
			s.by, s.messages = -1, 0
			if got.seen.shown() != s.shown() {
				return nil
			}
			return []visitState{before}
		}
		if got.seen.shown() == s.shown() {
			return []visitState{s}
		}
		return nil
	}
	after, want := s.apply(c)
	switch {
	case got.unknown:
		return []visitState{s, after}
	case got.code == wire.CodeInOtherVisit: // where else they are is no matter of this visit
		if enters := c.t == wire.TypeAdmit || c.t == wire.TypeJoin || c.t == wire.TypeResume; !enters || !c.busy || want.code != "" && want.code != wire.CodeFull {
			return nil
		}
		return []visitState{s}
	case got != want:
		return nil
	}
	return []visitState{after}
}

// visitModel has porcupine judge each visit by itself, by what follows a command.
func visitModel(follow func(visitState, visitCommand, visitAnswer) []visitState) porcupine.Model {
	model := porcupine.NondeterministicModel{
		Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
			var parts [][]porcupine.Operation
			for _, op := range history {
				n := op.Input.(visitCommand).visit
				for len(parts) <= n {
					parts = append(parts, nil)
				}
				parts[n] = append(parts[n], op)
			}
			return parts
		},
		Init: func() []any { return []any{newVisitState()} },
		Step: func(state, input, output any) []any {
			var next []any
			for _, s := range follow(state.(visitState), input.(visitCommand), output.(visitAnswer)) {
				next = append(next, s)
			}
			return next
		},
		DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v: %+v", input, output) },
		DescribeState:     func(state any) string { return fmt.Sprintf("%+v", state) },
	}
	return model.ToModel()
}
