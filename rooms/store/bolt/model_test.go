package bolt

import (
	"path/filepath"
	"strconv"
	"testing"

	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/rooms/store/storetest"
)

func TestModel(t *testing.T) {
	dir, n := t.TempDir(), 0
	storetest.RunModel(t, func() (store.Store, func()) {
		n++
		db, err := Open(filepath.Join(dir, strconv.Itoa(n)), Options{})
		if err != nil {
			t.Fatal(err)
		}
		return db, func() { db.Close() }
	})
}
