package api

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/anteroom/anteroom/internal/auth"
	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
)

// The demo clinic of development. Its identifiers are fixed, so that it is found again after a restart.
const (
	demoClinic    rooms.ClinicID = "0000000000000000000000demo"
	demoRoom      rooms.RoomID   = "00000000000000000demoroom0"
	demoClinician rooms.StaffID  = "00000000000000000demostaff"
	demoKey                      = "000000000000000000demokey0"
	demoExternal                 = "demo"
)

// PrepareDemo makes the demo clinic, with one waiting room and one clinician, if there is none, and lets a key, given
// by its hash, work in it.
func PrepareDemo(ctx context.Context, st store.Store, key [32]byte, now time.Time) error {
	err := st.PutKey(ctx, rooms.APIKey{ID: demoKey, Clinic: demoClinic, Hash: key, Name: "Development", CreatedAt: now})
	if err != nil {
		return err
	}
	if _, err := st.Staff(ctx, demoClinician); !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err := st.PutClinic(ctx, rooms.Clinic{ID: demoClinic, Name: "Riverside Clinic", Phone: "555 0100", CreatedAt: now}); err != nil {
		return err
	}
	if err := st.PutRoom(ctx, rooms.WaitingRoom{
		ID: demoRoom, Clinic: demoClinic, Name: "Family Medicine", Order: rooms.ByArrival, UsualWait: [2]int{5, 15}, CreatedAt: now,
	}); err != nil {
		return err
	}
	return st.PutStaff(ctx, rooms.Staff{ // last: it says that all is there
		ID: demoClinician, Clinic: demoClinic, Name: "Dr. Maria Santos", Role: rooms.Clinician,
		Rooms: []rooms.RoomID{demoRoom}, CreatedAt: now,
	})
}

// Demo is what the try-it page offers.
type Demo struct {
	Clinic     string     `json:"clinic"`
	Patient    DemoPerson `json:"patient"`
	Specialist DemoPerson `json:"specialist"`
	Clinician  DemoPerson `json:"clinician"`
}

// DemoPerson is somebody to try it as.
type DemoPerson struct {
	Name string `json:"name"`
	Link string `json:"link"`
}

func (s *server) demo(a huma.API) {
	d := &demo{s: s}
	register(s, a, anybody, huma.Operation{
		OperationID: "demo", Method: http.MethodGet, Path: "/v1/demo", Summary: "Links into the demo clinic",
		Description: "In development only.", Tags: []string{"Pages"},
	}, d.get)
}

type demo struct {
	s  *server
	mu sync.Mutex // two pages that open at once get one visit
}

func (d *demo) get(ctx context.Context, _ *struct{}) (*body[Demo], error) {
	clinic, err := d.s.Store.Clinic(ctx, demoClinic)
	if err != nil {
		return nil, err
	}
	clinician, err := d.s.Store.Staff(ctx, demoClinician)
	if err != nil {
		return nil, err
	}
	v, err := d.visit(ctx)
	if err != nil {
		return nil, err
	}
	out := Demo{Clinic: clinic.Name}
	for i := range v.Seats {
		link, err := d.s.seatLink(ctx, v, &v.Seats[i])
		if err != nil {
			return nil, err
		}
		switch person := (DemoPerson{v.Seats[i].Name, link}); v.Seats[i].Role {
		case rooms.Patient:
			out.Patient = person
		case rooms.Specialist:
			out.Specialist = person
		}
	}
	link, err := d.s.staffLink(ctx, clinician, d.s.Now().Add(auth.StaffCookieAge))
	if err != nil {
		return nil, err
	}
	out.Clinician = DemoPerson{clinician.Name, link}
	return &body[Demo]{out}, nil
}

// visit is the demo visit that is under way, or a fresh one.
func (d *demo) visit(ctx context.Context) (*rooms.Visit, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var after rooms.VisitID
	for {
		page, err := d.s.Store.ListVisits(ctx, demoRoom, after, store.MaxList)
		if err != nil {
			return nil, err
		}
		if len(page) == 0 {
			break
		}
		for _, v := range page {
			if v.External == demoExternal && !v.Phase.Over() {
				return d.s.newest(ctx, v.ID)
			}
		}
		after = page[len(page)-1].ID
	}
	in := NewVisit{
		Room: demoRoom, ExternalID: demoExternal, Reason: "Cough for a week", LengthMinutes: 15,
		Patient:  Patient{Name: "Alex Morgan", BirthDate: "1984-03-12", Language: "en"},
		Expected: []rooms.StaffID{demoClinician},
		Guests:   []Guest{{Role: rooms.Specialist, Name: "Dr. Noor Haddad"}},
	}
	scheduled := d.s.Now().Truncate(time.Minute)
	in.ScheduledAt = &scheduled
	draft := d.s.draft(rooms.WaitingRoom{ID: demoRoom, Clinic: demoClinic}, in)
	out, err := d.s.do(ctx, demoRoom, draft.ID, "", rooms.Create{Visit: draft})
	return out.Visit, err
}
