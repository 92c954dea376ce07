package auth

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// LoadSecret reads the signing secret of a file, which it makes, for its owner only, if there is none. One process
// at a time may call it for a path.
func LoadSecret(path string, random io.Reader) ([]byte, error) {
	text, err := readOrCreate(path, func() (string, error) {
		var b [SecretSize]byte
		_, err := io.ReadFull(random, b[:])
		return base64.StdEncoding.EncodeToString(b[:]), err
	})
	if err != nil {
		return nil, err
	}
	secret, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(secret) < SecretSize {
		return nil, fmt.Errorf("%w: %s does not hold %d bytes in base64", ErrSecret, path, SecretSize)
	}
	return secret, nil
}

// LoadAPIKey reads an API key of a file, which it makes, for its owner only, if there is none. One process at a time
// may call it for a path.
func LoadAPIKey(path string, random io.Reader) (key string, hash [32]byte, err error) {
	key, err = readOrCreate(path, func() (string, error) {
		key, _, err := NewAPIKey(random)
		return key, err
	})
	if err != nil {
		return "", hash, err
	}
	if !strings.HasPrefix(key, keyPrefix) || len(key) != keyLength {
		return "", hash, fmt.Errorf("%w: %s does not hold an API key", ErrSecret, path)
	}
	return key, HashAPIKey(key), nil
}

func readOrCreate(path string, create func() (string, error)) (string, error) {
	text, err := os.ReadFile(path)
	if err == nil {
		return string(bytes.TrimSpace(text)), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%w: %w", ErrSecret, err)
	}
	made, err := create()
	if err == nil {
		err = writeOnce(path, made+"\n")
	}
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrSecret, err)
	}
	return made, nil
}

// writeOnce writes beside the file and renames, so that a crash leaves no half a secret.
func writeOnce(path, text string) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// Digest is a keyed hash of values, for what has to be recognised again but must not be readable, or open to
// guessing, in a store. Purposes are kept apart.
func (k *Keys) Digest(purpose string, values ...[]byte) [32]byte {
	h := hmac.New(sha256.New, k.secret)
	for _, v := range append([][]byte{[]byte("digest"), []byte(purpose)}, values...) {
		// The length before each value keeps "ab","c" and "a","bc" apart. Its first bytes are zero, which no token
		// begins with.
		_ = binary.Write(h, binary.BigEndian, uint64(len(v)))
		_, _ = h.Write(v)
	}
	return [32]byte(h.Sum(nil))
}
