package wire

// Role is what a person is in a visit.
type Role string

// Roles.
const (
	RolePatient     Role = "patient"
	RoleClinician   Role = "clinician"
	RoleSpecialist  Role = "specialist"
	RolePresenter   Role = "presenter"
	RoleInterpreter Role = "interpreter"
	RoleCaregiver   Role = "caregiver"
	RoleObserver    Role = "observer"
	RoleStaff       Role = "staff"
)

// SeatState is where a person is.
type SeatState string

// Seat states.
const (
	SeatExpected SeatState = "expected" // has not opened the link
	SeatChecking SeatState = "checking" // has the page open, has not joined yet
	SeatWaiting  SeatState = "waiting"
	SeatAdmitted SeatState = "admitted"
	SeatHeld     SeatState = "held"
	SeatLeft     SeatState = "left"
	SeatRemoved  SeatState = "removed"
)

// Phase is where a visit is.
type Phase string

// Phases.
const (
	PhaseScheduled Phase = "scheduled"
	PhaseWaiting   Phase = "waiting"
	PhaseActive    Phase = "active"
	PhaseHeld      Phase = "held"
	PhaseEnded     Phase = "ended"
	PhaseCancelled Phase = "cancelled"
	PhaseNoShow    Phase = "noshow"
)

// View is everything a person's page needs to be true, sent whole. The newest replaces all before.
type View struct {
	Epoch      int64    `json:"epoch"`   // of the owner
	Version    uint64   `json:"version"` // of the waiting room at this owner; cite it in support
	Clinic     Clinic   `json:"clinic"`
	Room       RoomInfo `json:"room"`
	Me         Me       `json:"me"`
	Visit      *Visit   `json:"visit"`           // the seat's visit; for staff the one they are in, or null
	Queue      *Queue   `json:"queue,omitempty"` // while waiting
	People     []Person `json:"people"`          // those in the visit (admitted or held), the person included; empty before admission
	Slots      []Slot   `json:"slots"`           // what each slot pair of this device's peer carries
	Paused     bool     `json:"paused"`          // this device's link is too slow for pictures: those of others wait, their sound goes on
	Connect    bool     `json:"connect"`         // have a peer now: send an offer if there is none
	Arm        bool     `json:"arm"`             // run the encoders behind the closed gate
	Send       bool     `json:"send"`            // open the gate: media may leave the device
	Colleagues []Staff  `json:"colleagues"`      // staff: who else works in this waiting room
}

// Clinic is whom the visit is with.
type Clinic struct {
	Name  string `json:"name"`
	Phone string `json:"phone"` // may be empty
}

// RoomInfo is the waiting room.
type RoomInfo struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Me is the person who reads the view.
type Me struct {
	Seat  string    `json:"seat"`  // empty for staff who are in no visit
	Staff string    `json:"staff"` // empty for patients and guests
	Role  Role      `json:"role"`
	Name  string    `json:"name"`
	State SeatState `json:"state"` // staff without a seat: "expected"
	Held  int64     `json:"held"`  // since when on hold, ms since 1970, 0 if not
}

// Visit is what a participant may know of the visit.
type Visit struct {
	ID          string      `json:"id"`
	Phase       Phase       `json:"phase"`
	ScheduledAt int64       `json:"scheduledAt"` // ms since 1970, 0: none
	StartedAt   int64       `json:"startedAt"`   // ms since 1970, 0: not yet
	With        []string    `json:"with"`        // names of the expected staff, or of those who are in it
	Locked      bool        `json:"locked"`
	Disposition Disposition `json:"disposition,omitempty"` // staff, after the end
	Version     uint64      `json:"version,omitempty"`     // for Hello.Seen
}

// Queue is the truth about the wait.
type Queue struct {
	Ahead   int   `json:"ahead"`   // visits before this one
	Since   int64 `json:"since"`   // when the wait began, ms since 1970
	WaitMin int   `json:"waitMin"` // usual wait in minutes, a range; 0 and 0: not known
	WaitMax int   `json:"waitMax"`
}

// Person is somebody in the visit.
type Person struct {
	Seat    string    `json:"seat"`
	Role    Role      `json:"role"`
	Name    string    `json:"name"`
	State   SeatState `json:"state"`
	Link    Link      `json:"link"`
	Media   Media     `json:"media"`
	Stalled bool      `json:"stalled"` // claims to send a picture, or sound alone, and no packets of it have come for 2 s
	Unheard bool      `json:"unheard"` // claims to send sound and no packets of it have come for 2 s
}

// Link is how a person's page is connected.
type Link string

// Links.
const (
	LinkNone         Link = "none"         // has never been here
	LinkConnected    Link = "connected"    // signaling is up
	LinkReconnecting Link = "reconnecting" // signaling was lost; the seat is kept
)

// Slot says whose sound and picture a slot pair carries. A new Gen means another person or a new
// start: cover the picture until a frame of it has come.
type Slot struct {
	Seat string `json:"seat"` // empty: nobody
	Gen  uint64 `json:"gen"`
}

// Staff is a colleague.
type Staff struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Role Role   `json:"role"`
	Here bool   `json:"here"` // has the waiting room open
}

// List is the waiting room as rows by key. A row is always whole. Whole means that the client drops
// what it has first.
type List struct {
	Version uint64   `json:"version"` // cite it in hello to get only what is newer
	Whole   bool     `json:"whole"`
	Rows    []Row    `json:"rows"`
	Removed []string `json:"removed"` // keys of rows that are gone
}

// Row is one patient or guest of the waiting room. Its key is the seat. Order rows by Rank, then
// WaitingSince, then Seat.
type Row struct {
	Seat         string      `json:"seat"`
	Visit        string      `json:"visit"`
	Role         Role        `json:"role"`
	Name         string      `json:"name"`
	BirthDate    string      `json:"birthDate,omitempty"` // YYYY-MM-DD, patients
	State        SeatState   `json:"state"`
	Phase        Phase       `json:"phase"`
	Rank         int64       `json:"rank"`                  // position among those who wait; 0 if not waiting
	ArrivedAt    int64       `json:"arrivedAt"`             // ms since 1970, 0: not yet
	WaitingSince int64       `json:"waitingSince"`          // ms since 1970, 0: not waiting
	ScheduledAt  int64       `json:"scheduledAt"`           // ms since 1970, 0: none
	EndedAt      int64       `json:"endedAt"`               // ms since 1970, 0: not over
	LengthMin    int         `json:"lengthMin"`             // planned length, minutes, 0: none
	Reason       string      `json:"reason,omitempty"`      // why the patient comes
	PatientName  string      `json:"patientName,omitempty"` // guests: whose visit it is
	Language     string      `json:"language,omitempty"`
	Interpreter  bool        `json:"interpreter"` // needs one
	Link         Link        `json:"link"`
	Ready        bool        `json:"ready"` // the media connection is up
	Media        Media       `json:"media"`
	With         []string    `json:"with"` // names of staff who are in the visit
	Locked       bool        `json:"locked"`
	MovedReason  string      `json:"movedReason,omitempty"`
	Moving       bool        `json:"moving,omitempty"` // on the way to another waiting room: nothing can be done here any more
	Disposition  Disposition `json:"disposition,omitempty"`
}

// Joined answers POST /v1/join.
type Joined struct {
	Handle string     `json:"handle"` // names the cookie; no secret; keep it in the address
	Kind   JoinedKind `json:"kind"`
	Rooms  []RoomInfo `json:"rooms"` // staff: the waiting rooms they work in
}

// JoinedKind says which page fits.
type JoinedKind string

// Kinds.
const (
	JoinedSeat  JoinedKind = "seat"
	JoinedStaff JoinedKind = "staff"
)
