package sfu

import "encoding/binary"

// vp8Descriptor is the payload descriptor of a VP8 packet (RFC 7741 section 4.2).
type vp8Descriptor struct {
	first  uint8 // the first octet, which says of what partition it is
	hasPID bool
	wide   bool   // the PictureID came with 15 bits
	pid    uint16 // 7 or 15 bits
	hasTL0 bool
	tl0    uint8
	hasTID bool
	hasKey bool
	tidKey uint8 // TID, Y and KEYIDX, as sent
	key    bool  // the packet begins a keyframe
}

const (
	vp8X = 0x80 // first octet: extension octet follows
	vp8S = 0x10 // first octet: start of a partition
	vp8I = 0x80 // extension octet: PictureID present
	vp8L = 0x40 // TL0PICIDX present
	vp8T = 0x20 // TID present
	vp8K = 0x10 // KEYIDX present
	vp8M = 0x80 // PictureID has 15 bits
)

// parseVP8 reads the descriptor at the start of a payload and returns its size; false if it is cut off
// or nothing follows it.
func parseVP8(b []byte) (d vp8Descriptor, size int, ok bool) {
	next := func() (v uint8) {
		if size < len(b) {
			v = b[size]
		}
		size++
		return v
	}
	d.first = next()
	if d.first&vp8X != 0 {
		ext := next()
		d.hasPID, d.hasTL0 = ext&vp8I != 0, ext&vp8L != 0
		d.hasTID, d.hasKey = ext&vp8T != 0, ext&vp8K != 0
		if d.hasPID {
			d.pid = uint16(next())
			if d.wide = d.pid&vp8M != 0; d.wide {
				d.pid = d.pid&^vp8M<<8 | uint16(next())
			}
		}
		if d.hasTL0 {
			d.tl0 = next()
		}
		if d.hasTID || d.hasKey {
			d.tidKey = next()
		}
	}
	if size >= len(b) {
		return vp8Descriptor{}, 0, false
	}
	startsFrame := d.first&vp8S != 0 && d.first&0x07 == 0
	d.key = startsFrame && b[size]&0x01 == 0 // P bit of the payload header (RFC 7741 section 4.3)
	return d, size, true
}

// widenPID returns the 15-bit PictureID that a descriptor means, given the newest one before.
func (d *vp8Descriptor) widenPID(newest uint16) uint16 {
	if d.wide {
		return d.pid
	}
	diff := (d.pid - newest) & 0x7f
	if diff >= 0x40 {
		diff -= 0x80
	}
	return (newest + diff) & 0x7fff
}

// appendTo writes the descriptor. A PictureID is always written with 15 bits, so that its width does
// not change when a track changes its source.
func (d *vp8Descriptor) appendTo(b []byte) []byte {
	var ext uint8
	for _, f := range [...]struct {
		has bool
		bit uint8
	}{{d.hasPID, vp8I}, {d.hasTL0, vp8L}, {d.hasTID, vp8T}, {d.hasKey, vp8K}} {
		if f.has {
			ext |= f.bit
		}
	}
	if ext == 0 {
		return append(b, d.first&^vp8X)
	}
	b = append(b, d.first|vp8X, ext)
	if d.hasPID {
		b = binary.BigEndian.AppendUint16(b, d.pid|vp8M<<8)
	}
	if d.hasTL0 {
		b = append(b, d.tl0)
	}
	if d.hasTID || d.hasKey {
		b = append(b, d.tidKey)
	}
	return b
}
