package rooms

// Code names an error towards clients; it never changes once released.
type Code string

// Error is a refusal. Two are the same for errors.Is if their codes are.
type Error struct {
	Code   Code
	Detail string // for developers; never personal data
	By     string // ErrAlreadyAdmitted: the name of the member of staff who has the visit
}

// Error leaves By out, because errors are logged and names are not.
func (e *Error) Error() string {
	if e.Detail == "" {
		return "rooms: " + string(e.Code)
	}
	return "rooms: " + string(e.Code) + ": " + e.Detail
}

// Is compares codes.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

func (e *Error) with(detail string) *Error { return &Error{Code: e.Code, Detail: detail} }

// What Apply answers when it refuses.
var (
	ErrForbidden       = &Error{Code: "forbidden"}
	ErrNoVisit         = &Error{Code: "no_visit"}
	ErrNoSeat          = &Error{Code: "no_seat"}
	ErrNotWaiting      = &Error{Code: "not_waiting"}
	ErrAlreadyAdmitted = &Error{Code: "already_admitted"}
	ErrInOtherVisit    = &Error{Code: "in_other_visit"}
	ErrNotAdmitted     = &Error{Code: "not_admitted"}
	ErrNotHeld         = &Error{Code: "not_held"}
	ErrLocked          = &Error{Code: "locked"}
	ErrFull            = &Error{Code: "full"}
	ErrOver            = &Error{Code: "visit_over"}
	ErrRemoved         = &Error{Code: "removed"}
	ErrBadValue        = &Error{Code: "bad_value"}
	// ErrMoving refuses for a moment: the visit is on its way to another waiting room, and what a seat asks for is to be asked
	// again there.
	ErrMoving = &Error{Code: "moving"}
	// ErrStale refuses a command that is older than one of the same client that was applied, and that
	// is not remembered: it may have been applied before.
	ErrStale = &Error{Code: "stale_command"}
)
