package auth

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"io"
)

// keyPrefix lets people, and scanners for leaked secrets, see what it is.
const keyPrefix = "anteroom_"

// keyLength is the prefix and 256 bits in base32.
const keyLength = len(keyPrefix) + 52

var keyEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// NewAPIKey makes a key of 256 random bits, which is shown once, and the hash that is kept of it.
func NewAPIKey(random io.Reader) (key string, hash [32]byte, err error) {
	var b [32]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", hash, fmt.Errorf("auth: no random bytes: %w", err)
	}
	key = keyPrefix + keyEncoding.EncodeToString(b[:])
	return key, HashAPIKey(key), nil
}

// HashAPIKey is what a key is found by. Plain SHA-256 is enough: the key is random, so there is nothing to guess.
func HashAPIKey(key string) [32]byte { return sha256.Sum256([]byte(key)) }
