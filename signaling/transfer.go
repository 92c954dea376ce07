package signaling

import (
	"context"
	"errors"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/anteroom/anteroom/internal/auth"
	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/signaling/wire"
)

const (
	carryTimeout  = 5 * time.Second // of one try to bring a visit to another waiting room
	carryRetryMin = 50 * time.Millisecond
	carryRetryMax = 2 * time.Second
	lookTimeout   = 2 * time.Second // to read of what waiting rooms there are
)

// transfers are the visits of a room that are on their way to another one. It belongs to the actor.
type transfers struct {
	carried map[rooms.VisitID]struct{}
	waiting []awaited // in order of time
}

// awaited is a command that is answered when its visit has left.
type awaited struct {
	visit rooms.VisitID
	until time.Time
	tell  func(left bool)
}

// carryOn goes on with what an owner before has begun.
func (a *actor) carryOn() {
	for v := range a.room.Visits() {
		a.carry(v)
	}
}

// carry has a visit brought to the room that it is going to, once it is durable that it goes. Until then nobody else knows of it.
func (a *actor) carry(v *rooms.Visit) {
	if _, under := a.transfers.carried[v.ID]; under || !v.Moving() {
		return
	}
	a.transfers.carried[v.ID] = struct{}{}
	a.hub.tasks.Go(func() { a.hub.carry(a, v) })
}

// whenLeft calls tell once a visit has left for another room, or with false if that takes too long.
func (a *actor) whenLeft(id rooms.VisitID, now time.Time, tell func(left bool)) {
	if d := a.durable[id]; d != nil && d.Phase == rooms.PhaseMoved {
		tell(true)
		return
	}
	a.transfers.waiting = append(a.transfers.waiting, awaited{id, now.Add(ackTimeout), tell})
}

// left answers those who wait for a visit that has left for good.
func (a *actor) left(id rooms.VisitID) {
	delete(a.transfers.carried, id)
	a.release(true, func(w awaited) bool { return w.visit == id })
}

func (a *actor) expireTransfers(now time.Time) {
	a.release(false, func(w awaited) bool { return !now.Before(w.until) })
}

func (a *actor) release(left bool, which func(awaited) bool) {
	if len(a.transfers.waiting) == 0 {
		return
	}
	all := a.transfers.waiting
	a.transfers.waiting = nil
	var told []awaited
	for _, w := range all {
		if which(w) {
			told = append(told, w)
		} else {
			a.transfers.waiting = append(a.transfers.waiting, w)
		}
	}
	for _, w := range told {
		a.tellSafely(w, left)
	}
}

func (a *actor) tellSafely(w awaited, left bool) {
	defer a.recovered() // others wait too
	w.tell(left)
}

// answerTransfer answers a transfer that is durable, once the visit has left.
func (a *actor) answerTransfer(e request, out rooms.Outcome) {
	a.whenLeft(out.Visit.ID, time.Now(), func(left bool) {
		if !left {
			e.conn.out.answerErr(e.req.ID, wireError(ErrRetry))
			return
		}
		e.conn.out.answer(e.req.ID, wire.Empty{})
	})
}

// carry brings a visit to its next room and then ends it in this one, however often that has to be tried, as long as the room
// is here. What it does can be done again by the next owner.
func (h *Hub) carry(a *actor, v *rooms.Visit) {
	retry := carryRetryMin
	for {
		err := h.bring(a, v)
		if err == nil || errors.Is(err, errRoomLeft) {
			return
		}
		a.log.Warn("transfer_waits", zap.String("visit", string(v.ID)), zap.String("to", string(v.Forward.Room)), zap.Error(err))
		select {
		case <-time.After(retry):
			retry = min(2*retry, carryRetryMax)
		case <-a.done:
			return
		}
	}
}

// errRoomLeft says that the actor of a room has ended.
var errRoomLeft = errors.New("signaling: the waiting room is not here any more")

// bring does both steps once. A panic is an error.
func (h *Hub) bring(a *actor, v *rooms.Visit) (err error) {
	defer func() {
		if p := recover(); p != nil {
			h.metrics.panicked(h.log, "transfer_panic", p)
			err = errInternal
		}
	}()
	ctx, cancel := context.WithTimeout(h.ctx, carryTimeout)
	defer cancel()
	if err := h.handIn(ctx, a, v); err != nil {
		return err
	}
	depart := rooms.Command{Actor: rooms.Actor{System: true}, Visit: v.ID, Do: rooms.Depart{Visit: v.Forward.Visit}}
	e := given{cmd: depart, result: make(chan givenResult, 1)}
	got, ok := ask(a, e, e.result)
	switch {
	case !ok:
		return errRoomLeft
	case errors.Is(got.err, rooms.ErrOver) || errors.Is(got.err, rooms.ErrNoVisit): // by a try whose answer was late
		return nil
	}
	return got.err
}

// handIn has the other room's owner take a visit, unless it was there already; it may be over there by now, even erased.
func (h *Hub) handIn(ctx context.Context, a *actor, v *rooms.Visit) error {
	_, err := h.store.Visit(ctx, v.Forward.Visit)
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if !a.mayOpen() {
		return ErrRetry // somebody else may have done all this, and more
	}
	cmd := rooms.Command{Actor: rooms.Actor{System: true}, Visit: v.Forward.Visit, Do: rooms.Receive{Visit: *v}}
	if h.owners != nil {
		_, err = h.owners.Do(ctx, v.Forward.Room, cmd)
	} else {
		_, err = h.Do(ctx, v.Forward.Room, cmd)
	}
	return err
}

// forwardOf is where the visit of a seat's link goes on, or nil.
func (a *actor) forwardOf(who auth.Identity) *rooms.Forward {
	if who.Kind == auth.Staff {
		return nil
	}
	if v, ok := a.room.Visit(who.Visit); ok && v.Phase == rooms.PhaseMoved {
		return v.Forward
	}
	return nil
}

// follow is the identity of a link in the room where its visit goes on: the same seat.
func follow(who auth.Identity, to rooms.Forward) auth.Identity {
	who.Room, who.Visit = to.Room, to.Visit
	return who
}

// onward is a Forward as it travels in the reason of a close code, between instances only.
func onward(to *rooms.Forward) string { return string(to.Room) + "/" + string(to.Visit) }

// parseOnward answers nil for any other reason.
func parseOnward(reason string) *rooms.Forward {
	room, visit, ok := strings.Cut(reason, "/")
	if !ok || !rooms.ValidID(room) || !rooms.ValidID(visit) {
		return nil
	}
	return &rooms.Forward{Room: rooms.RoomID(room), Visit: rooms.VisitID(visit)}
}

// forStaff reads the data of a request that only staff may make.
func (c *conn) forStaff(req wire.Request, data any) *wire.Error {
	if err := decodeStrict(req.D, data); err != nil {
		return badMessage(err)
	}
	if !c.session.isStaff() {
		return wireError(rooms.ErrForbidden)
	}
	return nil
}

// handleRooms tells staff what other waiting rooms their clinic has.
func (c *conn) handleRooms(req wire.Request) {
	if err := c.forStaff(req, &wire.Empty{}); err != nil {
		c.out.answerErr(req.ID, err)
		return
	}
	ctx, cancel := context.WithTimeout(c.hub.ctx, lookTimeout)
	defer cancel()
	all, err := c.hub.store.Rooms(ctx, c.actor.clinicID)
	if err != nil || c.hub.hasLost(ctx, c.actor.clinicID) {
		c.out.answerErr(req.ID, wireError(ErrRetry))
		return
	}
	answer := wire.Rooms{Rooms: []wire.RoomInfo{}}
	for _, w := range all {
		if w.ID != c.actor.roomID {
			answer.Rooms = append(answer.Rooms, wire.RoomInfo{ID: string(w.ID), Name: w.Name})
		}
	}
	c.out.answer(req.ID, answer)
}

// checkTransfer refuses a transfer to what is no other waiting room of the clinic, which the actor cannot know: it reads no store.
func (c *conn) checkTransfer(req wire.Request) *wire.Error {
	var d wire.Transfer
	if err := c.forStaff(req, &d); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.hub.ctx, lookTimeout)
	defer cancel()
	w, err := c.hub.store.Room(ctx, rooms.RoomID(d.Room))
	if errors.Is(err, store.ErrNotFound) {
		if c.hub.hasLost(ctx, c.actor.clinicID) {
			return wireError(ErrRetry)
		}
		w, err = c.hub.store.Room(ctx, rooms.RoomID(d.Room)) // which may have been filled between the two
	}
	switch {
	case errors.Is(err, store.ErrNotFound) || err == nil && w.Clinic != c.actor.clinicID:
		return &wire.Error{Code: wire.CodeBadValue, Msg: "no other waiting room of this clinic"}
	case err != nil:
		return wireError(ErrRetry)
	}
	return nil
}

// hasLost tells whether the store lacks, or cannot say, what it has of a clinic that is there: it came back empty, and is being filled. The clinic itself comes
// last (store.Directory).
func (h *Hub) hasLost(ctx context.Context, clinic rooms.ClinicID) bool {
	_, err := h.store.Clinic(ctx, clinic)
	return err != nil
}
