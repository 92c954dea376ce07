// Package rooms is the domain: waiting rooms, visits, seats, roles and what may happen to them.
//
// It owns the rules. A command, the present state and a time go in; new values of the visits that
// change, or a coded error, come out. Two tables and one function say what matters most: who may do
// what (policy.go), what each action does (one type each), and who may see and hear whom (routes.go).
//
// It does no I/O, reads no clock, draws no random numbers, and knows nothing of sockets, media,
// tokens or stores.
package rooms
