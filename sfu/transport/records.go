package transport

import "encoding/binary"

const (
	recordChangeCipherSpec = 20 // content types (RFC 6347, RFC 5246)
	recordAlert            = 21
	recordHandshake        = 22

	helloClient          = 1 // handshake type
	recordHeaderBytes    = 13
	handshakeHeaderBytes = 12
)

// wellFormed reports whether a datagram is whole records of a handshake. Anybody can forge a client's address: what is
// invalid has to be dropped without a word (RFC 6347 section 4.1.2.7), where pion/dtls would end the handshake. Application data
// has no place here.
func wellFormed(b []byte) bool {
	for len(b) > 0 {
		if len(b) < recordHeaderBytes {
			return false
		}
		content, epoch, size := b[0], binary.BigEndian.Uint16(b[3:]), int(binary.BigEndian.Uint16(b[11:]))
		body := b[recordHeaderBytes:]
		if b[1] != 254 || size == 0 || size > len(body) {
			return false
		}
		switch content {
		case recordChangeCipherSpec, recordAlert:
		case recordHandshake:
			if epoch == 0 && !wellFormedMessages(body[:size]) {
				return false
			}
		default:
			return false
		}
		b = body[size:]
	}
	return true
}

// wellFormedMessages looks at the headers of a record's handshake messages, whole ones or fragments (RFC 6347 section 4.2.2).
func wellFormedMessages(b []byte) bool {
	for len(b) > 0 {
		if len(b) < handshakeHeaderBytes {
			return false
		}
		uint24 := func(at int) int { return int(b[at])<<16 | int(binary.BigEndian.Uint16(b[at+1:])) }
		total, from, size := uint24(1), uint24(6), uint24(9)
		b = b[handshakeHeaderBytes:]
		if total > maxHandshakeMessage || from+size > total || size > len(b) {
			return false
		}
		b = b[size:]
	}
	return true
}
