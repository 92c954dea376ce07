package auth

import (
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/anteroom/anteroom/rooms"
)

// What a token is for. One made for the one is refused for the other.
const (
	forLink   = "link"
	forCookie = "cookie"
)

// MaxToken bounds what is parsed, in bytes. Ours are about 250.
const MaxToken = 1024

// claims are an identity as it travels. Names are short because tokens travel in texts.
type claims struct {
	Use     string           `json:"u"`
	Clinic  rooms.ClinicID   `json:"c,omitempty"`
	Room    rooms.RoomID     `json:"r,omitempty"`
	Visit   rooms.VisitID    `json:"v,omitempty"`
	Seat    rooms.SeatID     `json:"s,omitempty"`
	Staff   rooms.StaffID    `json:"f,omitempty"`
	Gen     int              `json:"g,omitempty"`
	Handle  string           `json:"h,omitempty"`
	Issued  *jwt.NumericDate `json:"iat,omitempty"`
	Expires *jwt.NumericDate `json:"exp,omitempty"`
}

func (c *claims) GetExpirationTime() (*jwt.NumericDate, error) { return c.Expires, nil }
func (c *claims) GetIssuedAt() (*jwt.NumericDate, error)       { return c.Issued, nil }
func (c *claims) GetNotBefore() (*jwt.NumericDate, error)      { return nil, nil } //nolint:nilnil // absent
func (c *claims) GetIssuer() (string, error)                   { return "", nil }
func (c *claims) GetSubject() (string, error)                  { return "", nil }
func (c *claims) GetAudience() (jwt.ClaimStrings, error)       { return jwt.ClaimStrings{c.Use}, nil }

func (c *claims) identity() Identity {
	kind := Seat
	if c.Staff != "" {
		kind = Staff
	}
	return Identity{
		Kind: kind, Clinic: c.Clinic, Room: c.Room, Visit: c.Visit, Seat: c.Seat, Staff: c.Staff,
		Gen: c.Gen, Handle: c.Handle,
	}
}

func claimsOf(id Identity, use string) *claims {
	if id.Kind == Seat {
		id.Clinic = ""
	}
	return &claims{
		Use: use, Clinic: id.Clinic, Room: id.Room, Visit: id.Visit, Seat: id.Seat, Staff: id.Staff,
		Gen: id.Gen, Handle: id.Handle,
	}
}

// SeatToken makes the token of a seat's link. It does not expire: the end of the visit and a new LinkGen end it.
func (k *Keys) SeatToken(id Identity) (string, error) {
	if id.Kind != Seat || !id.complete() {
		return "", errIdentity
	}
	id.Handle = ""
	return k.sign(claimsOf(id, forLink))
}

// StaffToken makes the token of a staff link, good until expires.
func (k *Keys) StaffToken(id Identity, expires time.Time) (string, error) {
	if id.Kind != Staff || !id.complete() || expires.IsZero() {
		return "", errIdentity
	}
	id.Handle = ""
	c := claimsOf(id, forLink)
	c.Expires = jwt.NewNumericDate(expires)
	return k.sign(c)
}

// ParseToken says whom a link's token is for. It answers ErrBadToken or ErrExpired; it does not know of revocation.
func (k *Keys) ParseToken(token string, now time.Time) (Identity, error) {
	c, err := k.parse(token, forLink, now)
	if err != nil {
		return Identity{}, err
	}
	return c.identity(), nil
}

// Link is the address a patient or guest opens. The fragment never leaves the browser (RFC 3986 section 3.5), so
// that the token is in no log of a server or proxy.
func Link(publicURL, token string) string { return publicURL + "/join#" + token }

// StaffLink is the address a member of staff opens.
func StaffLink(publicURL, token string) string { return publicURL + "/staff#" + token }

func (k *Keys) sign(c *claims) (string, error) {
	t := jwt.NewWithClaims(jwt.SigningMethodHS256, c)
	delete(t.Header, "typ") // optional, RFC 7519 section 5.1
	s, err := t.SignedString(k.secret)
	if err != nil {
		return "", fmt.Errorf("auth: sign: %w", err)
	}
	return s, nil
}

func (k *Keys) parse(token, use string, now time.Time) (*claims, error) {
	if len(token) > MaxToken {
		return nil, fmt.Errorf("%w: too long", ErrBadToken)
	}
	p := jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithAudience(use), jwt.WithStrictDecoding(),
		jwt.WithTimeFunc(func() time.Time { return now }),
	)
	c := &claims{}
	_, err := p.ParseWithClaims(token, c, func(*jwt.Token) (any, error) { return k.secret, nil })
	switch {
	case errors.Is(err, jwt.ErrTokenInvalidAudience):
		return nil, fmt.Errorf("%w: made for another use", ErrBadToken)
	case errors.Is(err, jwt.ErrTokenExpired):
		return nil, ErrExpired
	case err != nil: // its text may quote the token
		return nil, ErrBadToken
	case !c.identity().complete(), c.Expires == nil && (use == forCookie || c.Staff != ""):
		return nil, fmt.Errorf("%w: incomplete", ErrBadToken)
	}
	return c, nil
}
