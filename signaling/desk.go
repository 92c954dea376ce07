package signaling

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/anteroom/anteroom/internal/auth"
	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
)

// actorFor is the actor of the waiting room that an identity is for, which of staff is the one they want. It answers
// rooms.ErrForbidden if that is not theirs; any other error is our own trouble.
func (h *Hub) actorFor(ctx context.Context, who auth.Identity, want rooms.RoomID, here bool) (*actor, auth.Identity, error) {
	if who.Kind != auth.Staff {
		a, err := h.actorAt(ctx, who.Room, here)
		return a, who, err
	}
	member, err := h.store.Staff(ctx, who.Staff)
	switch {
	case errors.Is(err, store.ErrNotFound) && h.owners != nil: // nobody is ever taken out of it: it has lost them, and gets them back
		err = fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	case errors.Is(err, store.ErrNotFound):
		err = rooms.ErrForbidden
	}
	if h.owners != nil && want != "" && errors.Is(err, store.ErrUnavailable) {
		who.Room = want // whose owner knows who works there
		a, err := h.actorAt(ctx, want, here)
		return a, who, err
	}
	if err != nil {
		return nil, who, err
	}
	if who.Room, err = deskOf(member, want); err != nil {
		return nil, who, err
	}
	for {
		a, err := h.actorAt(ctx, who.Room, here)
		if err != nil || member.TokenGen != who.Gen || member.Disabled || h.acquaint(a, member, who.Room) {
			return a, who, err
		}
		if !a.hasLeft() {
			return a, who, ErrRetry
		}
	}
}

// deskOf is the waiting room that a member of staff wants to work in, if they may; their first one if they do not say.
func deskOf(member rooms.Staff, want rooms.RoomID) (rooms.RoomID, error) {
	switch {
	case len(member.Rooms) > 0 && want == "":
		return member.Rooms[0], nil
	case slices.Contains(member.Rooms, want):
		return want, nil
	}
	return "", rooms.ErrForbidden
}

// acquaint makes sure that a room knows a member of staff as the store does. The room hears of a change a moment later
// than whoever made it, and the link of somebody who was just added has to open at once.
func (h *Hub) acquaint(a *actor, member rooms.Staff, room rooms.RoomID) bool {
	e := knows{member, make(chan bool, 1)}
	known, alive := ask(a, e, e.result)
	return known || alive && h.refresh(a, room)
}

// knows asks whether a room has heard of a member of staff and of the links they have now.
type knows struct {
	member rooms.Staff
	result chan bool
}

func (e knows) failed(*actor) { instead(e.result, false) }

func (e knows) apply(a *actor) {
	m, ok := a.staff[e.member.ID]
	e.result <- ok && m.TokenGen == e.member.TokenGen
}
