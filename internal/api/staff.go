package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/anteroom/anteroom/internal/auth"
	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
)

// Staff is somebody who works waiting rooms.
type Staff struct {
	ID        rooms.StaffID  `json:"id"`
	Name      string         `json:"name"`
	Role      rooms.Role     `json:"role"`
	Rooms     []rooms.RoomID `json:"rooms"`
	CreatedAt time.Time      `json:"createdAt"`
	Disabled  bool           `json:"disabled"`
}

func staffOf(m rooms.Staff) Staff {
	return Staff{
		ID: m.ID, Name: m.Name, Role: m.Role, Rooms: append([]rooms.RoomID{}, m.Rooms...),
		CreatedAt: m.CreatedAt, Disabled: m.Disabled,
	}
}

// StaffLink signs a member of staff in.
type StaffLink struct {
	Link      string    `json:"link" doc:"Give it to nobody else"`
	ExpiresAt time.Time `json:"expiresAt"`
}

type (
	staffInput struct {
		Body struct {
			Name  string         `json:"name" minLength:"1" maxLength:"120"`
			Role  rooms.Role     `json:"role" enum:"clinician,staff" doc:"staff is the front desk"`
			Rooms []rooms.RoomID `json:"rooms" maxItems:"50" doc:"The waiting rooms they work in"`
		}
	}
	staffPath struct {
		Staff rooms.StaffID `path:"staff" maxLength:"26"`
	}
	staffChanges struct {
		Staff rooms.StaffID `path:"staff" maxLength:"26"`
		Body  struct {
			Name     *string         `json:"name,omitempty" minLength:"1" maxLength:"120"`
			Role     *rooms.Role     `json:"role,omitempty" enum:"clinician,staff"`
			Rooms    *[]rooms.RoomID `json:"rooms,omitempty" maxItems:"50"`
			Disabled *bool           `json:"disabled,omitempty"`
		}
	}
	staffLinkInput struct {
		Staff rooms.StaffID `path:"staff" maxLength:"26"`
		Body  *struct {
			Hours int `json:"hours,omitempty" minimum:"1" maximum:"168" doc:"How long the link can be opened, 12 if not said; once opened it lasts 12 hours"`
		}
	}
)

func (s *server) staff(a huma.API) {
	tags := []string{"Staff"}
	register(s, a, clinicKey, huma.Operation{
		OperationID: "create-staff", Method: http.MethodPost, Path: "/v1/staff", DefaultStatus: http.StatusCreated,
		Summary: "Add a member of staff", Tags: tags,
	}, s.createStaff)
	register(s, a, clinicKey, huma.Operation{
		OperationID: "list-staff", Method: http.MethodGet, Path: "/v1/staff", Summary: "List the staff", Tags: tags,
	}, s.listStaff)
	register(s, a, clinicKey, huma.Operation{
		OperationID: "get-staff", Method: http.MethodGet, Path: "/v1/staff/{staff}", Summary: "Read a member of staff", Tags: tags,
	}, s.getStaff)
	register(s, a, clinicKey, huma.Operation{
		OperationID: "change-staff", Method: http.MethodPatch, Path: "/v1/staff/{staff}", Summary: "Change a member of staff", Tags: tags,
	}, s.changeStaff)
	register(s, a, clinicKey, huma.Operation{
		OperationID: "create-staff-link", Method: http.MethodPost, Path: "/v1/staff/{staff}/link", DefaultStatus: http.StatusCreated,
		Summary: "Make a link that signs a member of staff in", Tags: tags,
	}, s.createStaffLink)
	register(s, a, clinicKey, huma.Operation{
		OperationID: "revoke-staff-links", Method: http.MethodDelete, Path: "/v1/staff/{staff}/link",
		Summary: "Sign a member of staff out everywhere", Description: "All links and sign-ins until now are dead.", Tags: tags,
	}, s.revokeStaffLinks)
}

// member reads a member of staff of the caller's clinic.
func (s *server) member(ctx context.Context, id rooms.StaffID) (rooms.Staff, error) {
	m, err := s.Store.Staff(ctx, id)
	if err != nil {
		return rooms.Staff{}, err
	}
	if !callerOf(ctx).sees(m.Clinic) {
		return rooms.Staff{}, errNotFound
	}
	return m, nil
}

func (s *server) createStaff(ctx context.Context, in *staffInput) (*body[Staff], error) {
	s.directory.Lock()
	defer s.directory.Unlock()
	clinic := callerOf(ctx).clinic
	all, err := s.Store.StaffOf(ctx, clinic)
	if err != nil {
		return nil, err
	}
	if len(all) >= maxStaff {
		return nil, fmt.Errorf("%w: staff of the clinic", errFull)
	}
	return s.putStaff(ctx, rooms.Staff{
		ID: newID[rooms.StaffID](s), Clinic: clinic, Name: in.Body.Name, Role: in.Body.Role,
		Rooms: in.Body.Rooms, CreatedAt: s.Now(),
	}, nil)
}

func (s *server) changeStaff(ctx context.Context, in *staffChanges) (*body[Staff], error) {
	s.directory.Lock()
	defer s.directory.Unlock()
	m, err := s.member(ctx, in.Staff)
	if err != nil {
		return nil, err
	}
	before := m.Rooms
	set(&m.Name, in.Body.Name)
	set(&m.Role, in.Body.Role)
	set(&m.Rooms, in.Body.Rooms)
	set(&m.Disabled, in.Body.Disabled)
	return s.putStaff(ctx, m, before)
}

// putStaff checks and writes, and tells the rooms they work in and those they did.
func (s *server) putStaff(ctx context.Context, m rooms.Staff, before []rooms.RoomID) (*body[Staff], error) {
	if err := oneLine("name", m.Name); err != nil {
		return nil, err
	}
	for _, id := range m.Rooms {
		if _, err := s.room(ctx, id); errors.Is(err, store.ErrNotFound) || errors.Is(err, errNotFound) {
			return nil, fmt.Errorf("%w: rooms names no waiting room of the clinic", errBadValue)
		} else if err != nil {
			return nil, err
		}
	}
	if err := s.Store.PutStaff(ctx, m); err != nil {
		return nil, err
	}
	for _, id := range m.Rooms {
		s.Hub.RoomChanged(id)
	}
	for _, id := range before {
		if !slices.Contains(m.Rooms, id) {
			s.Hub.RoomChanged(id)
		}
	}
	return &body[Staff]{staffOf(m)}, nil
}

func (s *server) listStaff(ctx context.Context, _ *struct{}) (*list[Staff], error) {
	all, err := s.Store.StaffOf(ctx, callerOf(ctx).clinic)
	if err != nil {
		return nil, err
	}
	return listOf(all, staffOf), nil
}

func (s *server) getStaff(ctx context.Context, in *staffPath) (*body[Staff], error) {
	m, err := s.member(ctx, in.Staff)
	if err != nil {
		return nil, err
	}
	return &body[Staff]{staffOf(m)}, nil
}

func (s *server) createStaffLink(ctx context.Context, in *staffLinkInput) (*body[StaffLink], error) {
	m, err := s.member(ctx, in.Staff)
	if err != nil {
		return nil, err
	}
	if m.Disabled {
		return nil, problem(http.StatusConflict, "disabled", "the member of staff is disabled")
	}
	good := auth.StaffCookieAge
	if in.Body != nil && in.Body.Hours > 0 {
		good = time.Duration(in.Body.Hours) * time.Hour
	}
	expires := s.Now().Add(good).Truncate(time.Second).UTC()
	link, err := s.staffLink(ctx, m, expires)
	if err != nil {
		return nil, err
	}
	return &body[StaffLink]{StaffLink{Link: link, ExpiresAt: expires}}, nil
}

func (s *server) staffLink(ctx context.Context, m rooms.Staff, expires time.Time) (string, error) {
	token, err := s.Keys.StaffToken(auth.Identity{Kind: auth.Staff, Clinic: m.Clinic, Staff: m.ID, Gen: m.TokenGen}, expires)
	if err != nil {
		return "", err
	}
	return auth.StaffLink(s.publicURL(ctx), token), nil
}

func (s *server) revokeStaffLinks(ctx context.Context, in *staffPath) (*struct{}, error) {
	s.directory.Lock()
	defer s.directory.Unlock()
	m, err := s.member(ctx, in.Staff)
	if err != nil {
		return nil, err
	}
	m.TokenGen++
	if _, err := s.putStaff(ctx, m, nil); err != nil {
		return nil, err
	}
	return nil, nil
}
