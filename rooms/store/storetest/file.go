package storetest

import (
	"bytes"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

// CheckFile walks every page of a bbolt file that nobody has open, and writes nothing.
func CheckFile(t *testing.T, path string) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true, Timeout: time.Second, PreLoadFreelist: true})
	if err != nil {
		t.Fatalf("open %s: %v", path, err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	err = db.View(func(tx *bbolt.Tx) error {
		for err := range tx.Check() {
			t.Errorf("%s: %v", path, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Visits answers the records of the visits in a bbolt file, as they are kept, by ID. Nobody may have it open: of a server at work,
// copy it first. ok is false for a copy that caught the server writing.
func Visits(t *testing.T, path string) (records map[string][]byte, ok bool) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		return nil, false
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	defer func() {
		if recover() != nil { // bbolt's way to say that pages do not fit together
			records, ok = nil, false
		}
	}()
	records = map[string][]byte{}
	err = db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("visits")).ForEach(func(id, record []byte) error {
			records[string(id)] = bytes.Clone(record)
			return nil
		})
	})
	return records, err == nil
}
