package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/anteroom/anteroom/rooms"
)

// Room is a waiting room.
type Room struct {
	ID             rooms.RoomID `json:"id"`
	Name           string       `json:"name"`
	Order          rooms.Order  `json:"order" doc:"How the queue begins; staff may move visits by hand"`
	RetentionHours int          `json:"retentionHours" doc:"Personal data is erased so long after a visit's end; 0: as the server is set up"`
	UsualWait      *Wait        `json:"usualWait,omitempty"`
	CreatedAt      time.Time    `json:"createdAt"`
}

// Wait is a range of minutes that patients are shown.
type Wait struct {
	From int `json:"from" minimum:"0" maximum:"600" doc:"Minutes"`
	To   int `json:"to" minimum:"1" maximum:"600" doc:"Minutes"`
}

func roomOf(w rooms.WaitingRoom) Room {
	r := Room{ID: w.ID, Name: w.Name, Order: w.Order, RetentionHours: int(w.Retention / time.Hour), CreatedAt: w.CreatedAt}
	if r.Order == "" {
		r.Order = rooms.ByArrival
	}
	if w.UsualWait != [2]int{} {
		r.UsualWait = &Wait{From: w.UsualWait[0], To: w.UsualWait[1]}
	}
	return r
}

type (
	roomInput struct {
		Body struct {
			Name           string      `json:"name" minLength:"1" maxLength:"120"`
			Order          rooms.Order `json:"order,omitempty" enum:"arrival,schedule" default:"arrival"`
			RetentionHours int         `json:"retentionHours,omitempty" minimum:"0" maximum:"87600"`
			UsualWait      *Wait       `json:"usualWait,omitempty"`
		}
	}
	roomPath struct {
		Room rooms.RoomID `path:"room" maxLength:"26"`
	}
	roomChanges struct {
		Room rooms.RoomID `path:"room" maxLength:"26"`
		Body struct {
			Name           *string      `json:"name,omitempty" minLength:"1" maxLength:"120"`
			Order          *rooms.Order `json:"order,omitempty" enum:"arrival,schedule"`
			RetentionHours *int         `json:"retentionHours,omitempty" minimum:"0" maximum:"87600"`
			UsualWait      *Wait        `json:"usualWait,omitempty"`
		}
	}
)

func (s *server) rooms(a huma.API) {
	tags := []string{"Waiting rooms"}
	register(s, a, clinicKey, huma.Operation{
		OperationID: "create-room", Method: http.MethodPost, Path: "/v1/rooms", DefaultStatus: http.StatusCreated,
		Summary: "Make a waiting room", Tags: tags,
	}, s.createRoom)
	register(s, a, clinicKey, huma.Operation{
		OperationID: "list-rooms", Method: http.MethodGet, Path: "/v1/rooms", Summary: "List the waiting rooms", Tags: tags,
	}, s.listRooms)
	register(s, a, clinicKey, huma.Operation{
		OperationID: "get-room", Method: http.MethodGet, Path: "/v1/rooms/{room}", Summary: "Read a waiting room", Tags: tags,
	}, s.getRoom)
	register(s, a, clinicKey, huma.Operation{
		OperationID: "change-room", Method: http.MethodPatch, Path: "/v1/rooms/{room}", Summary: "Change a waiting room", Tags: tags,
	}, s.changeRoom)
}

// room reads a waiting room of the caller's clinic.
func (s *server) room(ctx context.Context, id rooms.RoomID) (rooms.WaitingRoom, error) {
	w, err := s.Store.Room(ctx, id)
	if err != nil {
		return rooms.WaitingRoom{}, err
	}
	if !callerOf(ctx).sees(w.Clinic) {
		return rooms.WaitingRoom{}, errNotFound
	}
	return w, nil
}

func (s *server) createRoom(ctx context.Context, in *roomInput) (*body[Room], error) {
	s.directory.Lock()
	defer s.directory.Unlock()
	clinic := callerOf(ctx).clinic
	all, err := s.Store.Rooms(ctx, clinic)
	if err != nil {
		return nil, err
	}
	if len(all) >= maxRooms {
		return nil, fmt.Errorf("%w: waiting rooms of the clinic", errFull)
	}
	return s.putRoom(ctx, rooms.WaitingRoom{
		ID: newID[rooms.RoomID](s), Clinic: clinic, Name: in.Body.Name, Order: in.Body.Order,
		Retention: time.Duration(in.Body.RetentionHours) * time.Hour, CreatedAt: s.Now(),
	}, in.Body.UsualWait)
}

func (s *server) changeRoom(ctx context.Context, in *roomChanges) (*body[Room], error) {
	s.directory.Lock()
	defer s.directory.Unlock()
	w, err := s.room(ctx, in.Room)
	if err != nil {
		return nil, err
	}
	set(&w.Name, in.Body.Name)
	set(&w.Order, in.Body.Order)
	if hours := in.Body.RetentionHours; hours != nil {
		w.Retention = time.Duration(*hours) * time.Hour
	}
	return s.putRoom(ctx, w, in.Body.UsualWait)
}

func (s *server) putRoom(ctx context.Context, w rooms.WaitingRoom, wait *Wait) (*body[Room], error) {
	if err := oneLine("name", w.Name); err != nil {
		return nil, err
	}
	if wait != nil {
		if wait.From > wait.To {
			return nil, fmt.Errorf("%w: usualWait.from is more than usualWait.to", errBadValue)
		}
		w.UsualWait = [2]int{wait.From, wait.To}
	}
	if err := s.Store.PutRoom(ctx, w); err != nil {
		return nil, err
	}
	s.Hub.RoomChanged(w.ID)
	return &body[Room]{roomOf(w)}, nil
}

func (s *server) listRooms(ctx context.Context, _ *struct{}) (*list[Room], error) {
	all, err := s.Store.Rooms(ctx, callerOf(ctx).clinic)
	if err != nil {
		return nil, err
	}
	return listOf(all, roomOf), nil
}

func (s *server) getRoom(ctx context.Context, in *roomPath) (*body[Room], error) {
	w, err := s.room(ctx, in.Room)
	if err != nil {
		return nil, err
	}
	return &body[Room]{roomOf(w)}, nil
}
