package signaling

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/anteroom/anteroom/internal/auth"
	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/rooms/store/bolt"
	"github.com/anteroom/anteroom/sfu"
	"github.com/anteroom/anteroom/sfu/transport"
	"github.com/anteroom/anteroom/signaling/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second

// world is a hub over a real store, media port and HTTP server, with one clinic, room and clinician.
type world struct {
	t      testing.TB
	hub    *Hub
	store  store.Store
	keys   *auth.Keys
	server *httptest.Server // nil in a bubble of fake time
	room   rooms.WaitingRoom
	doctor rooms.Staff
}

// newWorld wires everything; in puts something between the hub and its store.
func newWorld(t testing.TB, in func(store.Store) store.Store) *world {
	t.Helper()
	w := &world{t: t}
	db, err := bolt.Open(filepath.Join(t.TempDir(), "anteroom.db"), bolt.Options{})
	w.must(err)
	t.Cleanup(func() { _ = db.Close() })
	w.store = db
	w.keys, err = auth.New([]byte(strings.Repeat("secret ", 8)))
	w.must(err)
	w.furnish()
	port, err := transport.Listen(transport.Config{Listen: netip.MustParseAddrPort("127.0.0.1:0"), Loopback: true})
	w.must(err)
	t.Cleanup(func() { _ = port.Close() })
	media := sfu.New(sfu.Config{Transport: port})
	t.Cleanup(media.Close)
	hubStore := w.store
	if in != nil {
		hubStore = in(w.store)
	}
	w.hub, err = NewHub(Config{
		Store: hubStore, SFU: media, Keys: w.keys, Registerer: prometheus.NewRegistry(),
		PublicURL:  func(*http.Request) string { return w.server.URL },
		ICEServers: func(string) []wire.ICEServer { return []wire.ICEServer{} },
		Origins:    []string{"https://portal.example"},
	})
	w.must(err)
	w.server = httptest.NewServer(w.hub)
	t.Cleanup(func() {
		_ = w.hub.Close()
		w.server.Close()
	})
	return w
}

func (w *world) furnish() {
	ctx := w.t.Context()
	clinic := rooms.Clinic{ID: rooms.ClinicID(newID()), Name: "Hill Clinic"}
	w.room = rooms.WaitingRoom{ID: rooms.RoomID(newID()), Clinic: clinic.ID, Name: "Oncology"}
	w.doctor = rooms.Staff{
		ID: rooms.StaffID(newID()), Clinic: clinic.ID, Name: "Dr Osei", Role: rooms.Clinician, Rooms: []rooms.RoomID{w.room.ID},
	}
	w.must(w.store.PutClinic(ctx, clinic))
	w.must(w.store.PutRoom(ctx, w.room))
	w.must(w.store.PutStaff(ctx, w.doctor))
}

// in is the same world for a subtest.
func (w *world) in(t *testing.T) *world {
	other := *w
	other.t = t
	return &other
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// visit makes a visit and answers its patient's identity.
func (w *world) visit(name string) auth.Identity {
	w.t.Helper()
	v := rooms.Visit{
		ID: rooms.VisitID(newID()), Room: w.room.ID, Clinic: w.room.Clinic,
		Seats: []rooms.Seat{{ID: rooms.SeatID(newID()), Role: rooms.Patient, Name: name}},
	}
	out, err := w.do(v.ID, rooms.Create{Visit: v})
	w.must(err)
	return auth.Identity{Kind: auth.Seat, Room: w.room.ID, Visit: v.ID, Seat: out.Visit.Patient().ID}
}

func (w *world) do(visit rooms.VisitID, action rooms.Action) (rooms.Outcome, error) {
	cmd := rooms.Command{Actor: rooms.Actor{System: true}, Visit: visit, Do: action}
	return w.hub.Do(w.t.Context(), w.room.ID, cmd)
}

func (w *world) staff() auth.Identity {
	return auth.Identity{Kind: auth.Staff, Clinic: w.doctor.Clinic, Staff: w.doctor.ID}
}

// page is a raw client: tests say every word themselves.
type page struct {
	w      *world
	ws     *websocket.Conn
	handle string
	header http.Header // with the cookie
	lastID uint64
	passed []message // events that came while an answer was awaited
}

// dial opens a socket with the cookie of an identity.
func (w *world) dial(id auth.Identity) *page {
	w.t.Helper()
	url := pipeURL
	if w.server != nil {
		url = w.server.URL
	}
	answer, request := httptest.NewRecorder(), httptest.NewRequestWithContext(w.t.Context(), http.MethodPost, url, nil)
	handle, err := w.keys.SetCookie(answer, request, id, time.Now())
	w.must(err)
	header := http.Header{"Origin": {url}}
	for _, c := range answer.Result().Cookies() {
		header.Add("Cookie", c.Name+"="+c.Value)
	}
	if w.server == nil {
		return &page{w: w, ws: dialPipe(w.t, header, w.hub.ServeHTTP), handle: handle, header: header}
	}
	dialer := websocket.Dialer{Subprotocols: []string{wire.Subprotocol}}
	ws, _, err := dialer.DialContext(w.t.Context(), strings.Replace(url, "http", "ws", 1), header)
	w.must(err)
	w.t.Cleanup(func() { _ = ws.Close() })
	return &page{w: w, ws: ws, handle: handle, header: header}
}

// open says hello and answers the welcome.
func (w *world) open(id auth.Identity) (*page, wire.Welcome) {
	w.t.Helper()
	p := w.dial(id)
	var welcome wire.Welcome
	if err := p.ask(wire.TypeHello, p.hello(), &welcome); err != nil {
		w.t.Fatal(err)
	}
	return p, welcome
}

func (p *page) hello() wire.Hello {
	return wire.Hello{Handle: p.handle, Client: rand.Text(), Tab: rand.Text(), Device: wire.DevicePhone}
}

func (p *page) send(t wire.Type, d any) uint64 {
	p.w.t.Helper()
	p.lastID++
	data, err := json.Marshal(d)
	p.w.must(err)
	p.w.must(p.ws.WriteJSON(wire.Request{T: t, ID: p.lastID, D: data}))
	return p.lastID
}

// message is what a server sends.
type message struct {
	Re  uint64          `json:"re"`
	Err *wire.Error     `json:"err"`
	T   wire.Type       `json:"t"`
	Seq uint64          `json:"seq"`
	D   json.RawMessage `json:"d"`
}

func (p *page) read() (m message, err error) {
	_ = p.ws.SetReadDeadline(time.Now().Add(patience))
	return m, p.ws.ReadJSON(&m)
}

// ask sends a request and reads up to its answer.
func (p *page) ask(t wire.Type, d, into any) *wire.Error {
	p.w.t.Helper()
	id := p.send(t, d)
	for {
		m, err := p.read()
		p.w.must(err)
		if m.Re != id {
			p.passed = append(p.passed, m)
			continue
		}
		if m.Err == nil && into != nil {
			p.w.must(json.Unmarshal(m.D, into))
		}
		return m.Err
	}
}

// next is the oldest message not looked at yet.
func (p *page) next() (message, error) {
	if len(p.passed) == 0 {
		return p.read()
	}
	m := p.passed[0]
	p.passed = p.passed[1:]
	return m, nil
}

// waitView reads until a view is as wanted.
func (p *page) waitView(wanted func(wire.View) bool) wire.View {
	p.w.t.Helper()
	for {
		m, err := p.next()
		p.w.must(err)
		if m.T != wire.EventView {
			continue
		}
		var v wire.View
		p.w.must(json.Unmarshal(m.D, &v))
		if wanted(v) {
			return v
		}
	}
}

// closeCode reads to the end.
func (p *page) closeCode() wire.CloseCode {
	p.w.t.Helper()
	for {
		if _, err := p.read(); err != nil {
			if closed, ok := err.(*websocket.CloseError); ok { //nolint:errorlint // gorilla does not wrap it
				return wire.CloseCode(closed.Code)
			}
			p.w.t.Fatalf("ended without a code: %v", err)
		}
	}
}

// code is an answer's code, empty for success.
func code(err *wire.Error) wire.Code {
	if err == nil {
		return ""
	}
	return err.Code
}

// ctx ends when patience does.
func (w *world) ctx() context.Context {
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	w.t.Cleanup(cancel)
	return ctx
}

// somebodyWaits is a patient who has checked in, and the doctor of the room.
func (w *world) somebodyWaits() (id auth.Identity, target wire.Target, patient, doctor *page) {
	w.t.Helper()
	id = w.visit("Ana Santos")
	patient, _ = w.open(id)
	doctor, _ = w.open(w.staff())
	w.must(nilOf(patient.ask(wire.TypeCheckIn, wire.Empty{}, nil)))
	return id, wire.Target{Visit: string(id.Visit), Seat: string(id.Seat)}, patient, doctor
}
