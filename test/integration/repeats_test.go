package integration

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/rooms/store/bolt"
	"github.com/anteroom/anteroom/rooms/store/sealed"
	"github.com/anteroom/anteroom/signaling/wire"
	"github.com/anteroom/anteroom/test/client"
)

// commandRow is a row of the document's table of requests that is marked as a command.
var commandRow = regexp.MustCompile("(?m)^\\| `(\\w+)`\\*")

// repeated is a page that gives its commands by hand, so that it can give one again on another socket.
type repeated struct {
	page   *client.Client
	hello  wire.Hello
	lastID uint64
	frame  wire.Request // the command
	visit  string
}

// said is a request before it has an id.
type said struct {
	t    wire.Type
	data any
}

// rehearsal is what leads up to a command, and the command, which is the last; link is whose it is.
type rehearsal struct {
	link  string
	visit string
	says  []said
}

// rehearsals has one for each command. Who gives it is a new member of staff unless the link is the patient's.
var rehearsals = map[wire.Type]func(t *testing.T, c *clinic, staff string) rehearsal{
	wire.TypeCheckIn: func(t *testing.T, c *clinic, _ string) rehearsal {
		v := c.visit(t, "Maria Santos")
		return rehearsal{v.Seats[0].Link, v.ID, []said{{wire.TypeCheckIn, wire.Empty{}}}}
	},
	wire.TypeLeave: inVisit(func(wire.Target) []said { return []said{{wire.TypeLeave, wire.Empty{}}} }),
	wire.TypeChat:  inVisit(func(v wire.Target) []said { return []said{{wire.TypeChat, wire.Chat{Visit: v.Visit, Text: "once"}}} }),
	wire.TypeAdmit: inVisit(func(wire.Target) []said { return nil }),
	wire.TypeHold:  inVisit(func(v wire.Target) []said { return []said{{wire.TypeHold, v}} }),
	wire.TypeResume: inVisit(func(v wire.Target) []said {
		return []said{{wire.TypeHold, v}, {wire.TypeResume, v}}
	}),
	wire.TypeReturn: inVisit(func(v wire.Target) []said { return []said{{wire.TypeReturn, v}} }),
	wire.TypeRemove: inVisit(func(v wire.Target) []said { return []said{{wire.TypeRemove, v}} }),
	wire.TypeInvite: inVisit(func(v wire.Target) []said {
		return []said{{wire.TypeInvite, wire.Invite{Visit: v.Visit, Role: wire.RoleInterpreter, Name: "Iva"}}}
	}),
	wire.TypeLock: inVisit(func(v wire.Target) []said { return []said{{wire.TypeLock, wire.Lock{Visit: v.Visit, On: true}}} }),
	wire.TypeEnd: inVisit(func(v wire.Target) []said {
		return []said{{wire.TypeEnd, wire.End{Visit: v.Visit, Disposition: wire.DispositionDone}}}
	}),
	wire.TypeJoin: func(t *testing.T, c *clinic, staff string) rehearsal {
		v := c.visit(t, "Maria Santos")
		arrive(t, v.Seats[0].Link)
		must(t, c.clinician(t, "Dr. Lee").Admit(within(t), v.ID, v.Seats[0].ID))
		return rehearsal{staff, v.ID, []said{{wire.TypeJoin, wire.Target{Visit: v.ID}}}}
	},
	wire.TypeHandOver: func(t *testing.T, c *clinic, staff string) rehearsal {
		to, _ := c.staffLink(t, "Dr. Lee", wire.RoleClinician)
		return inVisit(func(v wire.Target) []said {
			return []said{{wire.TypeHandOver, wire.HandOver{Visit: v.Visit, To: to}}}
		})(t, c, staff)
	},
	wire.TypeMove: func(t *testing.T, c *clinic, staff string) rehearsal {
		first, second := c.visit(t, "Maria Santos"), c.visit(t, "Omar Haddad")
		arrive(t, first.Seats[0].Link)
		arrive(t, second.Seats[0].Link)
		move := wire.Move{Visit: second.ID, Before: first.ID, Reason: "in pain"}
		return rehearsal{staff, second.ID, []said{{wire.TypeMove, move}}}
	},
	wire.TypeTransfer: func(t *testing.T, c *clinic, staff string) rehearsal {
		v := c.visit(t, "Maria Santos")
		arrive(t, v.Seats[0].Link)
		return rehearsal{staff, v.ID, []said{{wire.TypeTransfer, wire.Transfer{Visit: v.ID, Room: newClinic(t, c.server).room}}}}
	},
	wire.TypeNoShow: func(t *testing.T, c *clinic, staff string) rehearsal {
		v := c.visit(t, "Maria Santos")
		return rehearsal{staff, v.ID, []said{{wire.TypeNoShow, wire.Target{Visit: v.ID}}}}
	},
	wire.TypeCancel: func(t *testing.T, c *clinic, staff string) rehearsal {
		v := c.visit(t, "Maria Santos")
		return rehearsal{staff, v.ID, []said{{wire.TypeCancel, wire.Cancel{Visit: v.ID, Reason: "by telephone"}}}}
	},
}

// inVisit is a rehearsal that begins with the admission of a patient.
func inVisit(then func(wire.Target) []said) func(t *testing.T, c *clinic, staff string) rehearsal {
	return func(t *testing.T, c *clinic, staff string) rehearsal {
		t.Helper()
		v := c.visit(t, "Maria Santos")
		arrive(t, v.Seats[0].Link)
		target := wire.Target{Visit: v.ID, Seat: v.Seats[0].ID}
		return rehearsal{staff, v.ID, append([]said{{wire.TypeAdmit, target}}, then(target)...)}
	}
}

// A command that comes again, with its id, on another socket or after the server was killed, is answered as it was,
// and was done once.
func TestRepeat_EveryCommand_IsAnsweredAlikeAndDoneOnce(t *testing.T) {
	p := startProcess(t)
	c := newClinic(t, &p.server)
	pages := map[wire.Type]*repeated{}
	answers := map[wire.Type]string{}
	document := string(get(os.ReadFile(protocolDocument))(t))
	for _, m := range commandRow.FindAllStringSubmatch(document, -1) {
		kind := wire.Type(m[1])
		rehearse := rehearsals[kind]
		if rehearse == nil {
			t.Errorf("nobody tries %s", kind)
			continue
		}
		_, staff := c.staffLink(t, "Dr. Ada Byron", wire.RoleClinician)
		pages[kind], answers[kind] = perform(t, rehearse(t, c, staff))
	}
	if len(pages) != len(rehearsals) {
		t.Errorf("the document has %d commands, %d are tried", len(pages), len(rehearsals))
	}
	again := func(when string) {
		for kind, page := range pages {
			if got := page.again(t); got != answers[kind] {
				t.Errorf("%s is answered %s %s, %s before", kind, got, when, answers[kind])
			}
		}
	}

	again("on another socket")
	p.kill(t)
	before := p.stored(t, pages)
	p.start(t)
	again("after a restart")
	p.kill(t)
	for kind, v := range p.stored(t, pages) {
		if !reflect.DeepEqual(v, before[kind]) {
			t.Errorf("after %s was repeated the visit is %+v, before %+v", kind, v, before[kind])
		}
		times := 0
		for _, seen := range v.Seen {
			if seen.Client == pages[kind].hello.Client && seen.ID == pages[kind].frame.ID {
				times++
			}
		}
		if times != 1 {
			t.Errorf("%s was done %d times", kind, times)
		}
	}
}

// perform plays a rehearsal and answers what came back to the command.
func perform(t *testing.T, r rehearsal) (*repeated, string) {
	t.Helper()
	page := get(client.Join(within(t), r.link, client.Options{}))(t)
	id := strings.ReplaceAll(rooms.NewID(time.Now(), strings.NewReader(r.visit+r.link)), "-", "")
	p := &repeated{page: page, visit: r.visit, hello: wire.Hello{
		Handle: page.Joined.Handle, Client: "client" + id, Tab: "tab" + id, Device: wire.DeviceDesktop,
	}}
	ws := p.enter(t)
	defer ws.Close()
	answer := ""
	for _, s := range r.says {
		p.lastID++
		p.frame = wire.Request{T: s.t, ID: p.lastID, D: get(json.Marshal(s.data))(t)}
		if answer = p.ask(t, ws, p.frame); strings.Contains(answer, `"err"`) {
			t.Fatalf("%s: %s", s.t, answer)
		}
	}
	return p, answer
}

// enter says hello on a new socket.
func (p *repeated) enter(t *testing.T) *websocket.Conn {
	t.Helper()
	ws := get(p.page.Dial(within(t)))(t)
	p.lastID++
	if answer := p.ask(t, ws, wire.Request{T: wire.TypeHello, ID: p.lastID, D: get(json.Marshal(p.hello))(t)}); strings.Contains(answer, `"err"`) {
		t.Fatalf("hello: %s", answer)
	}
	return ws
}

// again gives the command again on a new socket.
func (p *repeated) again(t *testing.T) string {
	t.Helper()
	ws := p.enter(t)
	defer ws.Close()
	return p.ask(t, ws, p.frame)
}

// ask sends a request and answers its reply as it came.
func (p *repeated) ask(t *testing.T, ws *websocket.Conn, request wire.Request) string {
	t.Helper()
	must(t, ws.WriteJSON(request))
	for {
		must(t, ws.SetReadDeadline(time.Now().Add(patience)))
		_, text, err := ws.ReadMessage()
		must(t, err)
		var reply struct{ Re uint64 }
		must(t, json.Unmarshal(text, &reply))
		if reply.Re == request.ID {
			return string(text)
		}
	}
}

// opened is the file with the keys that the process has made.
func (p *process) opened(t *testing.T, db *bolt.DB) store.Store {
	t.Helper()
	keys := filepath.Join(p.data, "seal-keys")
	return get(sealed.New(db, sealed.Options{Source: func() ([]byte, error) { return os.ReadFile(keys) }}))(t)
}

// stored are the visits as the file has them; the server is not running.
func (p *process) stored(t *testing.T, pages map[wire.Type]*repeated) map[wire.Type]*rooms.Visit {
	t.Helper()
	db := get(bolt.Open(filepath.Join(p.data, "anteroom.db"), bolt.Options{}))(t)
	defer db.Close()
	visits := map[wire.Type]*rooms.Visit{}
	for kind, page := range pages {
		visits[kind] = get(p.opened(t, db).Visit(t.Context(), rooms.VisitID(page.visit)))(t)
	}
	return visits
}

// A leave names no visit: repeated when its giver is in the next one already, it means the one before.
func TestRepeat_LeaveInTheNextVisit_LeavesThatAlone(t *testing.T) {
	c := newClinic(t, &startProcess(t).server)
	_, staff := c.staffLink(t, "Dr. Ada Byron", wire.RoleClinician)
	page, answer := perform(t, rehearsals[wire.TypeLeave](t, c, staff))
	next := c.visit(t, "Omar Haddad")
	patient := arrive(t, next.Seats[0].Link)

	ws := page.enter(t)
	defer ws.Close()
	page.lastID++
	admit := wire.Request{T: wire.TypeAdmit, ID: page.lastID, D: get(json.Marshal(wire.Target{Visit: next.ID, Seat: next.Seats[0].ID}))(t)}
	admitted := page.ask(t, ws, admit)
	if got := page.ask(t, ws, page.frame); got != answer {
		t.Errorf("leave is answered %s, %s before", got, answer)
	}
	if view := waitState(t, patient, wire.SeatAdmitted); len(view.People) != 2 {
		t.Errorf("after %s %d people are in the next visit", admitted, len(view.People))
	}
	if got := page.ask(t, ws, admit); got != admitted {
		t.Errorf("admit is answered %s, %s before", got, admitted)
	}
}
