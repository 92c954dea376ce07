package bolt

import (
	"errors"
	"fmt"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/anteroom/anteroom/rooms"
)

// furnish puts two of each into a clinic.
func furnish(t *testing.T, db *DB, clinic rooms.ClinicID) {
	t.Helper()
	for i := range 2 {
		id := fmt.Sprint(clinic, i)
		key := rooms.APIKey{ID: id, Clinic: clinic}
		copy(key.Hash[:], id)
		err := errors.Join(
			db.PutRoom(t.Context(), rooms.WaitingRoom{ID: rooms.RoomID(id), Clinic: clinic}),
			db.PutStaff(t.Context(), rooms.Staff{ID: rooms.StaffID(id), Clinic: clinic}),
			db.PutKey(t.Context(), key),
		)
		if err != nil {
			t.Fatal(err)
		}
	}
}

// counts are how many waiting rooms, staff and keys a clinic has.
func counts(t *testing.T, db *DB, clinic rooms.ClinicID) [3]int {
	t.Helper()
	all, err := db.Rooms(t.Context(), clinic)
	staff, err2 := db.StaffOf(t.Context(), clinic)
	keys, err3 := db.Keys(t.Context(), clinic)
	if err := errors.Join(err, err2, err3); err != nil {
		t.Fatal(err)
	}
	return [3]int{len(all), len(staff), len(keys)}
}

// What a clinic's lists take must not tell how many others there are: entries of others are not even looked at.
func TestDirectory_OfOneClinic_ReadsNoOther(t *testing.T) {
	db := open(t, file(t))
	furnish(t, db, "ours")
	furnish(t, db, "ours too") // begins alike
	furnish(t, db, "theirs")
	err := db.file.Update(func(tx *bbolt.Tx) error {
		return errors.Join(
			tx.Bucket(bucketRooms).Put([]byte("theirs0"), []byte("not JSON")),
			tx.Bucket(bucketStaff).Put([]byte("theirs1"), []byte("not JSON")),
		)
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, clinic := range []rooms.ClinicID{"ours", "ours too"} {
		if got := counts(t, db, clinic); got != [3]int{2, 2, 2} {
			t.Errorf("%s has %v", clinic, got)
		}
	}
	if _, err := db.Rooms(t.Context(), "theirs"); err == nil {
		t.Error("what cannot be read is left out")
	}
	if got, err := db.Rooms(t.Context(), "nobody's"); err != nil || len(got) != 0 {
		t.Error(got, err)
	}
}

func TestDirectory_WhatGoesToAnotherClinic_IsThereAlone(t *testing.T) {
	db := open(t, file(t))
	furnish(t, db, "ours")
	if err := db.PutStaff(t.Context(), rooms.Staff{ID: "ours0", Clinic: "theirs"}); err != nil {
		t.Fatal(err)
	}
	if ours, theirs := counts(t, db, "ours"), counts(t, db, "theirs"); ours != [3]int{2, 1, 2} || theirs != [3]int{0, 1, 0} {
		t.Errorf("%v and %v", ours, theirs)
	}
}

func TestMigrate_AFileWithoutTheIndexOfClinics_GetsIt(t *testing.T) {
	path := file(t)
	db := open(t, path)
	furnish(t, db, "ours")
	furnish(t, db, "theirs")
	err := db.file.Update(func(tx *bbolt.Tx) error {
		return errors.Join(tx.DeleteBucket(bucketOwned), tx.Bucket(bucketMeta).Put(keySchema, []byte("2")))
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	db = open(t, path)
	for _, clinic := range []rooms.ClinicID{"ours", "theirs"} {
		if got := counts(t, db, clinic); got != [3]int{2, 2, 2} {
			t.Errorf("%s has %v", clinic, got)
		}
	}
	check(t, db)
}
