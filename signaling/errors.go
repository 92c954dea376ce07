package signaling

import (
	"errors"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/sfu"
	"github.com/anteroom/anteroom/sfu/transport"
	"github.com/anteroom/anteroom/signaling/wire"
)

// ErrRetry means that a change is not durable (yet): the same command may be given again and is applied once.
var ErrRetry = errors.New("signaling: not saved yet")

// fullAfter is after how many seconds an offer may work that found no room at all.
const fullAfter = 10

// errInternal is what a caller sees of a panic.
var errInternal = errors.New("signaling: internal error")

// ErrClosed means that the hub is draining or closed.
var ErrClosed = errors.New("signaling: closed")

// wireError is the one place where errors become codes.
func wireError(err error) *wire.Error {
	var refused *rooms.Error
	switch {
	case errors.Is(err, rooms.ErrMoving):
		return &wire.Error{Code: wire.CodeRetry, Msg: "the visit is on its way to another waiting room; send the same request again", Retry: true}
	case errors.As(err, &refused):
		return &wire.Error{Code: wire.Code(refused.Code), Msg: refused.Error(), By: refused.By}
	case errors.Is(err, ErrRetry):
		return &wire.Error{Code: wire.CodeRetry, Msg: "not saved yet; send the same request again", Retry: true}
	}
	return &wire.Error{Code: wire.CodeInternal, Msg: "the server could not do it"}
}

// offerError says why an offer was not answered.
func offerError(err error) *wire.Error {
	switch {
	case errors.Is(err, sfu.ErrBadOffer):
		return &wire.Error{Code: wire.CodeBadOffer, Msg: err.Error()}
	case errors.Is(err, transport.ErrFull):
		return &wire.Error{Code: wire.CodeFull, Msg: "no more media connections here", After: fullAfter}
	}
	return &wire.Error{Code: wire.CodeInternal, Msg: "the server could not do it"}
}
