package transport

import (
	"encoding/binary"
	"slices"
	"sync"
)

// networks are what may happen to DTLS on its way. Each is made anew for a handshake.
var networks = map[string]func() edit{
	"a good network":              func() edit { return passAll },
	"each flight's first lost":    losesFirst,
	"every datagram twice":        func() edit { return forDTLS(func(b []byte) [][]byte { return [][]byte{b, b} }) },
	"in pairs, turned round":      turnsPairs,
	"cut in half, then whole":     func() edit { return upwards(func(b []byte) [][]byte { return [][]byte{b[:len(b)/2], b} }) },
	"each with noise before it":   func() edit { return upwards(func(b []byte) [][]byte { return append(noise(), b) }) },
	"everything again at the end": repeatsAll,
}

// forDTLS leaves other datagrams alone.
func forDTLS(f func(b []byte) [][]byte) edit {
	return func(b []byte, _ bool) [][]byte {
		if len(b) < recordHeaderBytes || b[0] < 20 || b[0] > 63 {
			return [][]byte{b}
		}
		return f(b)
	}
}

// upwards does it to what the client sends: what a client takes is not what is tested.
func upwards(f func(b []byte) [][]byte) edit {
	changed := forDTLS(f)
	return func(b []byte, fromClient bool) [][]byte {
		if !fromClient {
			return [][]byte{b}
		}
		return changed(b, fromClient)
	}
}

// losesFirst loses the first datagram that begins with a message of its kind, each way.
func losesFirst() edit {
	type kind struct {
		up                   bool
		content, epoch, kind byte
	}
	var mu sync.Mutex
	seen := map[kind]bool{}
	return func(b []byte, fromClient bool) [][]byte {
		return forDTLS(func(b []byte) [][]byte {
			k := kind{up: fromClient, content: b[0], epoch: b[4]}
			if k.content == recordHandshake && k.epoch == 0 && len(b) > recordHeaderBytes {
				k.kind = b[recordHeaderBytes]
			}
			mu.Lock()
			defer mu.Unlock()
			if !seen[k] {
				seen[k] = true
				return nil
			}
			return [][]byte{b}
		})(b, fromClient)
	}
}

// turnsPairs keeps every other datagram until the next has passed it, which may be its own repetition.
func turnsPairs() edit {
	var mu sync.Mutex
	held := map[bool][]byte{}
	return func(b []byte, fromClient bool) [][]byte {
		return forDTLS(func(b []byte) [][]byte {
			mu.Lock()
			defer mu.Unlock()
			if first := held[fromClient]; first != nil {
				held[fromClient] = nil
				return [][]byte{b, first}
			}
			held[fromClient] = slices.Clone(b)
			return nil
		})(b, fromClient)
	}
}

// repeatsAll sends all that the client has sent before behind each datagram.
func repeatsAll() edit {
	var mu sync.Mutex
	var all [][]byte
	return upwards(func(b []byte) [][]byte {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, slices.Clone(b))
		return append([][]byte{b}, all...)
	})
}

// noise is what is DTLS at first sight.
func noise() [][]byte {
	record := func(content byte, epoch uint16, body ...byte) []byte {
		b := []byte{content, 254, 253, 0, 0, 0, 0, 0, 0, 0, 99, 0, 0}
		binary.BigEndian.PutUint16(b[3:], epoch)
		binary.BigEndian.PutUint16(b[11:], uint16(len(body)))
		return append(b, body...)
	}
	return [][]byte{
		{22, 254, 253},
		record(recordHandshake, 0),
		record(recordHandshake, 0, 1, 2, 3),
		record(recordHandshake, 1, make([]byte, 40)...),
		record(23, 0, 'x'),
		record(63, 0, 'x'),
	}
}
