package transport

// Kind is the kind of an m-line.
type Kind string

// The kinds this transport carries. Other m-lines are always rejected.
const (
	Audio Kind = "audio"
	Video Kind = "video"
)

// Codec is one payload format of an m-line. Payload types are the client's.
type Codec struct {
	PT, RTXPT uint8 // RTXPT is 0 without retransmission
	Name      string
	Fmtp      string
	ClockRate uint32
	Channels  uint16 // 0 if the client did not say
	Feedback  []string
}

// Offer is what a client proposes, one entry an m-line in the offer's order.
type Offer struct {
	Media []OfferedMedia
}

// OfferedMedia is one m-line of an offer.
type OfferedMedia struct {
	Index         int
	MID           string
	Kind          Kind
	Receive       bool // the client sends here (sendonly or sendrecv): we receive
	Send          bool // the client wants to receive here (recvonly or sendrecv): a slot
	Codecs        []Codec
	Extensions    map[string]uint8 // header extension URI to id
	RIDs          []string
	SSRC, RTXSSRC uint32 // announced by the client, 0 if none
}

// Accepted is the choice that makes an answer out of an offer.
type Accepted struct {
	Handler          Handler
	Media            []AcceptedMedia // same length and order as the offer's
	StartBitrateKbps int             // a hint for the client's encoder; 0 leaves it out
}

// AcceptedMedia is what is taken of one m-line.
type AcceptedMedia struct {
	Reject     bool
	Codecs     []Codec          // the subset taken, preferred first
	Extensions map[string]uint8 // the subset taken

	// For media that we send. An SSRC of 0 means that nothing will be sent.
	SSRC, RTXSSRC uint32
	// A slot's audio and video share StreamID and CNAME, so that the browser keeps them in step.
	// No two lines may share both StreamID and TrackID: Chromium refuses the answer.
	StreamID, TrackID, CNAME string
}
