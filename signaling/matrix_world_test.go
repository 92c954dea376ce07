package signaling

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/anteroom/anteroom/internal/auth"
	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/signaling/wire"
	"github.com/anteroom/anteroom/test/client"
)

// What a cell says besides an error's code.
const (
	done   = "ok"
	closed = "closed"
)

// role is somebody who sends requests.
type role struct {
	name  string
	seat  rooms.Role // of those who come by a link
	staff bool
	here  bool // staff: of this waiting room
}

var roles = []role{
	{name: "patient", seat: rooms.Patient},
	{name: "specialist", seat: rooms.Specialist},
	{name: "presenter", seat: rooms.Presenter},
	{name: "interpreter", seat: rooms.Interpreter},
	{name: "caregiver", seat: rooms.Caregiver},
	{name: "observer", seat: rooms.Observer},
	{name: "clinician who has the visit", staff: true, here: true},
	{name: "colleague", staff: true, here: true},
	{name: "front desk", staff: true, here: true},
	{name: "clinician of another waiting room", staff: true},
	{name: "clinician of another clinic", staff: true},
}

// situations are the states in the order of the table's columns.
func (r role) situations() []string {
	if r.staff {
		return []string{
			"expected", "waiting", "prepared", "admitted", "held", "returned", "left", "removed", "locked", "elsewhere", "ended", "cancelled", "noshow", "no visit",
		}
	}
	return []string{
		"checking", "waiting", "prepared", "admitted", "held", "returned", "left", "removed", "revoked", "ended", "cancelled", "noshow", "no visit",
	}
}

// cell is one request of one role in one state.
type cell struct {
	role      role
	situation string
	kind      wire.Type
}

func (c cell) String() string { return fmt.Sprintf("%s, %s, %s", c.role.name, c.situation, c.kind) }

// scene is the visit of one cell and who is in it. Each cell has its own, so that none disturbs another.
type scene struct {
	visit  rooms.VisitID
	seat   rooms.SeatID // that the request is about: the sender's own, or the patient's
	sender auth.Identity
	room   rooms.RoomID  // where a sender of staff works
	home   rooms.RoomID  // of the visit
	doctor auth.Identity // who has the visit
	to     rooms.StaffID // a colleague to hand over to
	other  rooms.RoomID  // a waiting room of the visit's clinic
	offer  string
}

// examples are valid data of each request.
var examples = map[wire.Type]func(s scene) any{
	wire.TypePing:    func(scene) any { return wire.Empty{} },
	wire.TypeOffer:   func(s scene) any { return wire.Offer{SDP: s.offer} },
	wire.TypeMedia:   func(scene) any { return wire.Media{Audio: wire.MediaOn, Video: wire.MediaBlocked} },
	wire.TypeCheckIn: func(scene) any { return wire.Empty{} },
	wire.TypeLeave:   func(scene) any { return wire.Empty{} },
	wire.TypeChat: func(s scene) any {
		if s.sender.Kind == auth.Staff {
			return wire.Chat{Visit: string(s.visit), Thread: string(s.seat), Text: "hello"}
		}
		return wire.Chat{Text: "hello"}
	},
	wire.TypePrepare: func(s scene) any { return wire.Prepare{Visit: string(s.visit), Seat: string(s.seat), On: true} },
	wire.TypeAdmit:   aboutSeat,
	wire.TypeJoin:    func(s scene) any { return wire.Target{Visit: string(s.visit)} },
	wire.TypeHold:    aboutSeat,
	wire.TypeResume:  aboutSeat,
	wire.TypeReturn:  aboutSeat,
	wire.TypeRemove:  aboutSeat,
	wire.TypeHandOver: func(s scene) any {
		return wire.HandOver{Visit: string(s.visit), To: string(s.to)}
	},
	wire.TypeInvite: func(s scene) any { return wire.Invite{Visit: string(s.visit), Role: wire.RoleInterpreter, Name: "Ivy"} },
	wire.TypeLock:   func(s scene) any { return wire.Lock{Visit: string(s.visit), On: true} },
	wire.TypeMove:   func(s scene) any { return wire.Move{Visit: string(s.visit), Reason: "in pain"} },
	wire.TypeRooms:  func(scene) any { return wire.Empty{} },
	wire.TypeTransfer: func(s scene) any {
		return wire.Transfer{Visit: string(s.visit), Room: string(s.other), Reason: "a rash"}
	},
	wire.TypeEnd:    func(s scene) any { return wire.End{Visit: string(s.visit), Disposition: wire.DispositionDone} },
	wire.TypeNoShow: func(s scene) any { return wire.Target{Visit: string(s.visit)} },
	wire.TypeCancel: func(s scene) any { return wire.Cancel{Visit: string(s.visit), Reason: "ill"} },
}

func aboutSeat(s scene) any { return wire.Target{Visit: string(s.visit), Seat: string(s.seat)} }

// matrix plays all cells in one server. The scenes are decided by package rooms and stored before their waiting room is
// loaded, one room for each role and state, so that there is little left to play over sockets.
type matrix struct {
	*world
	kinds  []wire.Type
	cast   []cast // as many as kinds
	others [2]rooms.WaitingRoom
	offer  string
}

// cast are the staff of one cell: nobody is in two visits of a room at once.
type cast struct{ doctor, colleague, desk, elsewhere, foreign rooms.Staff }

func newMatrix(t *testing.T, kinds []wire.Type) *matrix {
	t.Helper()
	m := &matrix{world: newWorld(t, nil), kinds: kinds}
	m.hub.warm = 1000 // nobody is to be told to wait with an offer for being far behind
	peer, offer, err := client.NewPeer(client.PhoneSlots)
	m.must(err)
	peer.Close()
	m.offer = offer
	var foreign rooms.Clinic
	foreign.ID, foreign.Name = rooms.ClinicID(newID()), "Lake Clinic"
	m.must(m.store.PutClinic(m.ctx(), foreign))
	for i, clinic := range []rooms.ClinicID{m.room.Clinic, foreign.ID} {
		m.others[i] = rooms.WaitingRoom{ID: rooms.RoomID(newID()), Clinic: clinic, Name: "Other"}
		m.must(m.store.PutRoom(m.ctx(), m.others[i]))
	}
	return m
}

// run answers what came of every cell.
func (m *matrix) run() map[cell]string {
	type group struct {
		role      role
		situation string
		room      rooms.WaitingRoom
	}
	var groups []group
	var ids []rooms.RoomID
	for _, r := range roles {
		for _, s := range r.situations() {
			g := group{r, s, rooms.WaitingRoom{ID: rooms.RoomID(newID()), Clinic: m.room.Clinic, Name: s}}
			groups, ids = append(groups, g), append(ids, g.room.ID)
		}
	}
	m.hire(ids)
	var mu sync.Mutex
	results := map[cell]string{}
	for _, g := range groups {
		scenes := m.set(g.role, g.situation, g.room)
		var cells sync.WaitGroup
		for i, kind := range m.kinds {
			cells.Go(func() {
				at := cell{g.role, g.situation, kind}
				got, err := m.play(at, scenes[i])
				mu.Lock()
				defer mu.Unlock()
				if results[at] = got; err != nil {
					m.t.Errorf("%v: %v", at, err)
				}
			})
		}
		cells.Wait()
	}
	return results
}

// hire stores the staff, all at once because a transaction costs a write to the disk.
func (m *matrix) hire(here []rooms.RoomID) {
	var all sync.WaitGroup
	for range m.kinds {
		one := func(name string, r rooms.Role, clinic rooms.ClinicID, rs ...rooms.RoomID) rooms.Staff {
			s := rooms.Staff{ID: rooms.StaffID(newID()), Clinic: clinic, Name: name, Role: r, Rooms: rs}
			all.Go(func() {
				if err := m.store.PutStaff(m.t.Context(), s); err != nil {
					m.t.Error(err)
				}
			})
			return s
		}
		m.cast = append(m.cast, cast{
			doctor: one("Dr Osei", rooms.Clinician, m.room.Clinic, here...), colleague: one("Dr Lee", rooms.Clinician, m.room.Clinic, here...),
			desk:      one("Sam", rooms.FrontDesk, m.room.Clinic, here...),
			elsewhere: one("Dr Roy", rooms.Clinician, m.room.Clinic, m.others[0].ID), foreign: one("Dr Fox", rooms.Clinician, m.others[1].Clinic, m.others[1].ID),
		})
	}
	all.Wait()
}

func staffActor(s rooms.Staff) rooms.Actor {
	return rooms.Actor{Staff: s.ID, Name: s.Name, Role: s.Role}
}

func staffIdentity(s rooms.Staff) auth.Identity {
	return auth.Identity{Kind: auth.Staff, Clinic: s.Clinic, Staff: s.ID}
}

// set decides and stores the scenes of one role and state.
func (m *matrix) set(r role, situation string, about rooms.WaitingRoom) []scene {
	m.must(m.store.PutRoom(m.t.Context(), about))
	stage := &stage{t: m.t, room: rooms.NewRoom(about, nil), now: time.Now().Add(-time.Hour)}
	scenes := make([]scene, 0, len(m.kinds))
	for _, c := range m.cast {
		s := scene{doctor: staffIdentity(c.doctor), to: c.colleague.ID, room: about.ID, home: about.ID, other: m.others[0].ID, offer: m.offer}
		caller := c.doctor
		switch r.name {
		case "colleague":
			caller, s.to = c.colleague, c.desk.ID
		case "front desk":
			caller = c.desk
		case "clinician of another waiting room":
			caller, s.room = c.elsewhere, m.others[0].ID
		case "clinician of another clinic":
			caller, s.room = c.foreign, m.others[1].ID
		}
		stage.play(&s, r, situation, c.doctor, caller)
		s.sender = staffIdentity(caller)
		if !r.staff {
			s.sender = auth.Identity{Kind: auth.Seat, Room: about.ID, Visit: s.visit, Seat: s.seat}
		}
		scenes = append(scenes, s)
	}
	var visits []*rooms.Visit
	for v := range stage.room.Visits() {
		visits = append(visits, v)
	}
	if len(visits) > 0 {
		m.must(m.store.Commit(m.t.Context(), store.Batch{Room: about.ID, Visits: visits}))
	}
	return scenes
}

// stage decides without a server.
type stage struct {
	t    testing.TB
	room *rooms.Room
	now  time.Time
}

func (g *stage) do(visit rooms.VisitID, who rooms.Actor, what rooms.Action) {
	g.now = g.now.Add(time.Second)
	out, err := g.room.Apply(rooms.Command{Actor: who, Visit: visit, Do: what}, g.now)
	if err != nil {
		g.t.Fatalf("%T: %v", what, err)
	}
	g.room.Install(out.Visits...)
}

// create makes a visit of a patient and, if asked for, a guest, and answers the seats.
func (g *stage) create(seats ...rooms.Role) (rooms.VisitID, []rooms.SeatID) {
	about := g.room.About()
	v := rooms.Visit{ID: rooms.VisitID(newID()), Room: about.ID, Clinic: about.Clinic}
	var ids []rooms.SeatID
	for _, r := range seats {
		ids = append(ids, rooms.SeatID(newID()))
		v.Seats = append(v.Seats, rooms.Seat{ID: ids[len(ids)-1], Role: r, Name: "Maria"})
	}
	g.do(v.ID, rooms.Actor{System: true}, rooms.Create{Visit: v})
	return v.ID, ids
}

// play brings a scene's visit into a state.
func (g *stage) play(s *scene, r role, situation string, doctor, caller rooms.Staff) {
	if situation == "no visit" {
		s.visit, s.seat = rooms.VisitID(newID()), rooms.SeatID(newID())
		return
	}
	seats := []rooms.Role{rooms.Patient}
	if !r.staff && r.seat != rooms.Patient {
		seats = append(seats, r.seat)
	}
	visit, ids := g.create(seats...)
	s.visit, s.seat = visit, ids[len(ids)-1]
	seat, has, server := rooms.Actor{Seat: s.seat}, staffActor(doctor), rooms.Actor{System: true}
	type step struct {
		who rooms.Actor
		do  rooms.Action
	}
	in, admit := step{seat, rooms.CheckIn{}}, step{has, rooms.Admit{Seat: s.seat}}
	steps := map[string][]step{
		"expected": {}, "checking": {}, "waiting": {in}, "prepared": {in}, "admitted": {in, admit},
		"held":      {in, admit, {has, rooms.Hold{Seat: s.seat}}},
		"returned":  {in, admit, {has, rooms.Return{Seat: s.seat}}},
		"left":      {in, admit, {seat, rooms.Leave{}}},
		"removed":   {in, admit, {has, rooms.Remove{Seat: s.seat}}},
		"locked":    {in, {server, rooms.Lock{On: true}}},
		"revoked":   {in, {server, rooms.Revoke{Seat: s.seat}}},
		"ended":     {in, admit, {has, rooms.End{Disposition: rooms.DispositionDone}}},
		"elsewhere": {in}, "cancelled": {in, {server, rooms.Cancel{}}}, "noshow": {in, {server, rooms.NoShow{}}},
	}
	path, ok := steps[situation]
	if !ok {
		g.t.Fatalf("no way to %q", situation)
	}
	for _, p := range path {
		g.do(visit, p.who, p.do)
	}
	if situation == "elsewhere" { // who asks is in another visit
		other, others := g.create(rooms.Patient)
		g.do(other, rooms.Actor{Seat: others[0]}, rooms.CheckIn{})
		g.do(other, staffActor(caller), rooms.Admit{Seat: others[0]})
	}
}

// play sends one request and answers what came of it.
func (m *matrix) play(at cell, s scene) (string, error) {
	p := m.dial(s.sender)
	defer p.ws.Close()
	if refused := m.say(p, s); refused != "" {
		return refused, nil
	}
	if at.situation == "prepared" {
		by := p
		if s.sender != s.doctor {
			by = m.dial(s.doctor)
			defer by.ws.Close()
			if refused := m.say(by, scene{sender: s.doctor, room: s.home}); refused != "" {
				return "", fmt.Errorf("the clinician is refused: %s", refused)
			}
		}
		if err := by.ask(wire.TypePrepare, wire.Prepare{Visit: string(s.visit), Seat: string(s.seat), On: true}, nil); err != nil {
			return "", fmt.Errorf("the identity card is refused: %s", err.Code)
		}
	}
	if at.situation == "left" && !at.role.staff { // to open the page was to come back
		if err := p.ask(wire.TypeLeave, wire.Empty{}, nil); err != nil {
			return "", fmt.Errorf("leaving is refused: %s", err.Code)
		}
	}
	switch at.kind {
	case wire.TypeHello:
		return done, nil
	case wire.TypeHello + again:
		return p.result(p.send(wire.TypeHello, p.hello()))
	}
	return p.result(p.send(at.kind, examples[at.kind](s)))
}

// say says hello and then something that the actor answers, because a page that has nothing to come is closed after its
// welcome. It answers how it was refused, or nothing.
func (m *matrix) say(p *page, s scene) string {
	hello := p.hello()
	if s.sender.Kind != auth.Seat {
		hello.Room = string(s.room)
	}
	got, err := p.result(p.send(wire.TypeHello, hello))
	if err == nil && got == done {
		got, err = p.result(p.send(wire.TypeMedia, wire.Media{Audio: wire.MediaOff, Video: wire.MediaOff}))
	}
	switch {
	case err != nil:
		return err.Error()
	case got == done:
		return ""
	case strings.HasPrefix(got, closed):
		return got
	}
	return got + " " + fmt.Sprint(p.closeCode())
}

// result reads up to the answer of a request, or the end.
func (p *page) result(id uint64) (string, error) {
	for {
		m, err := p.read()
		if end, ok := err.(*websocket.CloseError); ok { //nolint:errorlint // gorilla does not wrap it
			return fmt.Sprintf("%s %d", closed, end.Code), nil
		}
		if err != nil {
			return "", err
		}
		if m.Re == id {
			if m.Err != nil {
				return string(m.Err.Code), nil
			}
			return done, nil
		}
	}
}
