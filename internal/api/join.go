package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/anteroom/anteroom/internal/auth"
	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/signaling/wire"
)

const joinPath = "/v1/join"

type joinInput struct {
	Body struct {
		Token string `json:"token" minLength:"1" maxLength:"1024" doc:"What stands behind the # of a link"`
	}
}

// Why a link lets nobody in.
var (
	errLinkUnknown = problem(http.StatusUnauthorized, codeLinkUnknown, "")
	errLinkRevoked = problem(http.StatusUnauthorized, codeLinkRevoked, "")
	errLinkExpired = problem(http.StatusUnauthorized, codeLinkExpired, "")
	errVisitOver   = problem(http.StatusGone, codeVisitOver, "")
	errTooMany     = problem(http.StatusTooManyRequests, codeTooMany, "")
	errOtherSite   = problem(http.StatusForbidden, codeForbidden, "called by a page of another site")
)

func (s *server) join(a huma.API) {
	register(s, a, anybody, huma.Operation{
		OperationID: "join", Method: http.MethodPost, Path: joinPath, Summary: "Exchange a link's token for a cookie",
		Description: "For our own pages. The cookie's name carries the handle, so that one browser can hold several people.",
		Tags:        []string{"Pages"},
	}, s.exchange)
}

// exchange lets a browser in. A page of another site may not do it: nobody is to be signed in unawares.
func (s *server) exchange(ctx context.Context, in *joinInput) (*body[wire.Joined], error) {
	c := callOf(ctx)
	if s.sites.Check(c.r) != nil {
		return nil, errOtherSite
	}
	from := s.ClientAddr(c.r)
	if s.limited(from.IsLoopback()) && !s.joins.take(from, 1) {
		return nil, errTooMany
	}
	id, joined, err := s.admissible(ctx, in.Body.Token)
	if err != nil {
		s.joins.take(from, joinFailure-1)
		return nil, err
	}
	if joined.Handle, err = s.Keys.SetCookie(c.w, c.r, id, s.Now()); err != nil {
		return nil, err
	}
	return &body[wire.Joined]{joined}, nil
}

// limited tells whether limits hold: not for load that a developer makes on their own machine.
func (s *server) limited(loopback bool) bool { return !s.Dev || !loopback }

// admissible says whom a token is for, if it still lets them in.
func (s *server) admissible(ctx context.Context, token string) (auth.Identity, wire.Joined, error) {
	id, err := s.Keys.ParseToken(token, s.Now())
	switch {
	case errors.Is(err, auth.ErrExpired):
		return id, wire.Joined{}, errLinkExpired
	case err != nil:
		return id, wire.Joined{}, errLinkUnknown
	case id.Kind == auth.Staff:
		joined, err := s.staffJoins(ctx, id)
		return id, joined, err
	}
	return id, wire.Joined{Kind: wire.JoinedSeat, Rooms: []wire.RoomInfo{}}, s.seatJoins(ctx, id)
}

func (s *server) seatJoins(ctx context.Context, id auth.Identity) error {
	v, err := s.newest(ctx, id.Visit)
	if errors.Is(err, store.ErrNotFound) {
		return errLinkUnknown
	}
	if err != nil {
		return err
	}
	seat, ok := v.Seat(id.Seat)
	switch {
	case !ok:
		return errLinkUnknown
	case seat.LinkRevoked || seat.LinkGen != id.Gen || seat.State == rooms.SeatRemoved:
		return errLinkRevoked
	case v.Phase.Over():
		return errVisitOver
	}
	return nil
}

func (s *server) staffJoins(ctx context.Context, id auth.Identity) (wire.Joined, error) {
	m, err := s.Store.Staff(ctx, id.Staff)
	if errors.Is(err, store.ErrNotFound) {
		return wire.Joined{}, errLinkUnknown
	}
	if err != nil {
		return wire.Joined{}, err
	}
	if m.Disabled || m.TokenGen != id.Gen {
		return wire.Joined{}, errLinkRevoked
	}
	joined := wire.Joined{Kind: wire.JoinedStaff, Rooms: []wire.RoomInfo{}}
	for _, room := range m.Rooms {
		w, err := s.Store.Room(ctx, room)
		if err != nil {
			return wire.Joined{}, err
		}
		joined.Rooms = append(joined.Rooms, wire.RoomInfo{ID: string(w.ID), Name: w.Name})
	}
	return joined, nil
}
