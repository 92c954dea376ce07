package api

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/anteroom/anteroom/rooms"
)

// Invitation answers a new or re-issued link.
type Invitation struct {
	Seat rooms.SeatID `json:"seat"`
	Link string       `json:"link" doc:"Give it to nobody else"`
}

type (
	cancelInput struct {
		Visit rooms.VisitID `path:"visit" maxLength:"26"`
		Body  *struct {
			Reason string `json:"reason,omitempty" maxLength:"500"`
		}
	}
	endInput struct {
		Visit rooms.VisitID `path:"visit" maxLength:"26"`
		Body  struct {
			Disposition rooms.Disposition `json:"disposition" enum:"done,follow_up,in_person,noshow,wrong_person"`
		}
	}
	guestInput struct {
		Visit rooms.VisitID `path:"visit" maxLength:"26"`
		Key   string        `header:"Idempotency-Key" maxLength:"200" doc:"The same again answers the same seat"`
		Body  Guest
	}
	seatPath struct {
		Visit rooms.VisitID `path:"visit" maxLength:"26"`
		Seat  rooms.SeatID  `path:"seat" maxLength:"26"`
	}
)

func (s *server) commands(a huma.API) {
	tags := []string{"Visits"}
	register(s, a, clinicKey, huma.Operation{
		OperationID: "cancel-visit", Method: http.MethodPost, Path: "/v1/visits/{visit}/cancel",
		Summary: "Call a visit off before it began", Description: "Again is no error.", Tags: tags,
	}, s.cancelVisit)
	register(s, a, clinicKey, huma.Operation{
		OperationID: "end-visit", Method: http.MethodPost, Path: "/v1/visits/{visit}/end",
		Summary: "End a visit for everybody", Description: "Again is no error.", Tags: tags,
	}, s.endVisit)
	register(s, a, clinicKey, huma.Operation{
		OperationID: "invite-guest", Method: http.MethodPost, Path: "/v1/visits/{visit}/guests", DefaultStatus: http.StatusCreated,
		Summary: "Invite a guest", Tags: tags,
	}, s.inviteGuest)
	register(s, a, clinicKey, huma.Operation{
		OperationID: "reissue-link", Method: http.MethodPost, Path: "/v1/visits/{visit}/seats/{seat}/link", DefaultStatus: http.StatusCreated,
		Summary: "Issue a seat's link anew", Description: "Links until now are dead.", Tags: tags,
	}, s.reissueLink)
	register(s, a, clinicKey, huma.Operation{
		OperationID: "revoke-link", Method: http.MethodDelete, Path: "/v1/visits/{visit}/seats/{seat}/link",
		Summary: "Revoke a seat's links", Description: "Until one is issued anew. Pages opened by it are closed; the seat keeps its place.", Tags: tags,
	}, s.revokeLink)
}

// do gives a command through the room's owner. A client that names a command makes it repeatable.
func (s *server) do(
	ctx context.Context, room rooms.RoomID, visit rooms.VisitID, client string, action rooms.Action,
) (rooms.Outcome, error) {
	cmd := rooms.Command{Actor: rooms.Actor{System: true}, Visit: visit, Do: action}
	if client != "" {
		cmd.Client, cmd.ID = client, 1
	}
	return s.Hub.Do(ctx, room, cmd)
}

// finish ends a visit one way or the other, unless it has ended that way already.
func (s *server) finish(ctx context.Context, id rooms.VisitID, as rooms.Phase, action rooms.Action) (*body[Visit], error) {
	v, err := s.find(ctx, id)
	if err != nil {
		return nil, err
	}
	if v.Phase == as {
		return s.answer(ctx, v)
	}
	out, err := s.do(ctx, v.Room, v.ID, "", action)
	if errors.Is(err, rooms.ErrOver) { // by somebody else meanwhile
		if v, again := s.find(ctx, id); again == nil && v.Phase == as {
			return s.answer(ctx, v)
		}
	}
	if err != nil {
		return nil, err
	}
	return s.answer(ctx, out.Visit)
}

func (s *server) cancelVisit(ctx context.Context, in *cancelInput) (*body[Visit], error) {
	reason := ""
	if in.Body != nil {
		reason = in.Body.Reason
	}
	return s.finish(ctx, in.Visit, rooms.PhaseCancelled, rooms.Cancel{Reason: reason})
}

func (s *server) endVisit(ctx context.Context, in *endInput) (*body[Visit], error) {
	return s.finish(ctx, in.Visit, rooms.PhaseEnded, rooms.End{Disposition: in.Body.Disposition})
}

func (s *server) inviteGuest(ctx context.Context, in *guestInput) (*body[Invitation], error) {
	v, err := s.find(ctx, in.Visit)
	if err != nil {
		return nil, err
	}
	if err := oneLine("name", in.Body.Name); err != nil {
		return nil, err
	}
	client := ""
	if in.Key != "" {
		key := s.Keys.Digest("guest", []byte(v.ID), []byte(in.Key))
		client = "api-" + hex.EncodeToString(key[:16])
	}
	out, err := s.do(ctx, v.Room, v.ID, client, rooms.Invite{Seat: s.guestSeat(in.Body)})
	if err != nil {
		return nil, err
	}
	return s.invitation(ctx, out)
}

func (s *server) reissueLink(ctx context.Context, in *seatPath) (*body[Invitation], error) {
	out, err := s.onSeat(ctx, in, rooms.Reissue{Seat: in.Seat})
	if err != nil {
		return nil, err
	}
	return s.invitation(ctx, out)
}

func (s *server) revokeLink(ctx context.Context, in *seatPath) (*struct{}, error) {
	_, err := s.onSeat(ctx, in, rooms.Revoke{Seat: in.Seat})
	return nil, err
}

func (s *server) onSeat(ctx context.Context, in *seatPath, action rooms.Action) (rooms.Outcome, error) {
	v, err := s.find(ctx, in.Visit)
	if err != nil {
		return rooms.Outcome{}, err
	}
	return s.do(ctx, v.Room, v.ID, "", action)
}

func (s *server) invitation(ctx context.Context, out rooms.Outcome) (*body[Invitation], error) {
	seat, ok := out.Visit.Seat(out.Seat)
	if !ok {
		return nil, rooms.ErrNoSeat
	}
	link, err := s.seatLink(ctx, out.Visit, seat)
	if err != nil {
		return nil, err
	}
	return &body[Invitation]{Invitation{Seat: seat.ID, Link: link}}, nil
}
