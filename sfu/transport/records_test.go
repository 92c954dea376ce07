package transport

import (
	"bytes"
	"slices"
	"testing"
)

// record returns a DTLS 1.2 record of epoch 0.
func record(content byte, body ...byte) []byte {
	return append([]byte{content, 254, 253, 0, 0, 0, 0, 0, 0, 0, 1, byte(len(body) >> 8), byte(len(body))}, body...)
}

// message returns a handshake message's fragment: so much of a total, from an offset.
func message(total, from, size byte) []byte {
	return append([]byte{helloClient, 0, 0, total, 0, 0, 0, 0, from, 0, 0, size}, make([]byte, size)...)
}

func TestWellFormed(t *testing.T) {
	sealed := record(recordHandshake, 1, 2, 3)
	sealed[4] = 1 // epoch
	for name, tc := range map[string]struct {
		b    []byte
		want bool
	}{
		"a message":             {record(recordHandshake, message(5, 0, 5)...), true},
		"a fragment":            {record(recordHandshake, message(50, 7, 5)...), true},
		"an empty message":      {record(recordHandshake, message(0, 0, 0)...), true},
		"two in one record":     {record(recordHandshake, slices.Concat(message(5, 0, 5), message(9, 3, 2))...), true},
		"two records":           {slices.Concat(record(recordHandshake, message(5, 0, 5)...), record(recordAlert, 2, 40)), true},
		"sealed":                {sealed, true},
		"change of cipher":      {record(recordChangeCipherSpec, 1), true},
		"application data":      {record(23, 'x'), false},
		"unknown content":       {record(63, 'x'), false},
		"empty record":          {record(recordHandshake), false},
		"not DTLS":              {[]byte{recordHandshake, 3, 3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 'x'}, false},
		"half a record header":  {[]byte{recordHandshake, 254, 253}, false},
		"half a record":         {record(recordAlert, 2, 40)[:14], false},
		"half a message header": {record(recordHandshake, message(5, 0, 5)[:11]...), false},
		"half a message":        {record(recordHandshake, message(5, 0, 5)[:14]...), false},
		"fragment beyond":       {record(recordHandshake, message(5, 1, 5)...), false},
		"something behind":      {append(record(recordAlert, 2, 40), 0), false},
		"too long":              {record(recordHandshake, helloClient, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), false},
	} {
		if got := wellFormed(tc.b); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// FuzzDTLS throws anything at a handshake, first and in the middle. It may fail and has to end; nothing is left of it.
func FuzzDTLS(f *testing.F) {
	tr, err := Listen(Config{Loopback: true, HandshakeRate: 1e6, HandshakeBurst: 1e6})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = tr.Close() })
	hello := newLight(f, tr, loopback4).hello(f)
	f.Add(hello, []byte{})
	f.Add(hello, record(recordHandshake, message(5, 0, 5)...))
	f.Add(hello[:len(hello)/2], hello)
	f.Add(record(recordHandshake, message(50, 0, 5)...), record(recordHandshake, message(50, 5, 45)...))
	f.Add(record(recordAlert, 2, 40), bytes.Repeat(record(recordChangeCipherSpec, 1), 20))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		if max(len(first), len(second)) > maxDatagram {
			return
		}
		p, r := accepted(t, tr)
		in := inbound{t: tr}
		from := path{addr: tr.Addr()} // its own: what is sent is dropped as from nobody
		(&prober{p: p}).from(&in, from.addr, (&prober{p: p}).request(useCandidate).Raw)
		for _, b := range [][]byte{first, second} {
			if len(b) > 1 && b[0] >= 20 && b[0] <= 63 {
				in.datagram(bytes.Clone(b), from)
			}
		}
		p.Close()
		r.reach(t, Closed)
	})
}
