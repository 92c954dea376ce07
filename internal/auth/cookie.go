package auth

import (
	"cmp"
	"encoding/base32"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// How long a cookie is good. A patient may open the link days before the visit; opening it again makes a new one.
const (
	SeatCookieAge  = 7 * 24 * time.Hour
	StaffCookieAge = 12 * time.Hour
)

// MaxCookies is how many of our cookies one browser keeps: beyond it the oldest goes, because all of them travel with
// each request. A tablet that a clinic passes around would else collect them.
const MaxCookies = 16

const (
	cookiePrefix = "anteroom-"
	hostPrefix   = "__Host-" // Secure, Path=/ and no Domain, held by the browser: RFC 6265bis section 4.1.3.2
	handleLength = 10        // 50 bits: no secret, only different from others in one browser
)

var handleEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// SetCookie signs the browser in as id, beside whoever else it is signed in as, and answers the handle that names the
// cookie. One that holds the same link's cookie already keeps its handle. The caller has checked id.
func (k *Keys) SetCookie(w http.ResponseWriter, r *http.Request, id Identity, now time.Time) (handle string, err error) {
	if !id.complete() {
		return "", errIdentity
	}
	id = claimsOf(id, forCookie).identity()
	id.Handle = ""
	issued := now
	for _, h := range k.tidy(w, r, now) {
		if h.identity().same(id) {
			id.Handle = h.Handle
		}
		if !h.Issued.Before(issued) { // the clock was set back: who signs in now is the newest all the same
			issued = h.Issued.Add(time.Second)
		}
	}
	if id.Handle == "" {
		id.Handle = k.newHandle()
	}
	age := SeatCookieAge
	if id.Kind == Staff {
		age = StaffCookieAge
	}
	c := claimsOf(id, forCookie)
	c.Issued, c.Expires = jwt.NewNumericDate(issued), jwt.NewNumericDate(now.Add(age))
	value, err := k.sign(c)
	if err != nil {
		return "", err
	}
	http.SetCookie(w, k.cookie(r, k.prefix(r)+id.Handle, value, int(age/time.Second)))
	return id.Handle, nil
}

// Identify says who a request's cookie of that handle belongs to. It answers ErrNoSession, ErrBadToken or ErrExpired.
func (k *Keys) Identify(r *http.Request, handle string, now time.Time) (Identity, error) {
	if handle == "" {
		return Identity{}, ErrNoSession
	}
	c, err := r.Cookie(k.prefix(r) + handle)
	if err != nil {
		return Identity{}, ErrNoSession
	}
	held, err := k.parse(c.Value, forCookie, now)
	if err != nil {
		return Identity{}, err
	}
	if held.Handle != handle {
		return Identity{}, fmt.Errorf("%w: renamed", ErrBadToken)
	}
	return held.identity(), nil
}

// tidy drops what the browser need not send any more and answers what it keeps, at most MaxCookies-1.
func (k *Keys) tidy(w http.ResponseWriter, r *http.Request, now time.Time) []*claims {
	var kept []*claims
	drop := func(handle string) { http.SetCookie(w, k.cookie(r, k.prefix(r)+handle, "", -1)) }
	for _, c := range r.Cookies() {
		handle, ours := strings.CutPrefix(c.Name, k.prefix(r))
		if !ours {
			continue
		}
		held, err := k.parse(c.Value, forCookie, now)
		if err != nil || held.Handle != handle || held.Issued == nil {
			drop(handle)
			continue
		}
		kept = append(kept, held)
	}
	slices.SortStableFunc(kept, func(a, b *claims) int { return cmp.Compare(b.Issued.Unix(), a.Issued.Unix()) })
	for len(kept) >= MaxCookies {
		drop(kept[len(kept)-1].Handle)
		kept = kept[:len(kept)-1]
	}
	return kept
}

func (k *Keys) secure(r *http.Request) bool { return k.Secure || r.TLS != nil }

func (k *Keys) prefix(r *http.Request) string {
	if k.secure(r) {
		return hostPrefix + cookiePrefix
	}
	return cookiePrefix
}

func (k *Keys) cookie(r *http.Request, name, value string, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: k.secure(r), SameSite: http.SameSiteLaxMode,
	}
}

func (k *Keys) newHandle() string {
	var b [7]byte
	if _, err := io.ReadFull(k.random, b[:]); err != nil {
		panic("auth: no random bytes") // crypto/rand never fails
	}
	return handleEncoding.EncodeToString(b[:])[:handleLength]
}
