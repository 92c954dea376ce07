package sfu

import (
	"bytes"
	"testing"
)

func TestParseVP8(t *testing.T) {
	for _, tc := range []struct {
		name string
		in   []byte
		want vp8Descriptor
		size int // 0: refused
	}{
		{"one octet, keyframe", []byte{0x10, 0x00}, vp8Descriptor{first: 0x10, key: true}, 1},
		{"one octet, interframe", []byte{0x10, 0x01}, vp8Descriptor{first: 0x10}, 1},
		{"later packet of a keyframe", []byte{0x00, 0x00}, vp8Descriptor{}, 1},
		{"other partition", []byte{0x11, 0x00}, vp8Descriptor{first: 0x11}, 1},
		{"7-bit PictureID", []byte{0x90, 0x80, 0x11, 0x01}, vp8Descriptor{first: 0x90, hasPID: true, pid: 0x11}, 3},
		{
			"15-bit PictureID",
			[]byte{0x90, 0x80, 0x92, 0x34, 0x00},
			vp8Descriptor{first: 0x90, hasPID: true, wide: true, pid: 0x1234, key: true},
			4,
		},
		{
			"all fields",
			[]byte{0x90, 0xf0, 0x81, 0x02, 0x03, 0x45, 0x01},
			vp8Descriptor{
				first: 0x90, hasPID: true, wide: true, pid: 0x102, hasTL0: true, tl0: 3, hasTID: true, hasKey: true, tidKey: 0x45,
			},
			6,
		},
		{"empty", nil, vp8Descriptor{}, 0},
		{"nothing follows", []byte{0x10}, vp8Descriptor{}, 0},
		{"cut in PictureID", []byte{0x90, 0x80, 0x92}, vp8Descriptor{}, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d, size, ok := parseVP8(tc.in)
			if d != tc.want || size != tc.size || ok != (tc.size > 0) {
				t.Fatalf("got %+v, %d, %v; want %+v, %d", d, size, ok, tc.want, tc.size)
			}
		})
	}
}

func TestWidenPID_FollowsSevenBitsAroundTheirWrap(t *testing.T) {
	for _, tc := range []struct{ newest, seven, want uint16 }{
		{0, 1, 1}, {0x7f, 0, 0x80}, {0x80, 0x7f, 0x7f}, {0x7fff, 0, 0}, {0, 0x7f, 0x7fff}, {0x1234, 0x34, 0x1234},
	} {
		d := vp8Descriptor{hasPID: true, pid: tc.seven}
		if got := d.widenPID(tc.newest); got != tc.want {
			t.Errorf("%#x after %#x: %#x, want %#x", tc.seven, tc.newest, got, tc.want)
		}
	}
}

func FuzzVP8(f *testing.F) {
	f.Add([]byte{0x90, 0xf0, 0x81, 0x02, 0x03, 0x45, 0x01})
	f.Add([]byte{0x90, 0x80, 0x11, 0x01})
	f.Add([]byte{0x10})
	f.Fuzz(func(t *testing.T, b []byte) {
		d, size, ok := parseVP8(b)
		if !ok {
			return
		}
		written := append(d.appendTo(nil), b[size:]...)
		again, size2, ok := parseVP8(written)
		if !ok || !bytes.Equal(written[size2:], b[size:]) {
			t.Fatalf("%x became %x", b, written)
		}
		again.wide, again.first = d.wide, again.first&^vp8X|d.first&vp8X
		if again != d {
			t.Fatalf("%+v became %+v", d, again)
		}
	})
}
