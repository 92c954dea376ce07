package rooms

import (
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

// IDLength is the length of every identifier in characters.
const IDLength = 26

var idEncoding = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// NewID makes an identifier: 48 bits of now in milliseconds, then 80 bits of random, in lower-case
// base32hex (RFC 4648 section 7), which sorts like the bits. random must not fail;
// crypto/rand.Reader never does.
func NewID(now time.Time, random io.Reader) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(now.UnixMilli())<<16) //nolint:gosec // after 1970
	if _, err := io.ReadFull(random, b[6:]); err != nil {
		panic(fmt.Sprintf("rooms: no random bytes for an identifier: %v", err))
	}
	return idEncoding.EncodeToString(b[:])
}

// ValidID tells whether s has the form of an identifier.
func ValidID(s string) bool {
	if len(s) != IDLength {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'v') {
			return false
		}
	}
	return true
}
