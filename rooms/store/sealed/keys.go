package sealed

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Bounds of a file of keys.
const (
	MaxKeys  = 64
	maxID    = 32
	keySize  = 32 // AES-256
	dateForm = time.RFC3339
)

// ErrKeys refuses a file of keys.
var ErrKeys = errors.New("sealed: bad file of keys")

// Keys are those of one reading of the file. They are not changed.
type Keys struct {
	list []key // by when they seal
}

type key struct {
	id   string
	from time.Time
	aead cipher.AEAD
}

// ParseKeys reads a file of keys: a line each, of its ID, 32 bytes in base64, and the time (RFC 3339) from which it seals. Every key
// opens, at any time; of those whose time has come the newest seals. Empty lines and lines that begin with # are left out.
func ParseKeys(text []byte) (*Keys, error) {
	k := &Keys{}
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if err := k.add(words); err != nil {
			return nil, fmt.Errorf("%w: line %d: %w", ErrKeys, n, err)
		}
	}
	if len(k.list) == 0 || len(k.list) > MaxKeys {
		return nil, fmt.Errorf("%w: %d keys, not 1 to %d", ErrKeys, len(k.list), MaxKeys)
	}
	return k, nil
}

// add says what is wrong without repeating it, for it may be a key.
func (k *Keys) add(words []string) error {
	if len(words) != 3 {
		return errors.New("not an ID, a key and a time")
	}
	secret, err := base64.StdEncoding.DecodeString(words[1])
	if err != nil || len(secret) != keySize {
		return fmt.Errorf("key is not %d bytes in base64", keySize)
	}
	from, err := time.Parse(dateForm, words[2])
	if err != nil {
		return errors.New("time is not like 2026-03-04T05:06:07Z")
	}
	if len(words[0]) > maxID || k.find(words[0]) != nil {
		return errors.New("ID is too long or was there before")
	}
	block, err := aes.NewCipher(secret)
	if err != nil {
		return err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return err
	}
	at := len(k.list)
	for at > 0 && k.list[at-1].from.After(from) {
		at--
	}
	k.list = append(k.list[:at:at], append([]key{{words[0], from, aead}}, k.list[at:]...)...)
	return nil
}

func (k *Keys) find(id string) *key {
	for i := range k.list {
		if k.list[i].id == id {
			return &k.list[i]
		}
	}
	return nil
}

// sealing is the newest key whose time has come; before all times the first.
func (k *Keys) sealing(now time.Time) *key {
	best := &k.list[0]
	for i := range k.list {
		if !k.list[i].from.After(now) {
			best = &k.list[i]
		}
	}
	return best
}

// NewKey makes a line of the file, of a key that seals from a time on. random must not fail.
func NewKey(random io.Reader, from time.Time) (string, error) {
	b := make([]byte, keySize+5)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x %s %s\n", b[keySize:], base64.StdEncoding.EncodeToString(b[:keySize]), from.UTC().Format(dateForm)), nil
}
