package transport

import (
	"bytes"
	"crypto/rand"
	"math/big"
	"slices"
	"time"

	"github.com/pion/stun/v4"
)

// maxRoutes bounds the addresses a peer may be reached at; the oldest unused one gives way.
const maxRoutes = 16

// staleRoute is how long the selected address may go without a check before another that has one
// takes its place. A client nominates an address when it changes its mind, but not every one does
// when a NAT gives it another; and none checks the pair it uses less often than each 6 s (RFC 7675
// section 5.1).
const staleRoute = 15 * time.Second

const (
	ufragLen = 8  // 47 bits; RFC 8445 section 5.3 asks for 24
	pwdLen   = 24 // 142 bits; it asks for 128
	iceChars = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
)

// randomICE returns n random ice-chars (RFC 8839 section 5.4).
func randomICE(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	for i := range b {
		b[i] = iceChars[b[i]%byte(len(iceChars))] // 64 divides 256: uniform
	}
	return string(b)
}

func randomSessionID() uint64 {
	n, _ := rand.Int(rand.Reader, big.NewInt(1<<62)) // RFC 9429 section 5.2.1: below 2^63
	return n.Uint64()
}

// binding answers a connectivity check as a lite agent does (RFC 8445 sections 7.3 and 8.2). What
// is malformed or does not prove the peer's password is dropped without an answer, so that nobody
// can use us to find peers or as an amplifier.
func (in *inbound) binding(b []byte, from path) {
	p, ok := in.authenticate(b)
	if !ok {
		in.t.count.badSTUN.Add(1)
		return
	}
	in.peer = p
	p.received.note(len(b))
	if in.stun.Contains(stun.AttrICEControlled) {
		// We are lite and so always controlled, and the client is to take the other role.
		in.answer(p, from, stun.BindingError, stun.CodeRoleConflict)
		return
	}
	seen := from.seen()
	in.answer(p, from, stun.BindingSuccess,
		&stun.XORMappedAddress{IP: seen.Addr().AsSlice(), Port: int(seen.Port())})
	p.checked(in, from, in.stun.Contains(stun.AttrUseCandidate))
}

// authenticate returns the peer whose password the binding request in b proves.
func (in *inbound) authenticate(b []byte) (*Peer, bool) {
	m := &in.stun
	m.Raw = b
	if m.Decode() != nil || m.Type != stun.BindingRequest || len(b) != 20+int(m.Length) {
		return nil, false
	}
	username, err := m.Get(stun.AttrUsername)
	if err != nil {
		return nil, false
	}
	local, _, ok := bytes.Cut(username, []byte(":"))
	if !ok {
		return nil, false
	}
	p := in.t.peerByUfrag(local)
	if p == nil || p.username != string(username) || stun.Fingerprint.Check(m) != nil {
		return nil, false
	}
	return p, p.integrity.Check(m) == nil
}

// answer sends a response with one attribute to where the request in in.stun came from.
func (in *inbound) answer(p *Peer, to path, kind stun.MessageType, attribute stun.Setter) {
	m := &in.reply
	err := m.Build(stun.NewTransactionIDSetter(in.stun.TransactionID), kind,
		attribute, p.integrity, stun.Fingerprint)
	if err == nil {
		p.sendPlain(in.out, newRoute(to), m.Raw)
	}
}

// checked notes an authenticated check: the peer lives, can be reached at from, and, if nominated,
// wants to be.
func (p *Peer) checked(in *inbound, from path, nominated bool) {
	p.recv.Lock()
	defer p.recv.Unlock()
	if p.gone() {
		return
	}
	now := p.t.since(in.now)
	p.lastCheck.Store(int64(now))
	p.lastHeard.Store(int64(now))
	r := p.learn(from, now)
	if r == nil {
		return
	}
	r.checked = now
	moves := nominated && p.nominations.first(in.stun.TransactionID)
	if s := p.selected.Load(); moves || s == nil || now-s.checked >= staleRoute {
		p.selected.Store(r)
	}
	switch p.phase() {
	case New:
		p.enter(Connecting)
	case Disconnected:
		p.enter(Connected)
	default:
	}
}

// learn returns the route over a path, which is the peer's from now on, or nil if it stays another's. The caller holds p.recv.
func (p *Peer) learn(from path, now time.Duration) *route {
	if other := p.t.routes.get(from); other != p {
		if other != nil && other.holds(from, now) {
			return nil
		}
		p.t.routes.put(from, p)
	}
	for _, r := range p.known {
		if r.path == from {
			return r
		}
	}
	if len(p.known) == maxRoutes {
		selected := p.selected.Load()
		i := slices.IndexFunc(p.known, func(r *route) bool { return r != selected })
		p.t.routes.remove(p.known[i].path, p)
		p.known = slices.Delete(p.known, i, i+1)
	}
	r := newRoute(from)
	p.known = append(p.known, r)
	return r
}
