package wire

// Hello opens a session on a connection. The cookie of the seat or of the staff member came with the
// upgrade; Handle says which one.
type Hello struct {
	Handle   string         `json:"handle"` // from POST /v1/join
	Client   string         `json:"client"` // random id of this page load, 16 to 64 characters; with Request.ID it identifies a command
	Tab      string         `json:"tab"`    // random id of this tab, kept over a refresh, 16 to 64 characters
	Device   Device         `json:"device"`
	Room     string         `json:"room,omitempty"`     // staff: the waiting room to work in
	Takeover bool           `json:"takeover,omitempty"` // use this device instead of the other
	Peer     string         `json:"peer,omitempty"`     // the live peer of this page, if any
	SDP      string         `json:"sdp,omitempty"`      // an offer, if the page knows that it wants a new peer
	Messages map[string]int `json:"messages,omitempty"` // visit id to the number of the last chat message seen
	List     uint64         `json:"list,omitempty"`     // staff: version of the newest list event seen
	Seen     *Seen          `json:"seen,omitempty"`     // of the newest view, if that had a visit with a version
}

// Seen cites a view, so that what it showed is not undone by an owner who has not heard of it.
type Seen struct {
	Epoch   int64  `json:"epoch"`   // View.Epoch
	Visit   string `json:"visit"`   // View.Visit.ID
	Version uint64 `json:"version"` // View.Visit.Version
}

// Device is the kind of screen.
type Device string

// Devices.
const (
	DevicePhone   Device = "phone"
	DeviceDesktop Device = "desktop"
)

// Welcome answers hello.
type Welcome struct {
	Session    string      `json:"session"`          // id of this session, for support
	Now        int64       `json:"now"`              // the server's clock, ms since 1970
	PingMS     int         `json:"pingMs"`           // ping at least this often, unless a ping announced another pace
	ICEServers []ICEServer `json:"iceServers"`       // for the RTCPeerConnection
	Peer       string      `json:"peer"`             // the peer that is alive here, empty if none: then offer when View.Connect is true
	Answer     string      `json:"answer,omitempty"` // the SDP answer, if hello carried an offer that was taken
	View       View        `json:"view"`
	List       *List       `json:"list,omitempty"` // staff
	Messages   []Message   `json:"messages"`       // those newer than Hello.Messages
}

// ICEServer is an RTCIceServer.
type ICEServer struct {
	URLs       []string `json:"urls"`
	Username   string   `json:"username,omitempty"`
	Credential string   `json:"credential,omitempty"`
}

// Ping keeps the line. A page that nobody looks at, and that has no media connection, says how slowly it will ping from
// now on, so that it need not wake a phone's radio.
type Ping struct {
	NextMS int `json:"nextMs,omitempty"` // the next ping comes within this; left out: within Welcome.PingMS
}

// Pong answers ping. A server has its pages ping at one time, because it sleeps in between: many pings at once cost it a
// fraction of as many that come one by one.
type Pong struct {
	Now    int64 `json:"now"`              // the server's clock, ms since 1970
	NextMS int   `json:"nextMs,omitempty"` // the next ping is wanted in this time, up to Welcome.PingMS, and those after it at the pace as before; left out: go on
}

// Offer asks for a new peer; an older one of the same session is closed. The m-lines are, in order:
// audio sendonly, video sendonly, then for each slot audio recvonly and video recvonly.
type Offer struct {
	SDP string `json:"sdp"`
}

// Answer answers offer.
type Answer struct {
	Peer string `json:"peer"`
	SDP  string `json:"sdp"`
}

// Media tells what the person's own devices do.
type Media struct {
	Audio MediaState `json:"audio"`
	Video MediaState `json:"video"`
}

// MediaState is what a microphone or camera does.
type MediaState string

// Media states.
const (
	MediaOn          MediaState = "on"
	MediaOff         MediaState = "off"         // switched off by the person
	MediaInterrupted MediaState = "interrupted" // by the system: a telephone call
	MediaHidden      MediaState = "hidden"      // the page is in the background
	MediaBlocked     MediaState = "blocked"     // permission denied
	MediaMissing     MediaState = "missing"     // no such device
)

// Chat says something. A seat leaves Visit and Thread empty: the server knows whether it is in the
// visit or waits. Staff name the visit, and with Thread the waiting seat they answer.
type Chat struct {
	Visit  string `json:"visit,omitempty"`
	Thread string `json:"thread,omitempty"`
	Text   string `json:"text"` // 1 to MaxChatRunes characters
}

// Said answers chat.
type Said struct {
	N int `json:"n"` // the message's number in its visit
}

// Target names a visit and, where the request is about one person, a seat of it. Hold and resume
// without a seat mean everybody but staff.
type Target struct {
	Visit string `json:"visit"`
	Seat  string `json:"seat,omitempty"`
}

// Prepare says that an identity card was opened (On) or closed.
type Prepare struct {
	Visit string `json:"visit"`
	Seat  string `json:"seat"`
	On    bool   `json:"on"`
}

// HandOver gives the visit to a colleague of the same waiting room.
type HandOver struct {
	Visit string `json:"visit"`
	To    string `json:"to"` // a staff id, from View.Colleagues
}

// Invite makes a seat for a guest.
type Invite struct {
	Visit    string `json:"visit"`
	Role     Role   `json:"role"` // specialist, presenter, interpreter, caregiver or observer
	Name     string `json:"name"` // 1 to MaxNameRunes characters
	Language string `json:"language,omitempty"`
}

// Invited answers invite.
type Invited struct {
	Seat string `json:"seat"`
	Link string `json:"link"` // give it to nobody but the guest
}

// Lock closes or opens the visit for new guests.
type Lock struct {
	Visit string `json:"visit"`
	On    bool   `json:"on"`
}

// Move puts a waiting visit before another one.
type Move struct {
	Visit  string `json:"visit"`
	Before string `json:"before,omitempty"` // a visit id; empty: to the end
	Reason string `json:"reason"`           // why, kept with the visit
}

// Rooms answers rooms: the clinic's waiting rooms without this one.
type Rooms struct {
	Rooms []RoomInfo `json:"rooms"`
}

// Transfer brings a visit in which nobody is admitted to another waiting room of the clinic, with everybody in it. Their links
// lead there.
type Transfer struct {
	Visit  string `json:"visit"`
	Room   string `json:"room"`
	Reason string `json:"reason,omitempty"` // for the staff there: their Row.MovedReason
}

// End ends the visit for everybody.
type End struct {
	Visit       string      `json:"visit"`
	Disposition Disposition `json:"disposition"`
}

// Disposition is what came of a visit.
type Disposition string

// Dispositions.
const (
	DispositionDone        Disposition = "done"
	DispositionFollowUp    Disposition = "follow_up"
	DispositionInPerson    Disposition = "in_person"
	DispositionNoShow      Disposition = "noshow"
	DispositionWrongPerson Disposition = "wrong_person"
)

// Cancel calls a visit off before it began.
type Cancel struct {
	Visit  string `json:"visit"`
	Reason string `json:"reason,omitempty"`
}

// Messages are new chat messages, oldest first.
type Messages struct {
	Messages []Message `json:"messages"`
}

// Message is one chat message.
type Message struct {
	Visit  string `json:"visit"`
	N      int    `json:"n"`    // grows by one within a visit, but a person need not be shown every one
	From   string `json:"from"` // a seat id, or a staff id where the sender has no seat in the visit
	Mine   bool   `json:"mine"` // sent by the person who reads it
	Name   string `json:"name"`
	Role   Role   `json:"role"`
	At     int64  `json:"at"` // ms since 1970
	Text   string `json:"text"`
	Thread string `json:"thread"` // empty: everybody in the visit; else between this seat and the staff
}
