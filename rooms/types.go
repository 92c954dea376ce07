package rooms

import "time"

// Identifiers are what NewID makes: 26 characters that sort by the time they were made.
type (
	ClinicID string
	RoomID   string
	VisitID  string
	SeatID   string
	StaffID  string
)

// Role is what a person is in a visit.
type Role string

// The roles.
const (
	Patient     Role = "patient"
	Clinician   Role = "clinician"
	Specialist  Role = "specialist"
	Presenter   Role = "presenter" // beside the patient at another site
	Interpreter Role = "interpreter"
	Caregiver   Role = "caregiver"
	Observer    Role = "observer" // sees and hears, always shown as such, never publishes
	FrontDesk   Role = "staff"
)

// Roles lists every role.
func Roles() []Role {
	return []Role{Patient, Clinician, Specialist, Presenter, Interpreter, Caregiver, Observer, FrontDesk}
}

// Valid tells whether r is one of Roles.
func (r Role) Valid() bool { return r == Patient || r.Guest() || r.Staff() }

// Staff tells whether people of this role work the room by a staff sign-in. All others join one
// visit by its link.
func (r Role) Staff() bool { return r == Clinician || r == FrontDesk }

// Guest tells whether a seat of this role can be invited into a visit.
func (r Role) Guest() bool {
	switch r {
	case Specialist, Presenter, Interpreter, Caregiver, Observer:
		return true
	}
	return false
}

// Phase is how far a visit has come.
type Phase string

// The phases. A visit that is not over follows its seats: see phaseOf.
const (
	PhaseScheduled Phase = "scheduled"
	PhaseWaiting   Phase = "waiting"
	PhaseActive    Phase = "active"
	PhaseHeld      Phase = "held"
	PhaseEnded     Phase = "ended"
	PhaseCancelled Phase = "cancelled"
	PhaseNoShow    Phase = "noshow"
	PhaseMoved     Phase = "moved" // goes on in another waiting room: see Visit.Forward
)

// Over tells whether nothing can happen to the visit any more but its erasure.
func (p Phase) Over() bool {
	return p == PhaseEnded || p == PhaseCancelled || p == PhaseNoShow || p == PhaseMoved
}

// SeatState is where a person stands on the way into a visit.
type SeatState string

// The states of a seat.
const (
	SeatExpected SeatState = "expected"
	SeatChecking SeatState = "checking" // has opened the link; camera, consent and so on
	SeatWaiting  SeatState = "waiting"
	SeatAdmitted SeatState = "admitted"
	SeatHeld     SeatState = "held" // of staff: stepped away to another visit
	SeatLeft     SeatState = "left"
	SeatRemoved  SeatState = "removed" // for good: its links are dead
)

// SeatStates lists every state of a seat.
func SeatStates() []SeatState {
	return []SeatState{SeatExpected, SeatChecking, SeatWaiting, SeatAdmitted, SeatHeld, SeatLeft, SeatRemoved}
}

// Order is how a waiting room's queue begins; staff may move visits by hand.
type Order string

// The orders.
const (
	ByArrival  Order = "arrival"
	BySchedule Order = "schedule"
)

// Disposition is what came of a visit.
type Disposition string

// The dispositions.
const (
	DispositionDone        Disposition = "done"
	DispositionFollowUp    Disposition = "follow_up"
	DispositionInPerson    Disposition = "in_person"
	DispositionNoShow      Disposition = "noshow"
	DispositionWrongPerson Disposition = "wrong_person"
)

// Valid tells whether d is one of the dispositions.
func (d Disposition) Valid() bool {
	switch d {
	case DispositionDone, DispositionFollowUp, DispositionInPerson, DispositionNoShow, DispositionWrongPerson:
		return true
	}
	return false
}

// Clinic is a department or practice: the tenant.
type Clinic struct {
	ID        ClinicID  `json:"id"`
	Name      string    `json:"name"`
	Phone     string    `json:"phone,omitempty"` // what a patient is told to ring
	CreatedAt time.Time `json:"created_at,omitzero"`
}

// WaitingRoom is the queue of visits that a group of staff works through.
type WaitingRoom struct {
	ID        RoomID        `json:"id"`
	Clinic    ClinicID      `json:"clinic"`
	Name      string        `json:"name"`
	Order     Order         `json:"order,omitempty"`      // empty: ByArrival
	Retention time.Duration `json:"retention,omitempty"`  // of personal data after a visit's end; 0: as the server is set up
	UsualWait [2]int        `json:"usual_wait,omitempty"` // minutes, from and to; 0, 0: none is shown
	CreatedAt time.Time     `json:"created_at,omitzero"`
}

// Staff is somebody who signs in and works one or more waiting rooms.
type Staff struct {
	ID        StaffID   `json:"id"`
	Clinic    ClinicID  `json:"clinic"`
	Name      string    `json:"name"`
	Role      Role      `json:"role"`
	Rooms     []RoomID  `json:"rooms,omitempty"`
	TokenGen  int       `json:"token_gen,omitempty"` // tokens of another generation are dead
	CreatedAt time.Time `json:"created_at,omitzero"`
	Disabled  bool      `json:"disabled,omitempty"`
	Sealed    []byte    `json:"sealed,omitempty"` // in a store only: all of the above, encrypted; see package sealed
}

// APIKey lets a clinic's own systems use the REST API. The key itself is not kept.
type APIKey struct {
	ID        string    `json:"id"`
	Clinic    ClinicID  `json:"clinic"`
	Hash      [32]byte  `json:"hash"` // SHA-256 of a random key of 256 bits
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"created_at,omitzero"`
	Disabled  bool      `json:"disabled,omitempty"`
}

// Visit is one appointment or walk-in. It is a value: once handed out it is never changed, a change
// makes a new one with the next Version.
type Visit struct {
	ID      VisitID  `json:"id"`
	Room    RoomID   `json:"room"`
	Clinic  ClinicID `json:"clinic"`
	Version uint64   `json:"version"`

	External     string        `json:"external,omitempty"` // the clinic's own identifier
	Phase        Phase         `json:"phase"`
	Reason       string        `json:"reason,omitempty"`
	ScheduledAt  time.Time     `json:"scheduled_at,omitzero"`
	Length       time.Duration `json:"length,omitempty"`
	Expected     []StaffID     `json:"expected,omitempty"` // whom the patient is to see
	Locked       bool          `json:"locked,omitempty"`
	Rank         int64         `json:"rank,omitempty"`         // place in the queue; see Room.Queue
	MovedReason  string        `json:"moved_reason,omitempty"` // why staff changed its place
	CancelReason string        `json:"cancel_reason,omitempty"`

	Seats       []Seat      `json:"seats,omitempty"`
	Chat        []Message   `json:"chat,omitempty"` // ordered by N
	LastMessage int         `json:"last_message,omitempty"`
	Disposition Disposition `json:"disposition,omitempty"`

	Forward   *Forward `json:"forward,omitempty"`   // where it is going, or went; never changed in place
	Transfers int      `json:"transfers,omitempty"` // how often it was brought to another waiting room

	CreatedAt time.Time `json:"created_at,omitzero"`
	StartedAt time.Time `json:"started_at,omitzero"` // of the first admission
	EndedAt   time.Time `json:"ended_at,omitzero"`   // also of a cancelled visit, a no-show, and one that moved
	ErasedAt  time.Time `json:"erased_at,omitzero"`

	Seen []Applied `json:"seen,omitempty"` // commands applied, oldest first; see remember

	Sealed []byte `json:"sealed,omitempty"` // in a store only: all of the above, encrypted; see package sealed
}

// Seat finds a seat. The pointer is into v and for reading only.
func (v *Visit) Seat(id SeatID) (*Seat, bool) {
	for i := range v.Seats {
		if v.Seats[i].ID == id {
			return &v.Seats[i], true
		}
	}
	return nil, false
}

// Patient is the patient's seat, or nil. The pointer is into v and for reading only.
func (v *Visit) Patient() *Seat {
	for i := range v.Seats {
		if v.Seats[i].Role == Patient {
			return &v.Seats[i]
		}
	}
	return nil
}

// StaffSeat finds the seat that a member of staff has in the visit. The pointer is into v and for
// reading only.
func (v *Visit) StaffSeat(id StaffID) (*Seat, bool) {
	for i := range v.Seats {
		if id != "" && v.Seats[i].Staff == id {
			return &v.Seats[i], true
		}
	}
	return nil, false
}

// Seat is a person's lasting place in a visit. It outlives every connection.
type Seat struct {
	ID          SeatID    `json:"id"`
	Role        Role      `json:"role"`
	Staff       StaffID   `json:"staff,omitempty"` // of clinicians and front desk
	Name        string    `json:"name,omitempty"`
	BirthDate   string    `json:"birth_date,omitempty"`  // YYYY-MM-DD
	Language    string    `json:"language,omitempty"`    // BCP 47
	Interpreter bool      `json:"interpreter,omitempty"` // needs one
	State       SeatState `json:"state"`
	LinkGen     int       `json:"link_gen,omitempty"`     // links of another generation are dead
	LinkRevoked bool      `json:"link_revoked,omitempty"` // so is every link, until one is reissued
	AdmittedBy  StaffID   `json:"admitted_by,omitempty"`

	CreatedAt    time.Time `json:"created_at,omitzero"`
	ArrivedAt    time.Time `json:"arrived_at,omitzero"` // the link was first opened
	WaitingSince time.Time `json:"waiting_since,omitzero"`
	AdmittedAt   time.Time `json:"admitted_at,omitzero"` // last
	HeldAt       time.Time `json:"held_at,omitzero"`     // last
	LeftAt       time.Time `json:"left_at,omitzero"`     // last
}

// Message is a line of chat. An empty Thread is read by those who were admitted when it was said, and by
// nobody who was on hold then; else the thread is between that seat and staff.
type Message struct {
	N         int       `json:"n"` // 1, 2, 3 ... within the visit
	From      SeatID    `json:"from,omitempty"`
	FromStaff StaffID   `json:"from_staff,omitempty"`
	Name      string    `json:"name,omitempty"`
	Role      Role      `json:"role"`
	At        time.Time `json:"at"`
	Text      string    `json:"text"`
	Thread    SeatID    `json:"thread,omitempty"`
	To        []SeatID  `json:"to,omitempty"` // without a thread: who was admitted when it was said
	Client    string    `json:"client,omitempty"`
	ID        uint64    `json:"id,omitempty"` // the command's, of Client
}

// Applied remembers a command and what it made, so that a repeat is answered and not applied.
type Applied struct {
	Client  string `json:"client"`
	ID      uint64 `json:"id"`
	Seat    SeatID `json:"seat,omitempty"`
	Message int    `json:"message,omitempty"`
}
