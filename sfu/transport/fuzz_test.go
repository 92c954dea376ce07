package transport

import (
	"bytes"
	"testing"
	"time"

	"github.com/pion/stun/v4"
)

// FuzzCheck seals attributes of any kind with the peer's password, so that they reach what only its client can reach.
func FuzzCheck(f *testing.F) {
	tr, err := Listen(Config{Loopback: true})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = tr.Close() })
	c := keyed(f, tr, newRecorder())
	f.Add([]byte{})
	f.Add([]byte{0, 0x25, 0, 0})                                                       // USE-CANDIDATE
	f.Add([]byte{0x80, 0x29, 0, 8, 0, 0, 0, 0, 0, 0, 0, 1})                            // ICE-CONTROLLED
	f.Add([]byte{0, 0x24, 0, 4, 0x6e, 0, 1, 0xff, 0x80, 0x2a, 0, 8, 0, 0, 0, 0, 0, 1}) // PRIORITY, and half of ICE-CONTROLLING
	f.Add([]byte{0, 6, 0, 3, 'a', ':', 'b', 0})                                        // another USERNAME
	f.Fuzz(func(t *testing.T, attributes []byte) {
		if len(attributes) > 1000 {
			return
		}
		m := stun.MustBuild(stun.TransactionID, stun.BindingRequest, stun.NewUsername(c.p.username))
		m.Raw = append(m.Raw, attributes...)
		m.Length += uint32(len(attributes))
		m.WriteLength()
		if m.Decode() != nil || m.Contains(stun.AttrMessageIntegrity) || m.Contains(stun.AttrFingerprint) {
			return // could not be sealed
		}
		for _, s := range []stun.Setter{c.p.integrity, stun.Fingerprint} {
			if err := s.AddTo(m); err != nil {
				t.Fatal(err)
			}
		}
		bad := tr.Counters().BadSTUN
		c.in.datagram(bytes.Clone(m.Raw), path{addr: clientAddr})
		if tr.Counters().BadSTUN != bad {
			t.Errorf("refused %x", m.Raw)
		}
		if n := len(c.p.known); n > 1 {
			t.Errorf("%d addresses of one", n)
		}
	})
}

// FuzzReport seals whatever is RTCP at first sight.
func FuzzReport(f *testing.F) {
	tr, err := Listen(Config{Loopback: true})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = tr.Close() })
	check := &reportCheck{}
	c := keyed(f, tr, check)
	f.Add(emptyReport)
	f.Add([]byte{0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2})
	f.Add([]byte{0x80, 201, 0xff, 0xff, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, plain []byte) {
		if len(plain) < 8 || len(plain) > maxDatagram-sealRoom || plain[0]>>6 != 2 || plain[1] < 192 || plain[1] > 223 {
			return
		}
		check.got = nil
		copy(plain[4:8], "\x00\x00\x00\x01") // of one source, whose index rises
		sealed, err := c.keys.EncryptRTCP(nil, plain, nil)
		if err != nil {
			return
		}
		c.in.now = time.Now()
		c.deliver(sealed)
		if check.got != nil && !bytes.Equal(check.got, plain) {
			t.Errorf("%x became %x", plain, check.got)
		}
	})
}

type reportCheck struct{ got []byte }

func (c *reportCheck) RTP(*Packet)             {}
func (c *reportCheck) RTCP(_ *Batch, b []byte) { c.got = bytes.Clone(b) }
func (c *reportCheck) State(State)             {}
