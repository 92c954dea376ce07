package transport

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/stun/v4"
)

// prober is a client that speaks ICE only.
type prober struct {
	*net.UDPConn
	to netip.AddrPort
	p  *Peer
}

// accepted returns a peer whose client has not been heard yet.
func accepted(t *testing.T, tr *Transport) (*Peer, *recorder) {
	t.Helper()
	r := newRecorder()
	p, _, err := tr.Accept(chromiumOffer(t), takeAll(r))
	if err != nil {
		t.Fatal(err)
	}
	return p, r
}

func probe(t *testing.T, tr *Transport, p *Peer) *prober {
	t.Helper()
	c := loopbackSocket(t)
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(wait)); err != nil {
		t.Fatal(err)
	}
	return &prober{UDPConn: c, to: tr.Addr(), p: p}
}

func (c *prober) addr() netip.AddrPort { return c.LocalAddr().(*net.UDPAddr).AddrPort() }

// request builds a valid check with further attributes.
func (c *prober) request(more ...stun.Setter) *stun.Message {
	setters := append([]stun.Setter{
		stun.TransactionID, stun.BindingRequest, stun.NewUsername(c.p.username),
		attribute{stun.AttrICEControlling, make([]byte, 8)},
	}, more...)
	return stun.MustBuild(append(setters, stun.MessageIntegrity(c.p.pwd), stun.Fingerprint)...)
}

type attribute struct {
	kind  stun.AttrType
	value []byte
}

func (a attribute) AddTo(m *stun.Message) error {
	m.Add(a.kind, a.value)
	return nil
}

var useCandidate = attribute{stun.AttrUseCandidate, nil}

func (c *prober) send(t *testing.T, raw []byte) {
	t.Helper()
	if _, err := c.WriteToUDPAddrPort(raw, c.to); err != nil {
		t.Fatal(err)
	}
}

// next returns the next response.
func (c *prober) next(t *testing.T) *stun.Message {
	t.Helper()
	b := make([]byte, maxDatagram)
	n, err := c.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	m := &stun.Message{Raw: b[:n]}
	if err := m.Decode(); err != nil {
		t.Fatal(err)
	}
	return m
}

// check sends a valid check and returns its response, which must be the next thing that comes.
func (c *prober) check(t *testing.T, more ...stun.Setter) *stun.Message {
	t.Helper()
	q := c.request(more...)
	c.send(t, q.Raw)
	m := c.next(t)
	if m.TransactionID != q.TransactionID {
		t.Fatal("an answer to something else")
	}
	return m
}

func TestBinding_ValidCheck_AnswersWithTheMappedAddress(t *testing.T) {
	tr := listen(t, Config{})
	p, r := accepted(t, tr)
	c := probe(t, tr, p)
	m := c.check(t)
	var mapped stun.XORMappedAddress
	if err := mapped.GetFrom(m); err != nil || m.Type != stun.BindingSuccess {
		t.Fatalf("%v, %v", m.Type, err)
	}
	if got := c.addr(); mapped.Port != int(got.Port()) || !mapped.IP.Equal(got.Addr().AsSlice()) {
		t.Errorf("mapped %v, sent from %v", mapped, got)
	}
	if err := stun.MessageIntegrity(p.pwd).Check(m); err != nil {
		t.Error(err)
	}
	if err := stun.Fingerprint.Check(m); err != nil {
		t.Error(err)
	}
	r.reach(t, Connecting)
}

func TestBinding_UnprovedCheck_IsIgnored(t *testing.T) {
	tr := listen(t, Config{})
	p, _ := accepted(t, tr)
	username, integrity := stun.NewUsername(p.username), stun.MessageIntegrity(p.pwd)
	build := func(s ...stun.Setter) []byte {
		return stun.MustBuild(append([]stun.Setter{stun.TransactionID}, s...)...).Raw
	}
	valid := build(stun.BindingRequest, username, integrity, stun.Fingerprint)
	flipped := append([]byte{}, valid...)
	flipped[len(flipped)-1] ^= 1
	for name, raw := range map[string][]byte{
		"wrong password":    build(stun.BindingRequest, username, stun.MessageIntegrity("wrong"), stun.Fingerprint),
		"unknown peer":      build(stun.BindingRequest, stun.NewUsername("nobody:here"), integrity, stun.Fingerprint),
		"other client":      build(stun.BindingRequest, stun.NewUsername(p.ufrag+":other"), integrity, stun.Fingerprint),
		"half a username":   build(stun.BindingRequest, stun.NewUsername(p.ufrag), integrity, stun.Fingerprint),
		"no username":       build(stun.BindingRequest, integrity, stun.Fingerprint),
		"no integrity":      build(stun.BindingRequest, username, stun.Fingerprint),
		"no fingerprint":    build(stun.BindingRequest, username, integrity),
		"wrong fingerprint": flipped,
		"indication":        build(stun.NewType(stun.MethodBinding, stun.ClassIndication), username, integrity, stun.Fingerprint),
		"response":          build(stun.BindingSuccess, username, integrity, stun.Fingerprint),
		"allocation":        build(stun.NewType(stun.MethodAllocate, stun.ClassRequest), username, integrity, stun.Fingerprint),
		"cut short":         valid[:len(valid)-4],
		"bytes behind":      append(append([]byte{}, valid...), 0, 0, 0, 0),
		"header only":       valid[:20],
		"one byte":          valid[:1],
	} {
		t.Run(name, func(t *testing.T) {
			c := probe(t, tr, p)
			c.send(t, raw)
			if name != "one byte" {
				before := tr.Counters().BadSTUN
				defer func() {
					if tr.Counters().BadSTUN > before+1 {
						t.Error("counted more than once")
					}
				}()
			}
			c.check(t) // the first answer is to this one
		})
	}
}

func TestBinding_ControlledClient_IsToldOfTheConflict(t *testing.T) {
	tr := listen(t, Config{})
	p, _ := accepted(t, tr)
	c := probe(t, tr, p)
	m := c.check(t, attribute{stun.AttrICEControlled, make([]byte, 8)})
	var code stun.ErrorCodeAttribute
	if err := code.GetFrom(m); err != nil || m.Type != stun.BindingError || code.Code != stun.CodeRoleConflict {
		t.Errorf("%v %v %v", m.Type, code, err)
	}
	if err := stun.MessageIntegrity(p.pwd).Check(m); err != nil {
		t.Error(err)
	}
	if s := p.Stats(); s.Remote.IsValid() {
		t.Errorf("a refused check selected %v", s.Remote)
	}
}

func TestBinding_Nomination_MovesThePeer(t *testing.T) {
	tr := listen(t, Config{})
	p, _ := accepted(t, tr)
	first, second := probe(t, tr, p), probe(t, tr, p)
	for _, step := range []struct {
		name string
		from *prober
		with []stun.Setter
		want *prober
	}{
		{"the first address is used until one is nominated", first, nil, first},
		{"another check changes nothing", second, nil, first},
		{"a nominated address is taken", second, []stun.Setter{useCandidate}, second},
		{"the old one may still check", first, nil, second},
		{"and be nominated again", first, []stun.Setter{useCandidate}, first},
	} {
		step.from.check(t, step.with...)
		if got := remoteAfter(tr, p); got != step.want.addr() {
			t.Fatalf("%s: %v, want %v", step.name, got, step.want.addr())
		}
	}
}

// remoteAfter returns the selected address once the datagrams read so far are done with.
func remoteAfter(tr *Transport, p *Peer) netip.AddrPort {
	p.recv.Lock() // the answer leaves before or after the change, but the change holds this lock
	defer p.recv.Unlock()
	return p.Stats().Remote
}

func TestBinding_ManyAddresses_KeepsTheSelectedOneAndABound(t *testing.T) {
	tr := listen(t, Config{})
	p, _ := accepted(t, tr)
	chosen := probe(t, tr, p)
	chosen.check(t, useCandidate)
	for range maxRoutes + 4 {
		probe(t, tr, p).check(t)
	}
	p.recv.Lock()
	defer p.recv.Unlock()
	if len(p.known) != maxRoutes {
		t.Errorf("%d addresses, want %d", len(p.known), maxRoutes)
	}
	if p.Stats().Remote != chosen.addr() || tr.routes.get(path{addr: chosen.addr()}) != p {
		t.Error("the selected address was forgotten")
	}
	n := 0
	for i := range tr.routes.shards {
		if m := tr.routes.shards[i].peers.Load(); m != nil {
			n += len(*m)
		}
	}
	if n != maxRoutes {
		t.Errorf("%d addresses in the table, want %d", n, maxRoutes)
	}
}

func TestBinding_SharedAddress_BelongsToTheNewestPeer(t *testing.T) {
	tr := listen(t, Config{})
	old, _ := accepted(t, tr)
	c := probe(t, tr, old)
	c.check(t)
	c.p, _ = accepted(t, tr)
	c.check(t)
	c.check(t)
	if got := tr.routes.get(path{addr: c.addr()}); got != c.p {
		t.Error("the address still belongs to the peer before")
	}
	old.Close()
	c.check(t)
	if got := tr.routes.get(path{addr: c.addr()}); got != c.p {
		t.Error("the peer before took the address along")
	}
}

func TestDatagram_UnknownAddress_CostsACounter(t *testing.T) {
	tr := listen(t, Config{})
	p, _ := accepted(t, tr)
	in := inbound{t: tr, now: time.Now()}
	from := path{addr: netip.MustParseAddrPort("192.0.2.1:5000")}
	for i, b := range [][]byte{{0x80, 96, 0, 1}, {0x80, 200, 0, 1}, {22, 254, 253}, {64, 0, 0}, {255, 1}, {22}, {}} {
		in.datagram(b, from)
		if got := tr.Counters().Unknown; got != uint64(i+1) {
			t.Errorf("%x: %d counted, want %d", b, got, i+1)
		}
	}
	if s := p.Stats(); s.PacketsIn != 0 {
		t.Errorf("%d packets reached a peer", s.PacketsIn)
	}
}
