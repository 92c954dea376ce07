package api

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
)

// IdempotencyAge is how long an Idempotency-Key is remembered. An external identifier is remembered for good.
const IdempotencyAge = 24 * time.Hour

// listScan bounds how many stored visits one page of a filtered list looks at.
const listScan = 500

// NewVisit is what a visit is made of.
type NewVisit struct {
	Room          rooms.RoomID    `json:"room" maxLength:"26" doc:"The waiting room"`
	ExternalID    string          `json:"externalId,omitempty" maxLength:"200" doc:"Your own identifier of the appointment: the same again answers the same visit"`
	Patient       Patient         `json:"patient"`
	Reason        string          `json:"reason,omitempty" maxLength:"500" doc:"Why the patient comes; staff see it"`
	ScheduledAt   *time.Time      `json:"scheduledAt,omitempty"`
	LengthMinutes int             `json:"lengthMinutes,omitempty" minimum:"0" maximum:"1440"`
	Expected      []rooms.StaffID `json:"expected,omitempty" maxItems:"16" doc:"Staff whom the patient is to see"`
	Guests        []Guest         `json:"guests,omitempty" maxItems:"15"`
}

// Patient is whom the visit is for.
type Patient struct {
	Name        string `json:"name" minLength:"1" maxLength:"120" doc:"As staff should see it"`
	BirthDate   string `json:"birthDate,omitempty" format:"date" doc:"YYYY-MM-DD, the second identifier that staff confirm before they admit"`
	Language    string `json:"language,omitempty" maxLength:"35" pattern:"^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$" doc:"BCP 47"`
	Interpreter bool   `json:"interpreter,omitempty" doc:"Needs one"`
}

// Guest is somebody else who joins by a link.
type Guest struct {
	Role        rooms.Role `json:"role" enum:"specialist,presenter,interpreter,caregiver,observer"`
	Name        string     `json:"name" minLength:"1" maxLength:"120"`
	Language    string     `json:"language,omitempty" maxLength:"35" pattern:"^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$" doc:"BCP 47"`
	Interpreter bool       `json:"interpreter,omitempty" doc:"Needs one"`
}

type (
	visitInput struct {
		Key  string `header:"Idempotency-Key" maxLength:"200" doc:"Any text of your own: the same again, within 24 hours and with the same body, answers the same visit"`
		Body NewVisit
	}
	visitOutput struct {
		Status   int
		Replayed string `header:"Idempotent-Replayed" doc:"true if the visit was there already"`
		Body     Visit
	}
	visitPath struct {
		Visit rooms.VisitID `path:"visit" maxLength:"26"`
	}
	visitQuery struct {
		Room  rooms.RoomID  `query:"room" required:"true" maxLength:"26"`
		Phase rooms.Phase   `query:"phase" enum:"scheduled,waiting,active,held,ended,cancelled,noshow" doc:"Only visits in this phase"`
		After rooms.VisitID `query:"after" maxLength:"26" doc:"next of the page before"`
		Limit int           `query:"limit" minimum:"1" maximum:"100" default:"50"`
		Links bool          `query:"links" doc:"With join links"`
	}
)

// Visits is a page of visits, oldest first.
type Visits struct {
	Items []Visit       `json:"items" doc:"May be fewer than the limit, even none, and not be the last"`
	Next  rooms.VisitID `json:"next,omitempty" doc:"Where the next page begins; absent on the last"`
}

func (s *server) visits(a huma.API) {
	tags := []string{"Visits"}
	register(s, a, clinicKey, huma.Operation{
		OperationID: "create-visit", Method: http.MethodPost, Path: "/v1/visits", DefaultStatus: http.StatusCreated,
		Summary: "Make a visit", Tags: tags,
		Description: "Answers one join link a person. A repeat, by Idempotency-Key or externalId, answers 200 and " +
			"Idempotent-Replayed: true; with another body it is refused with idempotency_mismatch.",
	}, s.createVisit)
	register(s, a, clinicKey, huma.Operation{
		OperationID: "list-visits", Method: http.MethodGet, Path: "/v1/visits", Summary: "List a waiting room's visits", Tags: tags,
	}, s.listVisits)
	register(s, a, clinicKey, huma.Operation{
		OperationID: "get-visit", Method: http.MethodGet, Path: "/v1/visits/{visit}", Summary: "Read a visit", Tags: tags,
	}, s.getVisit)
}

func (s *server) createVisit(ctx context.Context, in *visitInput) (*visitOutput, error) {
	w, err := s.room(ctx, in.Body.Room)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, errNotFound) {
		return nil, fmt.Errorf("%w: room is no waiting room of the clinic", errBadValue)
	}
	if err != nil {
		return nil, err
	}
	if err := s.areStaff(ctx, in.Body.Expected); err != nil {
		return nil, err
	}
	for _, g := range in.Body.Guests {
		if err := oneLine("the name of a guest", g.Name); err != nil {
			return nil, err
		}
	}
	draft := s.draft(w, in.Body)
	id, first, err := s.reserve(ctx, draft, in)
	if err != nil {
		return nil, err
	}
	draft.ID = id
	var v *rooms.Visit
	made := false
	if !first {
		v, err = s.find(ctx, id)
	}
	if first || errors.Is(err, store.ErrNotFound) { // else who reserved it has not come to make it
		var out rooms.Outcome
		out, err = s.do(ctx, draft.Room, id, "", rooms.Create{Visit: draft})
		v, made = out.Visit, len(out.Visits) > 0
	}
	if err != nil {
		return nil, err
	}
	shown, err := s.show(ctx, v, true)
	if err != nil {
		return nil, err
	}
	if !made {
		return &visitOutput{Status: http.StatusOK, Replayed: "true", Body: shown}, nil
	}
	return &visitOutput{Status: http.StatusCreated, Body: shown}, nil
}

func (s *server) areStaff(ctx context.Context, ids []rooms.StaffID) error {
	for _, id := range ids {
		if _, err := s.member(ctx, id); errors.Is(err, store.ErrNotFound) || errors.Is(err, errNotFound) {
			return fmt.Errorf("%w: expected names nobody of the clinic's staff", errBadValue)
		} else if err != nil {
			return err
		}
	}
	return nil
}

func (s *server) draft(w rooms.WaitingRoom, in NewVisit) rooms.Visit {
	v := rooms.Visit{
		ID: newID[rooms.VisitID](s), Room: w.ID, Clinic: w.Clinic, External: in.ExternalID, Reason: in.Reason,
		Length: time.Duration(in.LengthMinutes) * time.Minute, Expected: in.Expected,
		Seats: []rooms.Seat{{
			ID: newID[rooms.SeatID](s), Role: rooms.Patient, Name: in.Patient.Name, BirthDate: in.Patient.BirthDate,
			Language: in.Patient.Language, Interpreter: in.Patient.Interpreter,
		}},
	}
	if in.ScheduledAt != nil {
		v.ScheduledAt = *in.ScheduledAt
	}
	for _, g := range in.Guests {
		v.Seats = append(v.Seats, s.guestSeat(g))
	}
	return v
}

func (s *server) guestSeat(g Guest) rooms.Seat {
	return rooms.Seat{
		ID: newID[rooms.SeatID](s), Role: g.Role, Name: g.Name, Language: g.Language, Interpreter: g.Interpreter,
	}
}

// reserve says which visit a request is about: the draft's, or the one that an earlier request with the same key or
// external identifier was about. Whoever reserved first may have died before making it, so that first does not say
// that there is none.
//
// The key comes first, because it tells repeats from mistakes; the external identifier then decides, so that two
// requests with different keys and one identifier end at one visit.
func (s *server) reserve(ctx context.Context, draft rooms.Visit, in *visitInput) (id rooms.VisitID, first bool, err error) {
	text, err := json.Marshal(in.Body)
	if err != nil {
		return "", false, err
	}
	id, first = draft.ID, true
	for _, by := range []struct{ kind, key string }{{store.KindKey, in.Key}, {store.KindExternal, in.Body.ExternalID}} {
		if by.key == "" {
			continue
		}
		// Both are kept as keyed hashes, since they outlive what the visit said.
		key := s.Keys.Digest(by.kind, []byte(draft.Clinic), []byte(by.key))
		r, isNew, err := s.Store.Reserve(ctx, store.Reservation{
			Clinic: draft.Clinic, Kind: by.kind, Key: hex.EncodeToString(key[:]), Visit: id, Room: draft.Room,
			BodyHash: s.Keys.Digest("body", []byte(draft.Clinic), text), At: s.Now(),
		})
		if err != nil {
			return "", false, err
		}
		if r.BodyHash != s.Keys.Digest("body", []byte(draft.Clinic), text) {
			return "", false, errMismatch
		}
		id, first = r.Visit, isNew
	}
	return id, first, nil
}

// find reads a visit of the caller's clinic. Another clinic's costs no more than what is not there: its room's owner is not
// asked.
func (s *server) find(ctx context.Context, id rooms.VisitID) (*rooms.Visit, error) {
	v, err := s.Store.Visit(ctx, id)
	if err != nil {
		return nil, err
	}
	if !callerOf(ctx).sees(v.Clinic) {
		return nil, errNotFound
	}
	return s.newer(ctx, v)
}

// newest reads a visit of any clinic as its room's owner has it, or from the store if it was erased.
func (s *server) newest(ctx context.Context, id rooms.VisitID) (*rooms.Visit, error) {
	v, err := s.Store.Visit(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.newer(ctx, v)
}

// newer is a stored visit as newest answers it: in the waiting room that it was brought to last.
func (s *server) newer(ctx context.Context, v *rooms.Visit) (*rooms.Visit, error) {
	for range rooms.MaxTransfers {
		in, err := s.inRoom(ctx, v)
		if err != nil || in.Phase != rooms.PhaseMoved {
			return in, err
		}
		if v, err = s.Store.Visit(ctx, in.Forward.Visit); err != nil {
			return nil, err
		}
	}
	return s.inRoom(ctx, v)
}

// inRoom is a stored visit as its room's owner has it.
func (s *server) inRoom(ctx context.Context, v *rooms.Visit) (*rooms.Visit, error) {
	if !v.ErasedAt.IsZero() {
		return v, nil
	}
	id := v.ID
	newest, err := s.Hub.Visit(ctx, v.Room, id)
	if errors.Is(err, rooms.ErrNoVisit) { // erased meanwhile
		return s.Store.Visit(ctx, id)
	}
	return newest, err
}

func (s *server) getVisit(ctx context.Context, in *visitPath) (*body[Visit], error) {
	v, err := s.find(ctx, in.Visit)
	if err != nil {
		return nil, err
	}
	return s.answer(ctx, v)
}

func (s *server) answer(ctx context.Context, v *rooms.Visit) (*body[Visit], error) {
	shown, err := s.show(ctx, v, true)
	if err != nil {
		return nil, err
	}
	return &body[Visit]{shown}, nil
}

func (s *server) listVisits(ctx context.Context, in *visitQuery) (*body[Visits], error) {
	w, err := s.room(ctx, in.Room)
	if err != nil {
		return nil, err
	}
	scan := in.Limit + 1
	if in.Phase != "" {
		scan = listScan
	}
	scanned, err := s.Store.ListVisits(ctx, w.ID, in.After, scan)
	if err != nil {
		return nil, err
	}
	page := Visits{Items: []Visit{}}
	for i, v := range scanned {
		if v.Phase != rooms.PhaseMoved && (in.Phase == "" || in.Phase == v.Phase) { // who has moved is listed where they are
			shown, err := s.show(ctx, v, in.Links)
			if err != nil {
				return nil, err
			}
			page.Items = append(page.Items, shown)
		}
		last := i == len(scanned)-1
		if (len(page.Items) == in.Limit && !last) || (last && len(scanned) == scan) {
			page.Next = v.ID
			break
		}
	}
	return &body[Visits]{page}, nil
}
