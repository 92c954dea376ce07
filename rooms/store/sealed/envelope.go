package sealed

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
)

// format begins an envelope: then come the length of the key's ID, the ID, 12 bytes of nonce, and the text with 16 bytes of tag. Nonces
// are random, so that one key may seal some 2^32 records.
const format = 1

// place is where a record belongs. It is the additional data.
type place struct {
	kind    string
	clinic  rooms.ClinicID
	room    rooms.RoomID
	id      string
	version uint64
}

func placeOfVisit(v *rooms.Visit) place {
	return place{"visit", v.Clinic, v.Room, string(v.ID), v.Version}
}

func placeOfStaff(s *rooms.Staff) place {
	return place{kind: "staff", clinic: s.Clinic, id: string(s.ID)}
}

// data is unlike that of any other place: each part has its length before it.
func (p place) data() []byte {
	b := []byte("anteroom sealed 1")
	for _, part := range []string{p.kind, string(p.clinic), string(p.room), p.id} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(part))) //nolint:gosec // short
		b = append(b, part...)
	}
	return binary.BigEndian.AppendUint64(b, p.version)
}

func (k *Keys) seal(now time.Time, p place, text []byte) []byte {
	key := k.sealing(now)
	b := append([]byte{format, byte(len(key.id))}, key.id...)
	return key.aead.Seal(b, nil, text, p.data())
}

// keyOf is the ID of the key that sealed an envelope, and the rest.
func keyOf(envelope []byte) (id string, rest []byte, ok bool) {
	if len(envelope) < 2 || envelope[0] != format || len(envelope) < 2+int(envelope[1]) {
		return "", nil, false
	}
	n := 2 + int(envelope[1])
	return string(envelope[2:n]), envelope[n:], true
}

func (p place) refused(why string) error {
	return fmt.Errorf("sealed: %w: %s %s: %s", store.ErrSealed, p.kind, p.id, why)
}

func (k *Keys) open(p place, envelope []byte) ([]byte, error) {
	id, rest, ok := keyOf(envelope)
	if !ok {
		return nil, p.refused("no envelope")
	}
	key := k.find(id)
	if key == nil {
		return nil, p.refused("key " + printable(id) + " is not known")
	}
	text, err := key.aead.Open(nil, nil, rest, p.data())
	if err != nil {
		return nil, p.refused("not what was sealed for this place")
	}
	return text, nil
}

// printable keeps what a store made up out of logs.
func printable(id string) string {
	if len(id) > maxID {
		id = id[:maxID]
	}
	return fmt.Sprintf("%q", id)
}

func (k *Keys) sealVisit(now time.Time, v *rooms.Visit) (*rooms.Visit, error) {
	if v.Sealed != nil {
		return nil, fmt.Errorf("%w: sealed twice", store.ErrBadBatch)
	}
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", store.ErrBadBatch, err)
	}
	return &rooms.Visit{
		ID: v.ID, Room: v.Room, Clinic: v.Clinic, Version: v.Version, ErasedAt: v.ErasedAt,
		Sealed: k.seal(now, placeOfVisit(v), text),
	}, nil
}

func (k *Keys) openVisit(outer *rooms.Visit) (*rooms.Visit, error) {
	p := placeOfVisit(outer)
	text, err := k.open(p, outer.Sealed)
	if err != nil {
		return nil, err
	}
	v := new(rooms.Visit)
	if err := json.Unmarshal(text, v); err != nil {
		return nil, p.refused("not a visit")
	}
	if placeOfVisit(v) != p || !v.ErasedAt.Equal(outer.ErasedAt) {
		return nil, p.refused("outside and inside differ")
	}
	return v, nil
}

func (k *Keys) sealStaff(now time.Time, s rooms.Staff) (rooms.Staff, error) {
	if s.Sealed != nil {
		return rooms.Staff{}, fmt.Errorf("%w: sealed twice", store.ErrBadBatch)
	}
	text, err := json.Marshal(s)
	if err != nil {
		return rooms.Staff{}, fmt.Errorf("%w: %w", store.ErrBadBatch, err)
	}
	return rooms.Staff{ID: s.ID, Clinic: s.Clinic, Sealed: k.seal(now, placeOfStaff(&s), text)}, nil
}

func (k *Keys) openStaff(outer rooms.Staff) (rooms.Staff, error) {
	p := placeOfStaff(&outer)
	text, err := k.open(p, outer.Sealed)
	if err != nil {
		return rooms.Staff{}, err
	}
	var s rooms.Staff
	if err := json.Unmarshal(text, &s); err != nil || placeOfStaff(&s) != p {
		return rooms.Staff{}, p.refused("outside and inside differ")
	}
	return s, nil
}
