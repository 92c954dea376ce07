package transport

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/stun/v4"
)

var attackerAddr = netip.MustParseAddrPort("198.51.100.1:666")

// from has the transport read a check as if it had come from an address.
func (c *prober) from(in *inbound, addr netip.AddrPort, raw []byte) {
	in.datagram(append([]byte(nil), raw...), path{addr: addr})
}

// checking returns a peer's client and a way in for what it sends, or others send in its name.
func checking(t *testing.T) (*Peer, *prober, *inbound) {
	t.Helper()
	tr := listen(t, Config{})
	p, _ := accepted(t, tr)
	return p, &prober{p: p}, &inbound{t: tr, now: time.Now()}
}

// ICE has no protection against replay: who has seen a check on its way can send it again from another address.
func TestReplay_OfANomination_MovesNobodyAgain(t *testing.T) {
	p, c, in := checking(t)
	home, other := clientAddr, netip.MustParseAddrPort("192.0.2.1:6000")
	first, second := c.request(useCandidate).Raw, c.request(useCandidate).Raw
	for _, step := range []struct {
		name string
		from netip.AddrPort
		raw  []byte
		want netip.AddrPort
	}{
		{"the client nominates", home, first, home},
		{"its check is replayed", attackerAddr, first, home},
		{"it moves", other, second, other},
		{"its first check is replayed", attackerAddr, first, other},
		{"its first check comes twice", home, first, other},
		{"its second is replayed", attackerAddr, second, other},
	} {
		c.from(in, step.from, step.raw)
		if got := p.Stats().Remote; got != step.want {
			t.Fatalf("%s: %v, want %v", step.name, got, step.want)
		}
	}
}

// A check that is no nomination moves nobody, whoever sends it, while the selected address is checked.
func TestReplay_OfAPlainCheck_MovesNobody(t *testing.T) {
	p, c, in := checking(t)
	plain := c.request().Raw
	c.from(in, clientAddr, c.request(useCandidate).Raw)
	for range 20 {
		in.now = in.now.Add(staleRoute / 2)
		c.from(in, attackerAddr, plain)
		c.from(in, clientAddr, c.request().Raw)
		if got := p.Stats().Remote; got != clientAddr {
			t.Fatalf("moved to %v", got)
		}
	}
}

// What is too old to be remembered, or comes before the client's own, moves the peer. The client's next nomination brings it
// back, or its next check when the other address has not been checked for staleRoute.
func TestReplay_ThatMoves_LastsUntilTheClientIsHeardAgain(t *testing.T) {
	for name, back := range map[string]func(in *inbound, c *prober){
		"it nominates": func(in *inbound, c *prober) { c.from(in, clientAddr, c.request(useCandidate).Raw) },
		"it checks": func(in *inbound, c *prober) {
			in.now = in.now.Add(staleRoute)
			c.from(in, clientAddr, c.request().Raw)
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, c, in := checking(t)
			old := c.request(useCandidate).Raw
			c.from(in, clientAddr, old)
			for range rememberedNominations {
				c.from(in, clientAddr, c.request(useCandidate).Raw)
			}
			c.from(in, attackerAddr, old)
			if got := p.Stats().Remote; got != attackerAddr {
				t.Fatalf("still remembered after %d others: this tests nothing", rememberedNominations)
			}
			back(in, c)
			if got := p.Stats().Remote; got != clientAddr {
				t.Errorf("media goes to %v", got)
			}
		})
	}
}

func TestNominations_RememberTheNewest(t *testing.T) {
	var n nominations
	id := func(i int) (id [stun.TransactionIDSize]byte) {
		binary.BigEndian.PutUint64(id[:], uint64(i))
		return id
	}
	for i := range 3 * rememberedNominations {
		if !n.first(id(i + 1)) {
			t.Fatalf("transaction %d is taken for another", i+1)
		}
		for k := max(0, i-rememberedNominations+1); k <= i; k++ {
			if n.first(id(k + 1)) {
				t.Fatalf("transaction %d is forgotten after %d", k+1, i+1)
			}
		}
	}
}

// Sources can be forged: a person with a link of their own could send valid checks with another's address.
func TestBinding_FromTheAddressOfALivePeer_TakesNothing(t *testing.T) {
	tr := listen(t, Config{})
	victim := newLight(t, tr, loopback4)
	victim.connect(t)
	mallory, _ := accepted(t, tr)
	c := &prober{p: mallory}
	home := path{addr: victim.addr()}
	in := &inbound{t: tr, now: time.Now()}
	for range 100 {
		c.from(in, home.addr, c.request(useCandidate).Raw)
		victim.echo(t)
	}
	if tr.routes.get(home) != victim.peer {
		t.Fatal("the address was taken")
	}
	if s := mallory.Stats(); s.Remote.IsValid() {
		t.Errorf("what was forged is used: %v", s.Remote)
	}
	in.now = time.Now().Add(homeHeld) // and nothing has been heard
	c.from(in, home.addr, c.request().Raw)
	if tr.routes.get(home) != mallory {
		t.Error("the address of a peer that is not heard any more is not given to another")
	}
}

// Nobody can keep addresses that are not theirs: the handshake has to be done there.
func TestBinding_FromAnAddressThatWasOnlyClaimed_TakesIt(t *testing.T) {
	claimed := netip.MustParseAddrPort("192.0.2.1:5000")
	claim := func(m *light) {
		(&prober{p: m.peer}).from(&inbound{t: m.peer.t, now: time.Now()}, claimed, (&prober{p: m.peer}).request(useCandidate).Raw)
	}
	for name, mallory := range map[string]func(t *testing.T, m *light){
		"after the handshake": func(t *testing.T, m *light) {
			m.connect(t)
			claim(m)
		},
		"while it begins, and then comes home": func(t *testing.T, m *light) {
			m.nominate(t)
			claim(m)
			turn := <-m.peer.t.turns // our flight has to wait
			m.edit = func(b []byte, fromClient bool) [][]byte {
				if !fromClient || turn < 0 {
					return [][]byte{b}
				}
				in := &inbound{t: m.peer.t, now: time.Now()}
				in.datagram(b, path{addr: claimed})
				m.from(in, m.addr(), m.request(useCandidate).Raw)
				m.peer.t.turns <- turn
				turn = -1
				return nil
			}
			if err := m.secure(t.Context()); err != nil {
				t.Fatal(err)
			}
			m.r.reach(t, Connected)
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := newLight(t, listen(t, Config{}), loopback4)
			for len(m.peer.t.turns) > 1 {
				<-m.peer.t.turns // one is enough
			}
			mallory(t, m)
			client, _ := accepted(t, m.peer.t)
			c := &prober{p: client}
			c.from(&inbound{t: m.peer.t, now: time.Now()}, claimed, c.request().Raw)
			if m.peer.t.routes.get(path{addr: claimed}) != client {
				t.Error("a client cannot use its own address, because another peer has claimed it")
			}
		})
	}
}
