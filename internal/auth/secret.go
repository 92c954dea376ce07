package auth

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// LoadSecret reads the signing secret of a file, which it makes, for its owner only, if there is none. One process
// at a time may call it for a path.
func LoadSecret(path string, random io.Reader) ([]byte, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return createSecret(path, random)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSecret, err)
	}
	secret, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(text)))
	if err != nil || len(secret) < SecretSize {
		return nil, fmt.Errorf("%w: %s does not hold %d bytes in base64", ErrSecret, path, SecretSize)
	}
	return secret, nil
}

// createSecret writes beside the file and renames, so that a crash leaves no half a secret.
func createSecret(path string, random io.Reader) (secret []byte, err error) {
	secret = make([]byte, SecretSize)
	if _, err := io.ReadFull(random, secret); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSecret, err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSecret, err)
	}
	_, err = f.WriteString(base64.StdEncoding.EncodeToString(secret) + "\n")
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return nil, fmt.Errorf("%w: %w", ErrSecret, err)
	}
	return secret, nil
}
