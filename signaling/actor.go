package signaling

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/signaling/wire"
)

// inboxSize bounds the events that wait for an actor. Whoever posts one more waits, which slows down that
// connection and no other.
const inboxSize = 1024

// actor owns one waiting room: everything here is touched by its goroutine alone, but for post, wake and done.
type actor struct {
	hub   *Hub
	log   *zap.Logger
	inbox chan event
	done  chan struct{} // closed when run has returned
	letGo chan struct{} // closed when the saver has ended and the room is forgotten
	ended chan struct{} // closed when nothing is done any more
	media *mediaMailbox // what peers report

	roomID   rooms.RoomID // fixed, for any goroutine
	clinicID rooms.ClinicID
	saver    *saver
	lease    Lease // nil: there are no other instances

	leaving  bool               // to another instance, as soon as it may
	sparing  bool               // it leaves only if nobody is in a visit
	handed   atomic.Bool        // it has left; set before done is closed
	unused   atomic.Bool        // it has ended because nobody needs the room; set before done is closed
	partings chan rooms.VisitID // of the next owner, while media lingers here

	quietSince time.Time // nobody has needed the room; zero: somebody does

	seen seen // by pages, of owners before

	born int64 // epoch of this actor, if there is no lease

	room    *rooms.Room
	durable map[rooms.VisitID]*rooms.Visit // as the store has them
	clinic  rooms.Clinic
	staff   map[rooms.StaffID]rooms.Staff // who works here

	atSeat  map[rooms.SeatID]*session
	atDesk  map[rooms.StaffID]*session
	current map[rooms.StaffID]rooms.VisitID // the visit a member of staff is in

	saves     saves
	storeDown bool
	late      late
	transfers transfers

	dirty    map[rooms.VisitID]struct{} // routes and views to settle
	alone    map[*session]struct{}      // sessions whose view alone is to be settled
	recheck  map[rooms.VisitID]time.Time
	chats    chats
	presence presence
	queue    queue
	list     list
	version  uint64 // of what people see
}

// event is something that happens to a waiting room. apply runs in the actor's goroutine and never waits.
type event interface {
	apply(a *actor)
}

func newActor(h *Hub, d directory, visits []*rooms.Visit) *actor {
	a := &actor{
		hub:      h,
		log:      h.log.With(zap.String("room", string(d.about.ID))),
		roomID:   d.about.ID,
		clinicID: d.about.Clinic,
		inbox:    make(chan event, inboxSize),
		done:     make(chan struct{}),
		letGo:    make(chan struct{}),
		ended:    make(chan struct{}),
		partings: make(chan rooms.VisitID, maxPartings),
		media:    newMediaMailbox(),
		room:     rooms.NewRoom(d.about, visits),
		durable:  make(map[rooms.VisitID]*rooms.Visit, len(visits)),
		atSeat:   map[rooms.SeatID]*session{},
		atDesk:   map[rooms.StaffID]*session{},
		current:  map[rooms.StaffID]rooms.VisitID{},
		dirty:    map[rooms.VisitID]struct{}{},
		alone:    map[*session]struct{}{},
		recheck:  map[rooms.VisitID]time.Time{},
		chats:    newChats(),

		transfers: transfers{carried: map[rooms.VisitID]struct{}{}},
	}
	a.born = h.epoch + time.Since(h.began).Milliseconds()
	a.list = newList(a.born)
	a.saver = newSaver(d.about.ID, h.store, h.metrics, func(e event) { a.post(e) })
	a.saver.log = a.log
	a.setDirectory(d)
	for _, v := range visits {
		a.durable[v.ID] = v
		a.chats.note(nil, v)
		a.indexStaff(v)
		a.list.touch(v.ID)
		h.metrics.visits.moved(nil, v)
	}
	return a
}

// post hands an event over, waiting while the inbox is full; false if the actor has stopped.
func (a *actor) post(e event) bool {
	select {
	case a.inbox <- e:
		a.hub.meters.near(limitInbox, len(a.inbox))
		return true
	default:
	}
	a.hub.meters.hit(limitInbox)
	select {
	case a.inbox <- e:
		return true
	case <-a.done:
		return false
	}
}

// run works until ctx ends or somebody else may have the room, and closes what it owns; or until it leaves the room to another instance,
// and then its media goes on; or until nobody has needed the room for long.
func (a *actor) run(ctx context.Context) {
	defer close(a.done)
	defer a.uncount()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	moved := goneOf(a.lease)
	a.carryOn()
	for {
		if isGone(a.lease) {
			a.shut(wire.CloseMoved)
			return
		}
		a.settle(time.Now())
		if a.mayLeave() {
			a.handed.Store(true)
			return
		}
		if a.isUnused(time.Now()) {
			a.unused.Store(true)
			a.hub.metrics.letGo.Add(1)
			a.log.Info("room_let_go")
			return
		}
		timer.Reset(a.untilNext(time.Now()))
		select {
		case <-ctx.Done():
			a.shut(wire.CloseRestart)
			return
		case <-moved: // see above
		case e := <-a.inbox:
			a.quietSince = time.Time{}
			a.safely(e)
		case <-a.media.ready:
			for _, e := range a.media.take() {
				a.safely(e)
			}
		case <-timer.C:
		}
	}
}

// shut ends every session, media first. The saver is stopped by the hub, after it has written what it has.
func (a *actor) shut(code wire.CloseCode) {
	for _, s := range a.sessions() {
		a.confine(s, (*session).dropPeer)
	}
	for _, s := range a.sessions() {
		if s.conn != nil {
			s.conn.out.close(code)
		}
	}
}

func (a *actor) sessions() []*session {
	all := make([]*session, 0, len(a.atSeat)+len(a.atDesk))
	for _, s := range a.atSeat {
		all = append(all, s)
	}
	for _, s := range a.atDesk {
		all = append(all, s)
	}
	return all
}

// settle brings views, routes and the list up to date with what has changed.
func (a *actor) settle(now time.Time) {
	for id, at := range a.recheck {
		if !now.Before(at) {
			delete(a.recheck, id)
			a.touch(id)
		}
	}
	a.saves.expire(now)
	a.expireTransfers(now)
	if a.late.some() && a.mayOpen() {
		a.safely(a.late.take())
	}
	a.step((*actor).settleQueue, now)
	a.step((*actor).settlePresence, now)
	if len(a.dirty) > 0 || len(a.alone) > 0 {
		a.version++
	}
	a.step((*actor).settleMedia, now)
	a.step((*actor).flushList, now)
}

// untilNext is how long the actor may sleep if nothing happens.
func (a *actor) untilNext(now time.Time) time.Duration {
	wait := time.Hour
	earlier := func(at time.Time) { wait = min(wait, max(at.Sub(now), time.Millisecond)) }
	for _, at := range a.recheck {
		earlier(at)
	}
	if at, ok := a.saves.next(); ok {
		earlier(at)
	}
	if len(a.transfers.waiting) > 0 {
		earlier(a.transfers.waiting[0].until)
	}
	if a.late.some() {
		earlier(now.Add(lateEvery))
	}
	if a.leaving {
		earlier(now.Add(leaveEvery))
	}
	if !a.quietSince.IsZero() {
		earlier(a.quietSince.Add(a.hub.idleAfter))
	}
	if a.queue.telling.some {
		earlier(now)
	}
	if a.queue.next.some {
		earlier(a.queue.at.Add(wire.ListEveryMS * time.Millisecond))
	}
	if a.presence.changed {
		earlier(a.presence.at.Add(wire.ListEveryMS * time.Millisecond))
	}
	if a.list.dirty() {
		earlier(a.list.at.Add(wire.ListEveryMS * time.Millisecond))
	}
	return wait
}

// touch marks a visit whose routes, views and rows are to be settled.
func (a *actor) touch(id rooms.VisitID) {
	a.dirty[id] = struct{}{}
	a.list.touch(id)
}

// touchSession marks what others see of a session's person.
func (a *actor) touchSession(s *session) {
	a.alone[s] = struct{}{}
	if id, ok := a.visitOf(s); ok {
		a.touch(id)
	}
}

// install takes a decision: in memory now, in the store as soon as it can.
func (a *actor) install(visits []*rooms.Visit) {
	for _, v := range visits {
		was, _ := a.room.Visit(v.ID)
		a.queue.moved(was, v)
		a.hub.metrics.visits.moved(was, v)
		a.indexStaff(v)
		a.touch(v.ID)
		if a.lease != nil && was != nil && rooms.Parts(was, v) {
			a.lease.Parted(v.ID)
		}
		a.hub.meters.measure(v)
	}
	a.room.Install(visits...)
	a.hub.meters.near(limitVisits, len(a.durable))
	a.saver.put(a.saves.begin(), visits)
}

// indexStaff keeps current true: a member of staff is in the visit that has them admitted.
func (a *actor) indexStaff(v *rooms.Visit) {
	for _, s := range v.Seats {
		switch {
		case s.Staff == "":
		case s.State == rooms.SeatAdmitted && !v.Phase.Over():
			a.current[s.Staff] = v.ID
		case a.current[s.Staff] == v.ID:
			delete(a.current, s.Staff)
		}
	}
}

// lateEvery is how often an actor that has something to open looks whether it may.
const lateEvery = 50 * time.Millisecond

// saved says that everything up to a save is durable.
type saved struct {
	upTo   uint64
	visits []*rooms.Visit
}

func (e saved) apply(a *actor) {
	if a.storeDown {
		a.storeDown = false
		a.hub.unsaved.Add(-1)
		a.log.Info("store_back")
	}
	if !a.mayOpen() {
		a.late.add(e)
		return
	}
	for _, v := range e.visits {
		a.isSaved(v)
	}
	a.saves.finish(e.upTo)
}

func (a *actor) isSaved(v *rooms.Visit) {
	defer a.recovered() // others were saved with it
	if v.ErasedAt.IsZero() {
		a.chats.note(a.durable[v.ID], v)
		a.durable[v.ID] = v
	} else {
		a.forget(v.ID)
	}
	a.touch(v.ID)
	if v.Phase == rooms.PhaseMoved {
		a.left(v.ID)
	}
	a.carry(v)
}

// uncount takes all visits out of the census, when this is no more a room in use.
func (a *actor) uncount() {
	for v := range a.room.Visits() {
		a.hub.metrics.visits.moved(v, nil)
	}
}

// forget lets go of a visit that is erased.
func (a *actor) forget(id rooms.VisitID) {
	a.chats.forget(id)
	for _, s := range a.atDesk {
		delete(s.said, id)
	}
	delete(a.durable, id)
	if was, ok := a.room.Visit(id); ok {
		a.hub.metrics.visits.moved(was, nil)
		a.room.Remove(id)
	}
}

// notSaved says that the store does not take writes now; the saver goes on trying.
type notSaved struct{ err error }

func (e notSaved) apply(a *actor) {
	if !a.storeDown {
		a.storeDown = true
		a.hub.unsaved.Add(1)
		a.log.Error("store_down", zap.Error(e.err))
	}
	a.saves.failAll()
}

// directory is what the actor knows of the clinic beside visits. The hub sends it anew when it changed.
type directory struct {
	about  rooms.WaitingRoom
	clinic rooms.Clinic
	staff  []rooms.Staff
}

func (e directory) apply(a *actor) {
	a.setDirectory(e)
	for id, s := range a.atDesk {
		if member, ok := a.staff[id]; (!ok || member.TokenGen != s.who.Gen) && s.conn != nil {
			s.conn.out.close(wire.CloseNoSession)
		}
	}
	for _, s := range a.sessions() {
		a.alone[s] = struct{}{}
	}
}

func (a *actor) setDirectory(d directory) {
	a.room.SetAbout(d.about)
	a.clinic = d.clinic
	a.staff = make(map[rooms.StaffID]rooms.Staff, len(d.staff))
	for _, s := range d.staff {
		if !s.Disabled && worksIn(s, a.room.About().ID) {
			a.staff[s.ID] = s
		}
	}
	a.presence.staff = nil
}

func worksIn(s rooms.Staff, room rooms.RoomID) bool {
	return slices.Contains(s.Rooms, room)
}
