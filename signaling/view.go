package signaling

import (
	"hash/maphash"
	"time"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/signaling/wire"
)

// viewSeed is of the sums by which views are compared.
var viewSeed = maphash.MakeSeed()

// sendView gives a session its view if that differs from the last one.
func (a *actor) sendView(s *session) {
	if s.conn == nil || a.forwardOf(s.who) != nil {
		return // of who has moved there is nothing to be seen here
	}
	v := a.viewOf(s)
	// Versions alone are no news.
	version := v.Version
	v.Version = 0
	sum := maphash.Bytes(viewSeed, encode(v))
	if sum == s.lastView {
		return
	}
	s.lastView = sum
	s.tell()
	v.Version = version
	a.makeCitable(&v)
	s.conn.out.setView(v)
}

// tell notes whom a view that is on its way names in each slot.
func (s *session) tell() {
	s.told = s.told[:0]
	for _, t := range s.slots {
		s.told = append(s.told, t.seat)
	}
}

// afterView ends connections that have nothing more to come.
func (a *actor) afterView(s *session) {
	if s.isStaff() {
		return
	}
	v, ok := a.room.Visit(s.who.Visit)
	if !ok {
		a.endSession(s, wire.CloseOver)
		return
	}
	seat, ok := v.Seat(s.who.Seat)
	switch {
	case v.Phase == rooms.PhaseMoved:
		a.endSession(s, wire.CloseMoved)
	case !ok || seat.State == rooms.SeatRemoved:
		a.endSession(s, wire.CloseRemoved)
	case v.Phase.Over() && a.isDurable(v):
		a.endSession(s, wire.CloseOver)
	case seat.State == rooms.SeatLeft:
		s.dropPeer()
		a.forgetIfGone(s)
	}
}

func (a *actor) isDurable(v *rooms.Visit) bool {
	d, ok := a.durable[v.ID]
	return ok && d.Version == v.Version
}

// endSession tells a page that it is over. One whose socket is away cannot be told, and is over.
func (a *actor) endSession(s *session, code wire.CloseCode) {
	s.dropPeer()
	if s.conn != nil {
		s.conn.out.close(code)
	}
	a.forgetIfGone(s)
}

// viewOf is everything a session's page needs to be true.
func (a *actor) viewOf(s *session) wire.View {
	about := a.room.About()
	view := wire.View{
		Epoch: a.epoch(), Version: a.version,
		Clinic:     wire.Clinic{Name: a.clinic.Name, Phone: a.clinic.Phone},
		Room:       wire.RoomInfo{ID: string(about.ID), Name: about.Name},
		People:     []wire.Person{},
		Slots:      wireSlots(s.slots),
		Paused:     s.peer != nil && s.peer.paused,
		Connect:    a.mayConnect(s),
		Send:       s.sending,
		Colleagues: []wire.Staff{},
	}
	id, in := a.visitOf(s)
	visit, ok := a.room.Visit(id)
	if in = in && ok; in {
		visit = rooms.Shown(visit, a.durable[id])
		view.Visit = a.visitInfo(visit, s.isStaff())
	}
	if s.isStaff() {
		a.staffView(s, visit, in, &view)
	} else if in {
		a.seatView(s, visit, &view)
	}
	return view
}

func (a *actor) staffView(s *session, visit *rooms.Visit, in bool, view *wire.View) {
	member := a.staff[s.who.Staff]
	view.Me = wire.Me{Staff: string(member.ID), Role: wire.Role(member.Role), Name: member.Name, State: wire.SeatExpected}
	view.Arm = s.prepared.seat != "" || a.entering(s)
	view.Colleagues = a.colleaguesOf(member.ID)
	if !in {
		return
	}
	if seat, ok := visit.StaffSeat(member.ID); ok {
		view.Me.Seat, view.Me.State = string(seat.ID), wire.SeatState(seat.State)
		view.People = a.people(visit)
		return
	}
	view.Visit = nil // not durable yet
}

func (a *actor) seatView(s *session, visit *rooms.Visit, view *wire.View) {
	seat, ok := visit.Seat(s.who.Seat)
	if !ok {
		return
	}
	view.Me = wire.Me{Seat: string(seat.ID), Role: wire.Role(seat.Role), Name: seat.Name, State: wire.SeatState(seat.State)}
	switch seat.State {
	case rooms.SeatHeld:
		view.Me.Held = ms(seat.HeldAt)
		view.People = a.people(visit)
	case rooms.SeatAdmitted:
		view.People = a.people(visit)
	case rooms.SeatWaiting:
		view.Arm = a.armed(seat.ID) || a.entering(s)
		view.Queue = a.queueView(visit, seat)
	}
}

func (a *actor) queueView(visit *rooms.Visit, seat *rooms.Seat) *wire.Queue {
	usual := a.room.About().UsualWait
	ahead, _ := a.room.Ahead(visit.ID)
	q := &wire.Queue{Ahead: ahead, Since: ms(seat.WaitingSince), WaitMin: usual[0], WaitMax: usual[1]}
	if seat.Role != rooms.Patient {
		q.Ahead = 0 // a guest waits for this one visit
	}
	return q
}

func (a *actor) visitInfo(v *rooms.Visit, staff bool) *wire.Visit {
	info := &wire.Visit{
		ID: string(v.ID), Phase: wire.Phase(v.Phase), ScheduledAt: ms(v.ScheduledAt), StartedAt: ms(v.StartedAt),
		With: a.with(v), Locked: v.Locked,
	}
	if staff {
		info.Disposition = wire.Disposition(v.Disposition)
	}
	return info
}

// with names the staff who are or were in a visit, or else those who are expected.
func (a *actor) with(v *rooms.Visit) []string {
	names := []string{}
	for _, seat := range v.Seats {
		if seat.Staff != "" && !seat.AdmittedAt.IsZero() {
			names = append(names, seat.Name)
		}
	}
	if len(names) > 0 {
		return names
	}
	for _, id := range v.Expected {
		if member, ok := a.staff[id]; ok {
			names = append(names, member.Name)
		}
	}
	return names
}

func (a *actor) people(v *rooms.Visit) []wire.Person {
	people := []wire.Person{}
	for i := range v.Seats {
		seat := &v.Seats[i]
		if seat.State != rooms.SeatAdmitted && seat.State != rooms.SeatHeld {
			continue
		}
		p := wire.Person{
			Seat: string(seat.ID), Role: wire.Role(seat.Role), Name: seat.Name, State: wire.SeatState(seat.State),
			Media: wire.Media{Audio: wire.MediaOff, Video: wire.MediaOff}, Link: wire.LinkReconnecting,
		}
		if s := a.sessionAt(seat); s != nil {
			sound, picture := a.missing(s)
			p.Media, p.Link = s.media, link(s, seat)
			// A picture that comes is shown, with sound or without.
			p.Stalled, p.Unheard = picture || sound && s.media.Video != wire.MediaOn, sound
		}
		people = append(people, p)
	}
	return people
}

// link is how the page of a seat is connected.
func link(s *session, seat *rooms.Seat) wire.Link {
	switch {
	case s != nil && s.conn != nil:
		return wire.LinkConnected
	case seat.ArrivedAt.IsZero() && seat.Staff == "":
		return wire.LinkNone
	}
	return wire.LinkReconnecting
}

// ms is a time on the wire.
func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
