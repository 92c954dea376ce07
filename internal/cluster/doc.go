// Package cluster makes several instances one server: it knows who else is there and what they carry, which instance owns
// a waiting room, and brings commands and sockets to it.
//
// It owns the leases of this instance and their renewal, the decision that a lease is over, and the hop: the listener at
// which instances reach each other, which is for them alone. It must not know what is said in a waiting room; those are
// the hub's, in package signaling.
package cluster
