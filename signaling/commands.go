package signaling

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/anteroom/anteroom/internal/auth"
	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/signaling/wire"
)

// request is one message of a client for its actor.
type request struct {
	conn    *conn
	session *session
	req     wire.Request
}

func (e request) failed(*actor) {
	e.conn.out.answerErr(e.req.ID, &wire.Error{Code: wire.CodeInternal, Msg: "the server could not do it"})
}

func (e request) apply(a *actor) {
	if e.session.conn != e.conn {
		return // an older connection of the session; its commands come again on the new one
	}
	if build, ok := commands[e.req.T]; ok {
		a.handleCommand(e, build)
		return
	}
	handle, ok := requests[e.req.T]
	if !ok {
		e.refuse(wire.CodeUnknownType, "no such request")
		return
	}
	if err := handle(a, e.session, e.req.D); err != nil {
		e.conn.out.answerErr(e.req.ID, err)
		return
	}
	e.conn.out.answer(e.req.ID, wire.Empty{})
}

func (e request) refuse(code wire.Code, msg string) {
	e.conn.out.answerErr(e.req.ID, &wire.Error{Code: code, Msg: msg})
}

// command is what a client's message asks of package rooms.
type command struct {
	visit rooms.VisitID
	do    rooms.Action
}

// builder reads a client's message; an error is answered as it is.
type builder func(a *actor, s *session, data json.RawMessage) (command, *wire.Error)

// commands are the requests that change a visit.
var commands = map[wire.Type]builder{
	wire.TypeCheckIn: reads(func(_ wire.Empty) command { return command{do: rooms.CheckIn{}} }),
	wire.TypeLeave:   reads(func(_ wire.Empty) command { return command{do: rooms.Leave{}} }),
	wire.TypeChat:    say,
	wire.TypeAdmit:   target(func(s rooms.SeatID) rooms.Action { return rooms.Admit{Seat: s} }),
	wire.TypeJoin:    target(func(rooms.SeatID) rooms.Action { return rooms.Join{} }),
	wire.TypeHold:    target(func(s rooms.SeatID) rooms.Action { return rooms.Hold{Seat: s} }),
	wire.TypeResume: target(func(s rooms.SeatID) rooms.Action {
		return rooms.Resume{Seat: s}
	}),
	wire.TypeReturn:   target(func(s rooms.SeatID) rooms.Action { return rooms.Return{Seat: s} }),
	wire.TypeRemove:   target(func(s rooms.SeatID) rooms.Action { return rooms.Remove{Seat: s} }),
	wire.TypeNoShow:   target(func(rooms.SeatID) rooms.Action { return rooms.NoShow{} }),
	wire.TypeHandOver: handOver,
	wire.TypeInvite: reads(func(d wire.Invite) command {
		guest := rooms.Seat{ID: rooms.SeatID(newID()), Role: rooms.Role(d.Role), Name: d.Name, Language: d.Language}
		return command{rooms.VisitID(d.Visit), rooms.Invite{Seat: guest}}
	}),
	wire.TypeLock: reads(func(d wire.Lock) command {
		return command{rooms.VisitID(d.Visit), rooms.Lock{On: d.On}}
	}),
	wire.TypeMove: reads(func(d wire.Move) command {
		return command{rooms.VisitID(d.Visit), rooms.Move{Before: rooms.VisitID(d.Before), Reason: d.Reason}}
	}),
	wire.TypeTransfer: reads(func(d wire.Transfer) command {
		return command{rooms.VisitID(d.Visit), rooms.Transfer{To: rooms.RoomID(d.Room), Reason: d.Reason}}
	}),
	wire.TypeEnd: reads(func(d wire.End) command {
		return command{rooms.VisitID(d.Visit), rooms.End{Disposition: rooms.Disposition(d.Disposition)}}
	}),
	wire.TypeCancel: reads(func(d wire.Cancel) command {
		return command{rooms.VisitID(d.Visit), rooms.Cancel{Reason: d.Reason}}
	}),
}

// reads makes a builder for data of one type.
func reads[T any](build func(T) command) builder {
	return func(_ *actor, _ *session, data json.RawMessage) (command, *wire.Error) {
		var d T
		if err := decodeStrict(data, &d); err != nil {
			return command{}, badMessage(err)
		}
		return build(d), nil
	}
}

func target(build func(rooms.SeatID) rooms.Action) builder {
	return reads(func(d wire.Target) command {
		return command{rooms.VisitID(d.Visit), build(rooms.SeatID(d.Seat))}
	})
}

func badMessage(err error) *wire.Error {
	return &wire.Error{Code: wire.CodeBadMessage, Msg: "not the data of this request: " + err.Error()}
}

// handOver checks that the colleague works here, which package rooms cannot know.
func handOver(a *actor, _ *session, data json.RawMessage) (command, *wire.Error) {
	var d wire.HandOver
	if err := decodeStrict(data, &d); err != nil {
		return command{}, badMessage(err)
	}
	to, ok := a.staff[rooms.StaffID(d.To)]
	if !ok {
		return command{}, &wire.Error{Code: wire.CodeNoStaff, Msg: "nobody with that id works in this waiting room"}
	}
	return command{rooms.VisitID(d.Visit), rooms.HandOver{To: to.ID, ToName: to.Name, Role: to.Role}}, nil
}

// handleCommand decides a client's command and answers it once that is durable.
func (a *actor) handleCommand(e request, build builder) {
	c, wireErr := build(a, e.session, e.req.D)
	if wireErr != nil {
		e.conn.out.answerErr(e.req.ID, wireErr)
		return
	}
	if c.visit == "" {
		c.visit = a.visitMeant(e.session, e.req.ID)
	}
	if !e.session.isStaff() && c.visit != e.session.who.Visit {
		e.refuse(wire.CodeNoVisit, "not your visit")
		return
	}
	if err := a.tooMuchToBegin(e.session, c); err != nil {
		e.conn.out.answerErr(e.req.ID, err)
		return
	}
	cmd := rooms.Command{
		Actor: a.actorOf(e.session), Client: e.session.client, ID: e.req.ID, Visit: c.visit, Do: c.do,
	}
	a.decide(cmd, func(out rooms.Outcome, err error) {
		a.hub.counted(c.do.Name(), out, err)
		if err != nil {
			e.conn.out.answerErr(e.req.ID, wireError(err))
			return
		}
		if _, moves := c.do.(rooms.Transfer); moves {
			a.answerTransfer(e, out)
			return
		}
		e.conn.out.answer(e.req.ID, a.answerTo(c.do, out))
	})
}

// visitMeant is the visit of a command that names none: where its person is, or where they were when the same command came
// before. Staff who leave are in no visit afterwards, or in the next one.
func (a *actor) visitMeant(s *session, id uint64) rooms.VisitID {
	if s.isStaff() {
		for v := range a.room.Visits() {
			if _, ok := v.StaffSeat(s.who.Staff); ok && slices.ContainsFunc(v.Seen, func(was rooms.Applied) bool {
				return was.Client == s.client && was.ID == id
			}) {
				return v.ID
			}
		}
	}
	visit, _ := a.visitOf(s)
	return visit
}

// parting are the actions that take effect at once, even while the store takes no writes.
var parting = map[string]bool{
	rooms.ActHold: true, rooms.ActReturn: true, rooms.ActRemove: true, rooms.ActLeave: true,
	rooms.ActEnd: true, rooms.ActNoShow: true, rooms.ActCancel: true, rooms.ActRevoke: true, rooms.ActHandOver: true,
}

// decide applies a command and tells the result, a refusal too, when it is durable. An ErrRetry says only that it is not
// durable yet: what parts people is in force, and the same command again is answered, not applied.
func (a *actor) decide(cmd rooms.Command, tell func(rooms.Outcome, error)) {
	if (a.storeDown || !a.mayOpen()) && !parting[cmd.Do.Name()] {
		tell(rooms.Outcome{}, ErrRetry)
		return
	}
	out, err := a.room.Apply(cmd, a.hub.now())
	if err == nil && len(out.Visits) > 0 {
		a.install(out.Visits)
		a.afterCommand(cmd, out)
	}
	// A refusal waits too: what it goes by may be lost with this owner, and then it was never so.
	a.saves.whenDurable(time.Now(), func(durable bool) {
		defer func() { // others wait for the same save
			if p := recover(); p != nil {
				a.panicked(p)
				a.refuse(untold(tell))
			}
		}()
		if !durable {
			tell(out, ErrRetry)
			return
		}
		tell(out, err)
	})
}

// untold is a result that could not be told.
type untold func(rooms.Outcome, error)

func (tell untold) failed(*actor) { tell(rooms.Outcome{}, errInternal) }

// afterCommand ends connections and identity cards that a command has made pointless.
func (a *actor) afterCommand(cmd rooms.Command, out rooms.Outcome) {
	switch cmd.Do.(type) {
	case rooms.Revoke, rooms.Reissue: // whoever came by the older link is to open the new one
		if s := a.atSeat[out.Seat]; s != nil {
			a.endSession(s, wire.CloseNoSession)
		}
	}
	for _, s := range a.atDesk {
		if s.prepared.visit == "" {
			continue
		}
		if v, ok := a.room.Visit(s.prepared.visit); ok {
			if seat, ok := v.Seat(s.prepared.seat); !ok || seat.State != rooms.SeatWaiting {
				a.unprepare(s)
			}
		}
	}
}

// answerTo is the data of a command's reply.
func (a *actor) answerTo(do rooms.Action, out rooms.Outcome) any {
	switch do.(type) {
	case rooms.Say:
		return wire.Said{N: out.Message}
	case rooms.Invite:
		v := out.Visit
		gen := 0
		if seat, ok := v.Seat(out.Seat); ok {
			gen = seat.LinkGen
		}
		id := auth.Identity{Kind: auth.Seat, Clinic: v.Clinic, Room: v.Room, Visit: v.ID, Seat: out.Seat, Gen: gen}
		return wire.Invited{Seat: string(out.Seat), Link: a.hub.seatLink(id)}
	}
	return wire.Empty{}
}

// requests are those that change no visit.
var requests = map[wire.Type]func(a *actor, s *session, data json.RawMessage) *wire.Error{
	wire.TypeMedia:   setMedia,
	wire.TypePrepare: setPrepared,
}

func setMedia(a *actor, s *session, data json.RawMessage) *wire.Error {
	var m wire.Media
	if err := decodeStrict(data, &m); err != nil {
		return badMessage(err)
	}
	if !validMedia(m.Audio) || !validMedia(m.Video) {
		return &wire.Error{Code: wire.CodeBadValue, Msg: "no such media state"}
	}
	if s.media != m {
		s.media = m
		a.touchSession(s)
	}
	return nil
}

func validMedia(m wire.MediaState) bool {
	switch m {
	case wire.MediaOn, wire.MediaOff, wire.MediaInterrupted, wire.MediaHidden, wire.MediaBlocked, wire.MediaMissing:
		return true
	}
	return false
}

func setPrepared(a *actor, s *session, data json.RawMessage) *wire.Error {
	var d wire.Prepare
	if err := decodeStrict(data, &d); err != nil {
		return badMessage(err)
	}
	if !s.isStaff() {
		return wireError(rooms.ErrForbidden)
	}
	a.unprepare(s)
	if !d.On {
		return nil
	}
	v, ok := a.room.Visit(rooms.VisitID(d.Visit))
	if !ok {
		return wireError(rooms.ErrNoVisit)
	}
	seat, ok := v.Seat(rooms.SeatID(d.Seat))
	if !ok {
		return wireError(rooms.ErrNoSeat)
	}
	if seat.State != rooms.SeatWaiting {
		return wireError(rooms.ErrNotWaiting)
	}
	s.prepared = seatRef{v.ID, seat.ID}
	a.touch(v.ID)
	a.alone[s] = struct{}{}
	return nil
}

// given is a command that did not come by a WebSocket: the REST API's, or the server's own.
type given struct {
	cmd    rooms.Command
	result chan givenResult
}

type givenResult struct {
	out rooms.Outcome
	err error
}

func (e given) failed(*actor) { instead(e.result, givenResult{err: errInternal}) }

func (e given) apply(a *actor) {
	a.decide(e.cmd, func(out rooms.Outcome, err error) {
		a.hub.counted(e.cmd.Do.Name(), out, err)
		instead(e.result, givenResult{out, err})
	})
}

// look answers a visit as the actor has it.
type look struct {
	visit  rooms.VisitID
	result chan looked
}

type looked struct {
	visit *rooms.Visit
	err   error
}

func (e look) failed(*actor) { instead(e.result, looked{err: errInternal}) }

func (e look) apply(a *actor) {
	v, ok := a.room.Visit(e.visit)
	if !ok {
		e.result <- looked{err: rooms.ErrNoVisit}
		return
	}
	e.result <- looked{visit: v}
}

// ask posts an event and waits for its one result; false if the actor has stopped.
func ask[T any](a *actor, e event, result <-chan T) (T, bool) {
	var none T
	if !a.post(e) {
		return none, false
	}
	select {
	case r := <-result:
		return r, true
	case <-a.done:
		select {
		case r := <-result:
			return r, true
		default:
			return none, false
		}
	}
}
