package transport

import (
	"bytes"
	"testing"
	"time"

	"github.com/pion/stun/v4"
)

// strangers' datagrams are what anybody can send, and the hardest of it: of a peer that is there, but without its password.
func strangers(p *Peer) map[string][]byte {
	check := func(username, pwd string) []byte {
		return (&prober{p: &Peer{username: username, pwd: pwd}}).request(useCandidate).Raw
	}
	return map[string][]byte{
		"check with a wrong password": check(p.username, "wrong"),
		"check of nobody":             check("nobody:here", "wrong"),
		"check without a password":    stun.MustBuild(stun.TransactionID, stun.BindingRequest, stun.NewUsername(p.username), stun.Fingerprint).Raw,
		"media":                       append([]byte{0x80, 96}, make([]byte, 1000)...),
		"report":                      append([]byte{0x80, 200}, make([]byte, 100)...),
		"hello":                       record(recordHandshake, message(50, 0, 50)...),
		"nothing known":               {255, 255},
	}
}

func TestStrangers_CostNoMemory(t *testing.T) {
	tr := listen(t, Config{})
	p, _ := accepted(t, tr)
	in := inbound{t: tr, now: time.Now()}
	from := path{addr: clientAddr}
	for name, b := range strangers(p) {
		t.Run(name, func(t *testing.T) {
			whole := bytes.Clone(b)
			b = append(make([]byte, 0, maxDatagram), b...) // as it is read
			allowed := 0.0
			if raceDetector {
				allowed = 4 // pion/stun's pool of HMACs loses some, on purpose
			}
			if n := testing.AllocsPerRun(100, func() { in.datagram(b, from) }); n > allowed {
				t.Errorf("%v allocations", n)
			}
			if !bytes.Equal(b, whole) {
				t.Error("changed, so that the test saw it once")
			}
		})
	}
	if s := p.Stats(); s.PacketsIn != 0 || s.PacketsOut != 0 || tr.routes.get(from) != nil {
		t.Errorf("%+v", s)
	}
}

func BenchmarkStrangers(b *testing.B) {
	tr, err := Listen(Config{Loopback: true})
	if err != nil {
		b.Fatal(err)
	}
	defer tr.Close()
	p, _, err := tr.Accept(chromiumOffer(b), takeAll(newRecorder()))
	if err != nil {
		b.Fatal(err)
	}
	in := inbound{t: tr, now: time.Now()}
	for name, d := range strangers(p) {
		d = append(make([]byte, 0, maxDatagram), d...)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				in.datagram(d, path{addr: clientAddr})
			}
		})
	}
}
