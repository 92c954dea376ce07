// Package auth makes and checks what people show to be let in: the tokens of join and staff links, the cookies these
// are exchanged for, and API keys.
//
// It owns the signing secret and the cookies' names. It knows nothing of visits: whether a link was revoked or its
// visit is over is for the caller to say, by comparing Identity.Gen with the present generation.
package auth

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"

	"github.com/anteroom/anteroom/rooms"
)

// What is answered, wrapped, for something that does not let anybody in.
var (
	ErrNoSession = errors.New("auth: no session")  // no cookie of that handle
	ErrBadToken  = errors.New("auth: bad token")   // not made by us, or made for another use
	ErrExpired   = errors.New("auth: expired")     // was good
	ErrSecret    = errors.New("auth: bad secret")  // too short, or not readable
	errIdentity  = errors.New("auth: no identity") // a caller's mistake
)

// Kind tells a person of one visit from one who works a clinic's rooms.
type Kind string

// The kinds.
const (
	Seat  Kind = "seat"
	Staff Kind = "staff"
)

// Identity is who somebody is. Of a seat, Room, Visit and Seat are set (its clinic is the visit's, and tokens are to be
// short); of staff, Clinic and Staff.
type Identity struct {
	Kind   Kind
	Clinic rooms.ClinicID
	Room   rooms.RoomID
	Visit  rooms.VisitID
	Seat   rooms.SeatID
	Staff  rooms.StaffID
	Gen    int    // the seat's LinkGen, or the member of staff's TokenGen, when it was issued
	Handle string // of the cookie; empty in a link
}

// same tells whether two identities are one person's, by links of one generation.
func (id Identity) same(other Identity) bool {
	id.Handle, other.Handle = "", ""
	return id == other
}

func (id Identity) complete() bool {
	switch id.Kind {
	case Seat:
		return id.Room != "" && id.Visit != "" && id.Seat != "" && id.Staff == ""
	case Staff:
		return id.Clinic != "" && id.Staff != "" && id.Seat == ""
	}
	return false
}

// SecretSize is the least and the usual size of the signing secret in bytes: as much as the hash gives (RFC 7518
// section 3.2).
const SecretSize = 32

// Keys signs and checks. It is safe for concurrent use once set up.
type Keys struct {
	// Secure says that people come by TLS although connections to this server are not: a proxy ends it.
	Secure bool

	secret []byte
	random io.Reader
}

// New makes Keys of a secret of at least SecretSize bytes. Another secret ends every link and cookie.
func New(secret []byte) (*Keys, error) {
	if len(secret) < SecretSize {
		return nil, fmt.Errorf("%w: %d bytes, not at least %d", ErrSecret, len(secret), SecretSize)
	}
	return &Keys{secret: append([]byte(nil), secret...), random: rand.Reader}, nil
}
