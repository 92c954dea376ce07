package integration

import (
	"testing"

	"github.com/anishathalye/porcupine"

	"github.com/anteroom/anteroom/signaling/wire"
)

// TestJudge_TellsLinearizableHistoriesFromOthers asks of the judge what the long histories ask of the server: whether
// a wrong answer, a wrong order or a second admission would be found.
func TestJudge_TellsLinearizableHistoriesFromOthers(t *testing.T) {
	const ada, lee = 0, 1
	op := func(call, ret int64, staff int, t wire.Type, a visitAnswer) porcupine.Operation {
		return porcupine.Operation{
			ClientId: staff + 1, Call: call, Return: ret,
			Input: visitCommand{t: t, staff: staff}, Output: a,
		}
	}
	taken := func(by int) visitAnswer { return visitAnswer{code: wire.CodeAlreadyAdmitted, by: by} }
	code := func(c wire.Code) visitAnswer { return visitAnswer{code: c} }
	unknown := visitAnswer{unknown: true}
	for name, test := range map[string]struct {
		good    bool
		history []porcupine.Operation
	}{
		"one of two wins": {true, []porcupine.Operation{
			op(0, 10, ada, wire.TypeAdmit, wasDone), op(1, 9, lee, wire.TypeAdmit, taken(ada)),
		}},
		"both win": {false, []porcupine.Operation{
			op(0, 10, ada, wire.TypeAdmit, wasDone), op(1, 9, lee, wire.TypeAdmit, wasDone),
		}},
		"the loser reads the wrong name": {false, []porcupine.Operation{
			op(0, 10, ada, wire.TypeAdmit, wasDone), op(1, 9, lee, wire.TypeAdmit, taken(lee)),
		}},
		"an answer before its reason": {false, []porcupine.Operation{
			op(1, 9, lee, wire.TypeAdmit, taken(ada)), op(10, 12, ada, wire.TypeAdmit, wasDone),
		}},
		"an acknowledged hold is forgotten": {false, []porcupine.Operation{
			op(0, 1, ada, wire.TypeAdmit, wasDone), op(2, 3, ada, wire.TypeHold, wasDone), op(4, 5, ada, wire.TypeHold, wasDone),
		}},
		"admitted again after return": {true, []porcupine.Operation{
			op(0, 1, ada, wire.TypeAdmit, wasDone), op(2, 3, lee, wire.TypeReturn, wasDone), op(4, 5, lee, wire.TypeAdmit, wasDone),
		}},
		"retry that had worked": {true, []porcupine.Operation{
			op(0, 1, ada, wire.TypeAdmit, unknown), op(2, 3, lee, wire.TypeAdmit, taken(ada)),
		}},
		"retry that had not": {true, []porcupine.Operation{
			op(0, 1, ada, wire.TypeAdmit, unknown), op(2, 3, lee, wire.TypeAdmit, wasDone),
		}},
		"a message said twice": {false, []porcupine.Operation{
			op(0, 1, ada, wire.TypeChat, visitAnswer{message: 1}), op(2, 3, lee, wire.TypeChat, visitAnswer{message: 3}),
		}},
		"an acknowledged hold is not there in the end": {false, []porcupine.Operation{
			op(0, 1, ada, wire.TypeAdmit, wasDone), op(2, 3, ada, wire.TypeHold, wasDone),
			op(4, 5, -1, typeLook, visitAnswer{glance: true, seen: visitState{patient: wire.SeatAdmitted, by: -1, seats: 1, inside: 1, begun: true}}),
		}},
		"a glance": {true, []porcupine.Operation{
			op(0, 1, ada, wire.TypeAdmit, wasDone), op(2, 3, ada, wire.TypeChat, visitAnswer{message: 1}),
			op(4, 5, -1, typeLook, visitAnswer{glance: true, seen: visitState{patient: wire.SeatAdmitted, by: -1, seats: 1, inside: 1, begun: true}}),
		}},
		"something after the end": {false, []porcupine.Operation{
			op(0, 1, ada, wire.TypeEnd, wasDone), op(2, 3, lee, wire.TypeAdmit, wasDone),
		}},
		"refused after the end": {true, []porcupine.Operation{
			op(0, 1, ada, wire.TypeEnd, wasDone), op(2, 3, lee, wire.TypeAdmit, code(wire.CodeVisitOver)),
		}},
		"in two visits at once": {false, []porcupine.Operation{
			op(0, 1, ada, wire.TypeAdmit, wasDone), op(2, 3, ada, typeAway, wasDone),
		}},
		"away from one on hold": {true, []porcupine.Operation{
			op(0, 1, ada, wire.TypeAdmit, wasDone), op(2, 3, lee, wire.TypeHold, wasDone), op(4, 5, ada, typeAway, wasDone),
		}},
		"busy who was nowhere": {false, []porcupine.Operation{
			op(0, 1, ada, wire.TypeAdmit, code(wire.CodeInOtherVisit)),
		}},
	} {
		if good := porcupine.CheckOperations(visitModel(visitState.follow), test.history); good != test.good {
			t.Errorf("%s: linearizable %t", name, good)
		}
	}
}

// brokenModels are wrong in one rule each; a history of the server has to convict all of them.
var brokenModels = map[string]func(visitState, visitCommand, visitAnswer) []visitState{
	"admits twice": func(s visitState, c visitCommand, a visitAnswer) []visitState {
		if c.t == wire.TypeAdmit && s.patient == wire.SeatAdmitted { // as if the patient still waited
			s.patient = wire.SeatWaiting
		}
		return s.follow(c, a)
	},
	"forgets holds": func(s visitState, c visitCommand, a visitAnswer) []visitState {
		if after := s.follow(c, a); c.t != wire.TypeHold || len(after) == 0 {
			return after
		}
		return []visitState{s}
	},
	"goes on after the end": func(s visitState, c visitCommand, a visitAnswer) []visitState {
		if c.t == wire.TypeEnd {
			return []visitState{s}
		}
		return s.follow(c, a)
	},
	"counts a message twice": func(s visitState, c visitCommand, a visitAnswer) []visitState {
		after := s.follow(c, a)
		for i := range after {
			if c.t == wire.TypeChat {
				after[i].messages++
			}
		}
		return after
	},
}

// wasDone is the answer to what was done.
var wasDone = visitAnswer{}
