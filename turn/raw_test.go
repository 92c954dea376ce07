package turn_test

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/stun/v4"
	pion "github.com/pion/turn/v5"
)

// raw is a TURN client that says what a well-behaved one would not.
type raw struct {
	t         *testing.T
	conn      *pion.STUNConn
	challenge *stun.Message // the 401 that began it
	username  stun.Username
	nonce     stun.Nonce
	integrity stun.MessageIntegrity
}

func newRaw(t *testing.T, c net.Conn, username, password string) *raw {
	t.Helper()
	r := &raw{
		t: t, conn: pion.NewSTUNConn(c), username: stun.NewUsername(username),
		integrity: stun.NewLongTermIntegrity(username, realm, password),
	}
	r.send(stun.MethodAllocate, stun.ClassRequest, udpTransport)
	r.challenge = r.read()
	if err := r.nonce.GetFrom(r.challenge); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *raw) auth() []stun.Setter {
	return []stun.Setter{r.username, stun.NewRealm(realm), r.nonce}
}

// request sends an authenticated request and returns its answer.
func (r *raw) request(m stun.Method, attributes ...stun.Setter) *stun.Message {
	r.t.Helper()
	r.send(m, stun.ClassRequest, append(append(r.auth(), attributes...), r.integrity)...)
	return r.read()
}

func (r *raw) send(m stun.Method, c stun.MessageClass, attributes ...stun.Setter) {
	r.t.Helper()
	msg, err := stun.Build(append([]stun.Setter{stun.TransactionID, stun.NewType(m, c)}, attributes...)...)
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := r.conn.WriteTo(msg.Raw, nil); err != nil {
		r.t.Fatal(err)
	}
}

func (r *raw) read() *stun.Message {
	r.t.Helper()
	_ = r.conn.SetReadDeadline(time.Now().Add(timeout))
	b := make([]byte, 2000)
	n, _, err := r.conn.ReadFrom(b)
	if err != nil {
		r.t.Fatal(err)
	}
	msg := &stun.Message{Raw: b[:n]}
	if err := msg.Decode(); err != nil {
		r.t.Fatal(err)
	}
	return msg
}

// udpTransport is REQUESTED-TRANSPORT with the protocol number of UDP.
var udpTransport = attribute(stun.AttrRequestedTransport, []byte{17, 0, 0, 0})

func attribute(a stun.AttrType, value []byte) stun.Setter { return rawAttribute{a, value} }

func data(s string) stun.Setter { return attribute(stun.AttrData, []byte(s)) }

func peerAddress(a netip.AddrPort) stun.Setter { return peer(a) }

type rawAttribute struct {
	kind  stun.AttrType
	value []byte
}

func (a rawAttribute) AddTo(m *stun.Message) error {
	m.Add(a.kind, a.value)
	return nil
}

type peer netip.AddrPort

func (p peer) AddTo(m *stun.Message) error {
	a := netip.AddrPort(p)
	return stun.XORMappedAddress{IP: a.Addr().AsSlice(), Port: int(a.Port())}.AddToAs(m, stun.AttrXORPeerAddress)
}
