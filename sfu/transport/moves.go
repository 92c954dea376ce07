package transport

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/pion/stun/v4"
)

const (
	// rememberedNominations bounds the nominations that a peer remembers. Chromium nominates with every check, each 2.5 s at
	// least; Firefox and Pion a few times in all.
	rememberedNominations = 16
	// homeHeld is how long after its last packet a peer keeps the address of its handshake: no client that lives is silent for
	// longer (RFC 7675 section 5.1).
	homeHeld = 6 * time.Second
)

// nominations are the transactions that have moved a peer, newest last. ICE has no protection against replay: a check that was
// seen on its way proves the password from any address. So a transaction moves the peer once.
type nominations [rememberedNominations]uint64

// first reports whether a transaction is not remembered, and remembers it.
func (n *nominations) first(id [stun.TransactionIDSize]byte) bool {
	sum := binary.BigEndian.Uint64(id[:])
	if slices.Contains(n[:], sum) {
		return false
	}
	copy(n[:], n[1:])
	n[len(n)-1] = sum
	return true
}

// holds reports whether an address stays p's although another peer's client sends a valid check from it. Sources can be forged, so
// that whoever has a link could take somebody's address away. The handshake cannot be done with a forged one: where p did its
// own, it receives.
func (p *Peer) holds(a path, now time.Duration) bool {
	home := p.home.Load()
	return home != nil && *home == a && !p.gone() && now-time.Duration(p.lastHeard.Load()) < homeHeld
}
