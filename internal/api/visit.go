package api

import (
	"context"
	"time"

	"github.com/anteroom/anteroom/internal/auth"
	"github.com/anteroom/anteroom/rooms"
)

// Visit is one appointment or walk-in.
type Visit struct {
	ID            rooms.VisitID     `json:"id"`
	Room          rooms.RoomID      `json:"room"`
	ExternalID    string            `json:"externalId,omitempty"`
	Phase         rooms.Phase       `json:"phase" enum:"scheduled,waiting,active,held,ended,cancelled,noshow"`
	Reason        string            `json:"reason,omitempty" doc:"Why the patient comes"`
	ScheduledAt   *time.Time        `json:"scheduledAt,omitempty"`
	LengthMinutes int               `json:"lengthMinutes,omitempty"`
	Expected      []rooms.StaffID   `json:"expected" doc:"Staff whom the patient is to see"`
	Locked        bool              `json:"locked" doc:"Takes no new guests"`
	Disposition   rooms.Disposition `json:"disposition,omitempty" doc:"What came of it"`
	CancelReason  string            `json:"cancelReason,omitempty"`
	Seats         []Seat            `json:"seats" doc:"The people, the patient first"`
	CreatedAt     time.Time         `json:"createdAt"`
	StartedAt     *time.Time        `json:"startedAt,omitempty" doc:"First admission"`
	EndedAt       *time.Time        `json:"endedAt,omitempty"`
	ErasedAt      *time.Time        `json:"erasedAt,omitempty" doc:"Personal data is gone since"`
}

// Seat is a person's place in a visit.
type Seat struct {
	ID          rooms.SeatID    `json:"id"`
	Role        rooms.Role      `json:"role"`
	Staff       rooms.StaffID   `json:"staff,omitempty"`
	Name        string          `json:"name,omitempty"`
	BirthDate   string          `json:"birthDate,omitempty"`
	Language    string          `json:"language,omitempty"`
	Interpreter bool            `json:"interpreter" doc:"Needs one"`
	State       rooms.SeatState `json:"state" enum:"expected,checking,waiting,admitted,held,left,removed"`
	Link        string          `json:"link,omitempty" doc:"The join link, while it works; give it to nobody else"`
	LinkRevoked bool            `json:"linkRevoked"`
	ArrivedAt   *time.Time      `json:"arrivedAt,omitempty" doc:"The link was first opened"`
	AdmittedAt  *time.Time      `json:"admittedAt,omitempty"`
	LeftAt      *time.Time      `json:"leftAt,omitempty"`
}

// show is a visit as the API tells it, with links if they are wanted.
func (s *server) show(ctx context.Context, v *rooms.Visit, links bool) (Visit, error) {
	out := Visit{
		ID: v.ID, Room: v.Room, ExternalID: v.External, Phase: v.Phase, Reason: v.Reason,
		ScheduledAt: moment(v.ScheduledAt), LengthMinutes: int(v.Length / time.Minute),
		Expected: append([]rooms.StaffID{}, v.Expected...), Locked: v.Locked,
		Disposition: v.Disposition, CancelReason: v.CancelReason, Seats: make([]Seat, len(v.Seats)),
		CreatedAt: v.CreatedAt, StartedAt: moment(v.StartedAt), EndedAt: moment(v.EndedAt), ErasedAt: moment(v.ErasedAt),
	}
	for i := range v.Seats {
		seat := showSeat(&v.Seats[i])
		if links && works(v, &v.Seats[i]) {
			link, err := s.seatLink(ctx, v, &v.Seats[i])
			if err != nil {
				return Visit{}, err
			}
			seat.Link = link
		}
		out.Seats[i] = seat
	}
	return out, nil
}

func showSeat(t *rooms.Seat) Seat {
	return Seat{
		ID: t.ID, Role: t.Role, Staff: t.Staff, Name: t.Name, BirthDate: t.BirthDate, Language: t.Language,
		Interpreter: t.Interpreter, State: t.State, LinkRevoked: t.LinkRevoked,
		ArrivedAt: moment(t.ArrivedAt), AdmittedAt: moment(t.AdmittedAt), LeftAt: moment(t.LeftAt),
	}
}

// works tells whether a seat's link lets anybody in.
func works(v *rooms.Visit, t *rooms.Seat) bool {
	return t.Staff == "" && !v.Phase.Over() && !t.LinkRevoked && t.State != rooms.SeatRemoved
}

// seatLink is the same link each time until the seat's is issued anew.
func (s *server) seatLink(ctx context.Context, v *rooms.Visit, t *rooms.Seat) (string, error) {
	token, err := s.Keys.SeatToken(auth.Identity{
		Kind: auth.Seat, Room: v.Room, Visit: v.ID, Seat: t.ID, Gen: t.LinkGen,
	})
	if err != nil {
		return "", err
	}
	return auth.Link(s.publicURL(ctx), token), nil
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
