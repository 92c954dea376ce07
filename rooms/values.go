package rooms

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Bounds of values, in characters.
const (
	MaxName   = 120
	MaxLine   = 500  // reasons, external identifiers
	MaxText   = 2000 // a message
	MaxLength = 24 * time.Hour
)

// line tells whether s is one line of printable text of so many characters, not blank unless it may
// be empty.
func line(s string, shortest, longest int) bool {
	return sized(s, shortest, longest) && !strings.ContainsFunc(s, unicode.IsControl)
}

// text is like line, but may have several lines.
func text(s string, shortest, longest int) bool {
	return sized(s, shortest, longest) && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) && !strings.ContainsRune("\n\r\t", r)
	})
}

func sized(s string, shortest, longest int) bool {
	return len(s) <= longest*utf8.UTFMax && utf8.ValidString(s) && utf8.RuneCountInString(s) <= longest &&
		(shortest == 0 || strings.TrimSpace(s) != "")
}

// birthDate tells whether s is YYYY-MM-DD of somebody who may live. Tomorrow is allowed, for it is
// today somewhere.
func birthDate(s string, now time.Time) bool {
	t, err := time.Parse(time.DateOnly, s)
	return err == nil && t.Year() >= 1850 && t.Before(now.AddDate(0, 0, 1))
}

// languageTag tells whether s has the form of a BCP 47 tag (RFC 5646 section 2.1): subtags of letters
// and digits, the first of letters.
func languageTag(s string) bool {
	if len(s) > 35 {
		return false
	}
	for i, sub := range strings.Split(s, "-") {
		if len(sub) < 1 || len(sub) > 8 {
			return false
		}
		for _, r := range sub {
			letter := (r|0x20) >= 'a' && (r|0x20) <= 'z'
			if !letter && (i == 0 || r < '0' || r > '9') {
				return false
			}
		}
	}
	return true
}
