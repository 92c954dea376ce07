package rooms

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"
	"unicode/utf8"
)

func TestNewID_SortsByTimeAndHasAForm(t *testing.T) {
	var ids []string
	for n := range 1000 {
		ids = append(ids, NewID(start.Add(time.Duration(n)*time.Millisecond), rand.Reader))
	}
	if !slices.IsSorted(ids) {
		t.Error("not sorted")
	}
	for _, id := range ids {
		if !ValidID(id) {
			t.Fatalf("%q has not the form of an identifier", id)
		}
	}
	if a, b := NewID(start, rand.Reader), NewID(start, rand.Reader); a == b {
		t.Error("two of one time are the same")
	}
	if got := NewID(time.UnixMilli(0), bytes.NewReader(make([]byte, 10))); got != "00000000000000000000000000" {
		t.Error(got)
	}
}

func TestValidID(t *testing.T) {
	good := testID(1)
	for _, bad := range []string{"", good[1:], good + "0", "W" + good[1:], "w" + good[1:], "-" + good[1:], "é" + good[2:]} {
		if ValidID(bad) {
			t.Errorf("%q", bad)
		}
	}
}

func TestLanguageTag(t *testing.T) {
	for tag, want := range map[string]bool{
		"en": true, "pt-BR": true, "zh-Hant-TW": true, "de-1996": true, "x-klingon": true,
		"": false, "-": false, "en-": false, "en--US": false, "en_US": false, "e1": false, "toolongsubtag": false, "日本": false,
		"en-aaaaaaaa-aaaaaaaa-aaaaaaaa-aaaaaaaa": false,
	} {
		if languageTag(tag) != want {
			t.Errorf("%q: %v", tag, !want)
		}
	}
}

// FuzzCreate: whatever a visit is asked to hold, it is refused by a code or comes back from JSON as it
// was, within its bounds.
func FuzzCreate(f *testing.F) {
	f.Add("ext", "cough", "Zoë", "1970-01-31", "pt-BR", int64(20*time.Minute), start.UnixNano())
	f.Add("", "", "\xff", "1970-1-1", "e_", int64(-1), int64(0))
	f.Add("\u2028", "<script>", "a\u0000", "0000-00-00", "", int64(1)<<62, int64(-1)<<63)
	f.Fuzz(func(t *testing.T, external, reason, name, birth, language string, length, at int64) {
		in := newVisitOf(1)
		in.External, in.Reason, in.Length = external, reason, time.Duration(length)
		in.ScheduledAt = time.Unix(0, at)
		in.Seats[0].Name, in.Seats[0].BirthDate, in.Seats[0].Language = name, birth, language
		out, err := NewRoom(about, nil).Apply(Command{Actor: server, Visit: in.ID, Do: Create{in}}, start)
		if err != nil {
			if !errors.Is(err, ErrBadValue) {
				t.Fatal(err)
			}
			return
		}
		mustRoundTrip(t, out.Visit)
		if n := utf8.RuneCountInString(name); n > MaxName || n == 0 || len(language) > 35 || len(birth) > 10 {
			t.Errorf("accepted %q %q %q", name, language, birth)
		}
	})
}

// FuzzStored: a room made of anything that parses as visits does not panic, whatever it is asked.
func FuzzStored(f *testing.F) {
	w := newWorld(f, about)
	w.wait(1, 2)
	w.do(1, doctor, Admit{seatID(1, 0)})
	w.do(1, doctor, Say{Text: "hello"})
	raw, err := json.Marshal([]*Visit{w.visit(1), w.visit(2)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`[{"id":"a","phase":"active","seats":[{"id":"s","role":"observer","state":"held"}]}]`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var visits []*Visit
		if json.Unmarshal(raw, &visits) != nil || slices.Contains(visits, nil) || len(visits) > 20 {
			return
		}
		room := NewRoom(about, visits)
		for _, v := range visits {
			Routes(v)
			Shown(v, nil)
			for _, s := range v.Seats {
				for _, action := range example {
					for _, actor := range []Actor{holder(s.ID), {Staff: s.Staff, Role: Clinician}, doctor, server} {
						_, _ = room.Apply(Command{Actor: actor, Visit: v.ID, Do: action(s.ID)}, start)
					}
				}
			}
		}
		room.Queue()
	})
}

func mustRoundTrip(t interface{ Fatalf(string, ...any) }, v *Visit) {
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("%v", err)
	}
	back := new(Visit)
	if err := json.Unmarshal(raw, back); err != nil {
		t.Fatalf("%v", err)
	}
	if !reflect.DeepEqual(v, back) {
		t.Fatalf("\n%+v\n%+v", v, back)
	}
}
